"""One time step of the lattice simulation against the exact master equation of four sites."""

from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import chi2
from test_site_selection import exact_choice

from chemistry import CHEMISTRY, SYSTEM, network, simulate_run
from dbd.kinetics.reactions import ATTEMPTS
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

FALSE_ALARM = 1e-7

# The master equation of a lattice of four sites, written down as the rules read, state by state.


def reactions_between(system, first, second):
    """Reactions of a colliding pair in declared order: probability, what is left on the target's and mover's site."""
    found = (each for each in system.reactions if sorted(each.reactants) == sorted((first, second)))
    return [(each.constant, *(*each.products, 0, 0)[:2]) for each in found]


def put(state, *changes):
    """Return a copy of a state with some sites changed."""
    state = list(state)
    for site, occupancy in changes:
        state[site] = occupancy
    return tuple(state)


def neighbours_of(lattice):
    """Sites at distance one, from the coordinates."""
    positions = list(np.ndindex(lattice.shape))

    def distance(one, other):
        steps = [abs(a - b) for a, b in zip(one, other, strict=True)]
        if lattice.boundary == "periodic":
            steps = [min(step, length - step) for step, length in zip(steps, lattice.shape, strict=True)]
        return sum(steps)

    return [[k for k, there in enumerate(positions) if distance(here, there) == 1] for here in positions]


def transition_matrix(system, lattice, site_selection, dt, attempts=ATTEMPTS):
    """Exact probability of every state after one step given the state before; shape (states, states)."""
    kinds, sites = len(system.species) + 1, lattice.size
    states = list(np.ndindex((kinds,) * sites))
    index = {state: k for k, state in enumerate(states)}
    neighbours = neighbours_of(lattice)

    @cache
    def choice(qualifying, rule=site_selection):
        chance = exact_choice(qualifying, lattice, rule)
        return [(site, chance[site]) for site in sorted(qualifying)]

    @cache
    def sweep(state, waiting):
        """Distribution over the states at the end of the sweep."""
        if not waiting:
            return {state: 1.0}
        ends = {}

        def add(probability, state, waiting):
            for end, chance in sweep(state, waiting).items():
                ends[end] = ends.get(end, 0.0) + probability * chance

        for site, chosen in choice(waiting):
            for target in neighbours[site]:
                probability = chosen / len(neighbours[site])
                if state[target] == 0:
                    add(probability, put(state, (site, 0), (target, state[site])), waiting - {site})
                    continue
                for chance, on_target, on_mover in reactions_between(system, state[site], state[target]):
                    after = put(state, (target, on_target), (site, on_mover))
                    add(probability * chance, after, waiting - {site, target})
                    probability *= 1 - chance
                add(probability, state, waiting - {site})
        return ends

    alone = np.zeros((len(states), len(states)))  # generator of the unimolecular reactions and of creation
    for state in states:
        for reaction in system.reactions:
            reactant = (*reaction.reactants, 0)[0]
            qualifying = frozenset(site for site in range(sites) if state[site] == reactant)
            if len(reaction.reactants) == 2 or not qualifying:
                continue
            successes = {}
            for site, chosen in choice(qualifying, site_selection if reactant else "uniform"):
                if len(reaction.products) < 2:
                    after = put(state, (site, (*reaction.products, 0)[0]))
                    successes[after] = successes.get(after, 0.0) + chosen
                    continue
                free = [each for each in neighbours[site] if state[each] == 0]
                for room in free:
                    after = put(state, (site, reaction.products[0]), (room, reaction.products[1]))
                    successes[after] = successes.get(after, 0.0) + chosen / len(free)
            success = sum(successes.values())
            tries = sum((1 - success) ** k for k in range(attempts))
            for after, chance in successes.items():
                flow = reaction.constant * len(qualifying) * chance * tries
                alone[index[state], index[after]] += flow
                alone[index[state], index[state]] -= flow
    moves = np.zeros_like(alone)
    for state in states:
        for end, chance in sweep(state, frozenset(site for site in range(sites) if state[site])).items():
            moves[index[state], index[end]] = chance
    return expm(alone * dt) @ moves


