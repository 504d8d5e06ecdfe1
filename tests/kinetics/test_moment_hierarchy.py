"""The derived moment hierarchy: exact in every configuration, in a master equation, and in a step of the simulation."""

import numpy as np
import pytest

import chemistry
from chemistry import network
from dbd.kinetics.moment_hierarchy import births, conversions, directions, drift, turns
from dbd.kinetics.reactions import EMPTY
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs

# Every kind of reaction.
CHEMISTRY = [*chemistry.CHEMISTRY, ("0 -> A + B", {"rate": 0.3})]
DT = 0.4


def everything(system, dimension, dt=DT):
    """All events of a network."""
    alone = [event for group in births(system, dimension) for event in group]
    return [*turns(system, dimension, dt), *conversions(system, dimension), *alone]


def transitions(system, state, neighbours, dt=DT):
    """Yield (rate, state after) of everything that can happen to a lattice without walls, as the rules read."""
    for site, mover in enumerate(state):
        for target in neighbours[site] if mover else ():
            rate = 1 / (dt * len(neighbours[site]))
            if state[target] == EMPTY:
                yield rate, {site: EMPTY, target: mover}
                continue
            for reaction in system.reactions:
                if sorted(reaction.reactants) == sorted((mover, state[target])):
                    first, second = (*reaction.products, EMPTY, EMPTY)[:2]
                    yield rate * reaction.constant, {target: first, site: second}
                    rate *= 1 - reaction.constant
        for reaction in system.reactions:
            if len(reaction.reactants) == 2 or (*reaction.reactants, EMPTY)[0] != mover:
                continue
            first, second = (*reaction.products, EMPTY, EMPTY)[:2]
            if not second:
                yield reaction.constant, {site: first}
                continue
            room = [other for other in neighbours[site] if state[other] == EMPTY]
            for other in room:
                yield reaction.constant / len(room), {site: first, other: second}


def number(held, lattice, state):
    """Number of places where sites hold what a pattern says."""
    met = np.ones(lattice.size, bool)
    for site, occupancy in held.items():
        met &= state[lattice.shifted(site)] == occupancy
    return int(met.sum())


def rate_of_change(system, lattice, state, window):
    """Mean change per unit time of the number of places where a window is met, by trying everything."""
    total = 0.0
    for rate, changes in transitions(system, state, lattice.neighbours.tolist()):
        after = state.copy()
        after[list(changes)] = list(changes.values())
        total += rate * (number(window, lattice, after) - number(window, lattice, state))
    return total


def predicted(events, lattice, state, window):
    """The same from the hierarchy."""
    return sum(rate * number(dict(pattern), lattice, state) for pattern, rate in drift(events, window).items())


LATTICES = [Lattice((41,), "periodic"), Lattice((5, 6), "periodic"), Lattice((5, 5, 5), "periodic")]


@pytest.mark.slow
@pytest.mark.parametrize("lattice", LATTICES, ids=lambda lattice: str(lattice.dimension))
@pytest.mark.parametrize("density", [0.3, 0.85])
def test_hierarchy_is_exact_in_every_configuration(lattice, density):
    """Singles, and pairs along the first and the last axis: to rounding, with every kind of reaction."""
    system, here = network("AB", *CHEMISTRY), (0,) * lattice.dimension
    first, last = (1, *here[1:]), (*here[1:], 1)
    windows = [{here: 1}, {here: 2}, {here: 1, first: 1}, {here: 1, first: 2}, {here: 2, last: 2}]
    generator = stream(5, "hierarchy", lattice.dimension, int(100 * density))
    kinds = generator.choice(3, size=lattice.size, p=[1 - density, density / 2, density / 2])
    state, events = kinds.astype(np.uint8), everything(system, lattice.dimension)
    for window in windows:
        exact = rate_of_change(system, lattice, state, window)
        assert abs(exact) > 1e-3
        assert predicted(events, lattice, state, window) == pytest.approx(exact, rel=1e-11)


def test_the_test_sees_mutations():
    """Of the rates, the order of trials, the room and the time step."""
    lattice, window = LATTICES[1], {(0, 0): 1, (1, 0): 2}
    state = stream(6, "mutations").choice(3, size=lattice.size, p=[0.4, 0.3, 0.3]).astype(np.uint8)
    system = network("AB", *CHEMISTRY)
    exact = rate_of_change(system, lattice, state, window)
    twice = [("A + A -> B", {"probability": 0.6}) if text == "A + A -> B" else (text, c) for text, c in CHEMISTRY]
    events = everything(system, 2)
    mutations = {
        "factor 2": everything(network("AB", *twice), 2),
        "order": everything(network("AB", *CHEMISTRY[::-1]), 2),
        "room": [event for event in events if len(event.before) < 3],
        "time step": everything(system, 2, 1.1 * DT),
    }
    assert predicted(events, lattice, state, window) == pytest.approx(exact, rel=1e-11)
    for name, wrong in mutations.items():
        assert predicted(wrong, lattice, state, window) != pytest.approx(exact, rel=1e-3), name


