"""Mean field and pair approximation: known equations, exact cases, conserved numbers, and births in a crowd."""

import numpy as np
import pytest

from dbd.kinetics.closures import Closure, Probabilities
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs


def network(species, *equations):
    return ReactionNetwork.from_equations(species, equations)


def independent(*densities):
    """Probabilities of independent sites with these densities of the species."""
    single = np.array([1 - sum(densities), *densities])
    return Probabilities(single, np.outer(single, single))


def unknowns(closure, probabilities):
    """State vector of a closure."""
    species = np.triu_indices(len(closure.network.species))
    pairs = probabilities.pair[1:, 1:][species]
    return np.concatenate([probabilities.single[1:], pairs]) if closure.pairs else probabilities.single[1:]


LOTKA = network("HP", ("P -> 2P", {"rate": 1.5}), ("H + P -> 2H", {"probability": 0.3}), ("H -> 0", {"rate": 0.7}))


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_mean_field_is_the_rate_equations(dimension):
    """A pair meets twice a step, once in the turn of either; a birth needs room next to one of twenty molecules."""
    hunters, prey, dt = 0.45, 0.5, 0.1
    closure = Closure(LOTKA, dimension, dt, pairs=False)
    eaten, crowd = 2 * 0.3 * hunters * prey / dt, (hunters + prey) ** (2 * dimension)
    born = 1.5 * prey * (1 - crowd**20)
    expected = [eaten - 0.7 * hunters, born - eaten]
    np.testing.assert_allclose(closure.slope(np.array([hunters, prey])), expected, rtol=1e-12)
    assert (crowd**20 > 0.1) == (dimension == 1)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_independent_sites_stay_so_without_reactions(dimension):
    closure = Closure(network("AB"), dimension, 0.1, pairs=True)
    np.testing.assert_allclose(closure.slope(unknowns(closure, independent(0.2, 0.5))), 0, atol=1e-12)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_single_site_reactions_are_exact(dimension):
    """Creation, decay and conversion keep sites independent: both closures give the exact law at all times."""
    system = network("AB", ("0 -> A", {"rate": 0.4}), ("A -> B", {"rate": 0.5}), ("B -> 0", {"rate": 0.3}))
    exact = np.array([[-0.4 - 0.5, -0.4], [0.5, -0.3]])  # of the densities, beside the creation on empty sites
    rest = np.linalg.solve(exact, [-0.4, 0.0])
    values, vectors = np.linalg.eig(exact)
    times = 0.25 * np.arange(21)
    growth = np.linalg.solve(vectors, np.array([0.1, 0.2]) - rest)
    density = rest + (np.exp(np.outer(times, values)) * growth) @ vectors.T
    for pairs in (False, True):
        path = Closure(system, dimension, 0.25, pairs).integrate(independent(0.1, 0.2), 20)
        np.testing.assert_allclose(path.single[:, 1:], density.real, atol=1e-6)
        np.testing.assert_allclose(path.pair, path.single[:, :, None] * path.single[:, None, :], atol=1e-6)


def test_pair_approximation_of_annihilation_on_a_chain():
    """Written out by hand, with the rate 1 / (2 dt) of a turn in a direction."""
    dt, probability = 0.1, 0.05
    closure = Closure(network("A", ("A + A -> 0", {"probability": probability})), 1, dt, pairs=True)
    single, pair = 0.4, 0.1
    empty, mixed = 1 - single, single - pair
    rate = 1 / (2 * dt)
    reacting = 2 * rate * probability * pair  # of one bond: either molecule's turn
    # A bond of two disappears when it reacts itself, when one reacts with a third or moves away from the other, and
    # appears when one moves in beside the other: 0A with the A behind it, towards an A on the other side.
    triple, away, towards = pair**2 / single, mixed * pair / single, mixed**2 / empty
    expected = [
        -2 * reacting,
        -reacting - 2 * 2 * rate * probability * triple - 2 * rate * away + 2 * rate * towards,
    ]
    np.testing.assert_allclose(closure.slope(np.array([single, pair])), expected, rtol=1e-12)


@pytest.mark.parametrize("pairs", [False, True])
def test_numbers_that_no_reaction_changes_are_kept(pairs):
    system = network("ASR", ("A + S -> 2A", {"probability": 0.4}), ("A -> R", {"rate": 1}))
    path = Closure(system, 2, 0.05, pairs).integrate(independent(0.02, 0.5, 0.0), 200)
    np.testing.assert_allclose(path.single @ [0, *system.conserved[0]], 0.52, atol=1e-9)
    assert path.single[-1, 3] > 0.3
    assert (path.pair > -1e-6).all()
    np.testing.assert_allclose(path.pair.sum(axis=-1), path.single, atol=1e-9)


def test_pair_approximation_of_fast_moves_is_mean_field():
    """With rare reactions the lattice stays mixed; what is left of the difference is of their probability's order."""
    start = independent(0.5)
    gap = []
    for probability in (0.2, 0.002):
        system = network("A", ("A + A -> 0", {"probability": probability}))
        mixed, paired = (Closure(system, 2, probability, pairs).integrate(start, 40).single for pairs in (False, True))
        gap.append(np.abs(mixed - paired)[: round(8 / probability)].max())
    assert gap[1] < 0.02 * gap[0]


def test_births_in_a_crowd():
    """A -> A + B where one molecule in two has no room: 4000 sites at random, one step, false alarm below 1e-8.

    The number of births is that of the molecules, not of those with room; half of it is what comes of births that are
    tried once. The terms that differ by the finite number of sites are far smaller than the standard error.
    """
    system, lattice, runs, dt = network("AB", ("A -> A + B", {"rate": 0.02})), Lattice((4000,), "periodic"), 400, 1.0
    generators = [stream(11, "crowd", run) for run in range(runs)]
    initials = np.stack([place_counts([2800, 0], lattice, "uniform", generator) for generator in generators])
    record, *_ = simulate_runs(initials, system, lattice, "uniform", dt, 1, generators)
    born = (record[:, 1] == 2).sum(axis=1)
    for pairs in (False, True):
        closure = Closure(system, 1, dt, pairs)
        expected = 4000 * closure.integrate(independent(0.7, 0.0), 1).single[-1, 2]
        score = np.sqrt(runs) * (born.mean() - expected) / born.std()
        assert abs(score) < 6
        assert abs(np.sqrt(runs) * (born.mean() - 0.51 * expected) / born.std()) > 6