def transition_counts(system, lattice, site_selection, dt, steps):
    """Number of one-step transitions between any two states in a long run of the kernel."""
    generator = stream(7, "master equation", site_selection, *lattice.shape, lattice.boundary)
    run = simulate_run(np.zeros(lattice.size, np.uint8), system, lattice, site_selection, dt, steps, generator)
    kinds = len(system.species) + 1
    codes = np.ravel_multi_index(tuple(run.T), (kinds,) * lattice.size)
    states = kinds**lattice.size
    return np.bincount(codes[:-1] * states + codes[1:], minlength=states**2).reshape(states, states)


def p_value(counts, matrix):
    """P-value of the chi-square of transition counts; cells of a row with less than ten expected are taken together."""
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-9)
    if counts[matrix < 1e-14].any():
        return 0.0
    statistic, freedom = 0.0, 0
    for seen, chance in zip(counts, matrix, strict=True):
        order = np.argsort(chance)
        seen, expected = seen[order], seen.sum() * chance[order]
        first = np.searchsorted(expected, 10)
        if first > 0:
            first = max(first, np.searchsorted(expected.cumsum(), 10) + 1)
        starts = np.append(0, np.arange(max(first, 1), expected.size))
        seen, expected = np.add.reduceat(seen, starts), np.add.reduceat(expected, starts)
        if expected[0] >= 10:
            statistic += ((seen - expected) ** 2 / expected).sum()
            freedom += expected.size - 1
    return chi2.sf(statistic, freedom)


DT = 0.4
STEPS = 400_000


def changed(equation, **constant):
    """The chemistry with another constant for one reaction."""
    return network("AB", *((text, constant if text == equation else given) for text, given in CHEMISTRY))


@pytest.mark.parametrize(
    ("lattice", "site_selection"),
    [
        (Lattice((2, 2)), "uniform"),
        (Lattice((2, 2)), "axis_scan"),
        (Lattice((1, 2, 2)), "axis_scan"),
        (Lattice((4,)), "uniform"),
        (Lattice((4,)), "axis_scan"),
        (Lattice((4,), "periodic"), "uniform"),
    ],
    ids=str,
)
def test_every_transition_of_a_tiny_lattice(lattice, site_selection):
    """All transitions between the 81 states of four sites and two species, at a false-alarm probability of 1e-7."""
    counts = transition_counts(SYSTEM, lattice, site_selection, DT, STEPS)
    assert p_value(counts, transition_matrix(SYSTEM, lattice, site_selection, DT)) > FALSE_ALARM


@pytest.mark.parametrize(
    "mutation",
    [
        {"system": changed("A + A -> B", probability=0.6)},
        {"system": changed("A + A -> B", probability=1 - 0.7**0.5)},
        {"system": changed("A + B -> 2B", probability=0.45)},
        {"system": changed("0 -> A", rate=0.8)},
        {"system": network("AB", *CHEMISTRY[::-1])},
        {"system": network("AB", *CHEMISTRY[:-1], ("2B -> A + B", {"probability": 0.5}))},
        {"system": network("AB", *CHEMISTRY[:1], ("A -> B + A", {"rate": 0.6}), *CHEMISTRY[2:])},
        {"lattice": Lattice((4,), "periodic")},
        {"lattice": Lattice((2, 2))},
        {"dt": 0.45},
        {"attempts": 1},
    ],
    ids=[
        "factor 2",
        "half",
        "probability",
        "creation",
        "order",
        "places",
        "places alone",
        "ends",
        "shape",
        "dt",
        "attempts",
    ],
)
def test_the_transition_test_sees_mutations(mutation):
    """Each mutation of what the kernel is compared with fails the test above."""
    truth = {"system": SYSTEM, "lattice": Lattice((4,)), "site_selection": "uniform", "dt": DT}
    counts = transition_counts(**truth, steps=STEPS)
    assert p_value(counts, transition_matrix(**(truth | mutation))) < FALSE_ALARM


def test_the_transition_test_sees_a_biased_choice():
    """In the plane the axis scan differs from the uniform choice, both ways."""
    for kernel, oracle in (("uniform", "axis_scan"), ("axis_scan", "uniform")):
        counts = transition_counts(SYSTEM, Lattice((2, 2)), kernel, DT, STEPS)
        assert p_value(counts, transition_matrix(SYSTEM, Lattice((2, 2)), oracle, DT)) < FALSE_ALARM