@pytest.mark.slow
def test_means_of_a_master_equation():
    """A ring of five sites, all 243 states: the change of mean pairs is that of the generator, applied once."""
    lattice, system = Lattice((5,), "periodic"), network("AB", *CHEMISTRY)
    states = np.array(list(np.ndindex((3,) * lattice.size)), np.uint8)
    powers = 3 ** np.arange(lattice.size)[::-1]
    generator = np.zeros((len(states), len(states)))
    for code, state in enumerate(states):
        for rate, changes in transitions(system, state, lattice.neighbours.tolist()):
            after = state.copy()
            after[list(changes)] = list(changes.values())
            generator[code, after @ powers] += rate
            generator[code, code] -= rate
    law = stream(7, "law").dirichlet(np.ones(len(states)))
    for window in ({(0,): 1}, {(0,): 1, (1,): 2}, {(0,): 2, (1,): 2}, {(0,): 1, (1,): 1, (2,): 2}):
        counts = np.array([number(window, lattice, state) for state in states])
        terms = drift(everything(system, 1), window).items()
        means = sum(rate * law @ [number(dict(pattern), lattice, state) for state in states] for pattern, rate in terms)
        assert means == pytest.approx(law @ generator @ counts, rel=1e-10)


def test_singles_depend_on_pairs_and_pairs_on_bent_and_straight_triplets():
    system = network("A", ("A + A -> 0", {"probability": 0.1}))
    single = drift(everything(system, 2), {(0, 0): 1})
    assert max(map(len, single)) == 2
    assert sum(rate for pattern, rate in single.items() if [o for _, o in pattern] == [1, 1]) == pytest.approx(
        -2 * 0.1 / DT
    )
    pair = drift(everything(system, 2), {(0, 0): 1, (1, 0): 1})
    triplets = [tuple(site for site, _ in pattern) for pattern in pair if len(pattern) == 3]
    assert ((0, 0), (1, 0), (2, 0)) in triplets and ((0, 0), (0, 1), (1, 0)) in triplets
    assert max(map(len, pair)) == 3


def test_numbers_that_no_reaction_changes_have_no_drift():
    """A + B and hence the sum of both rows of the hierarchy vanish term by term, summed over where patterns lie."""
    system = network("AB", ("A + B -> 2B", {"probability": 0.3}), ("B -> A", {"rate": 0.2}))
    events = everything(system, 1)
    lattice = Lattice((7,), "periodic")
    state = stream(8, "conserved").integers(0, 3, lattice.size).astype(np.uint8)
    total = sum(predicted(events, lattice, state, {(0,): species}) for species in (1, 2))
    assert total == pytest.approx(0.0, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(120,), (11, 11), (5, 5, 5)], ids=lambda shape: str(len(shape)))
def test_first_step_of_the_simulation(shape):
    """Random places stay random through a sweep, so the first step changes mean numbers as the hierarchy says.

    To first order in rates and probabilities, so these are small. Standard scores below six: false alarms below 1e-7
    for all comparisons. Any constant that is wrong by a factor of two fails.
    """
    small = [
        ("A + A -> B", {"probability": 0.012}),
        ("A + B -> 2B", {"probability": 0.015}),
        ("B -> 0", {"rate": 0.015}),
    ]
    lattice, runs, dt = Lattice(shape, "periodic"), 6000, 1.0
    here, numbers = (0,) * len(shape), [lattice.size // 3, lattice.size // 4]
    generators = [stream(9, "first step", len(shape), run) for run in range(runs)]
    initials = np.stack([place_counts(numbers, lattice, "uniform", generator) for generator in generators])
    record, *_ = simulate_runs(initials, network("AB", *small), lattice, "uniform", dt, 1, generators)
    change = np.diff(count_observables(record, lattice, "AB", "AB"), axis=1)[:, 0].astype(float)

    def chance(pattern):
        """Probability of a pattern of molecules at random places."""
        probability, left = 1.0, [lattice.size - sum(numbers), *numbers]
        for _, occupancy in pattern:
            probability *= left[occupancy] / sum(left)
            left[occupancy] -= 1
        return probability

    def scores(equations):
        events = everything(network("AB", *equations), len(shape), dt)
        expected = [
            lattice.size * sum(rate * chance(pattern) for pattern, rate in drift(events, {here: species}).items())
            for species in (1, 2)
        ]
        return np.abs(change.mean(axis=0) - expected) / (change.std(axis=0) / np.sqrt(runs))

    assert scores(small).max() < 6
    for place in range(len(small)):
        (text, constant) = small[place]
        doubled = {name: 2 * value for name, value in constant.items()}
        assert scores([*small[:place], (text, doubled), *small[place + 1 :]]).max() > 6


def test_neighbours():
    assert directions(1) == [(-1,), (1,)]
    assert len(set(directions(3))) == 6
