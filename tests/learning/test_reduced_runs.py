"""Reduced runs: what meets, the law of events, bounds, and a reaction whose law is known."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import chi2, norm

from dbd.boltzmann.energy import EnergyModel
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.learning.reduced_runs import Learned, ReducedRuns, draw_events
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream

FALSE_ALARM = 1e-7
GRID = HermiteGrid((0.0, -1.0), (0.25, 1.0), (5, 3))
EQUATIONS = [
    ("A + B -> 2C", {"probability": 0.5}),
    ("B + A -> A", {"probability": 0.5}),
    ("C -> A", {"rate": 1.0}),
    ("A -> 2A", {"rate": 0.7}),
    ("0 -> B", {"rate": 0.3}),
    ("A + A -> 0", {"probability": 0.2}),
]


def reduced(species, equations, interactions, domain, grid=GRID, dt=0.1, shape=(6, 6)):
    model = EnergyModel(Lattice(shape), species, interactions)
    return ReducedRuns(grid, model, ReactionNetwork.from_equations(species, equations), domain, dt)


SYSTEM = reduced(("A", "B", "C"), EQUATIONS, ("C", "A", "B", "AB", "AA"), (1, 3))


def some_learned(system, size=0.3, ratio=1.0, seed=0):
    random, pairs = np.random.default_rng(seed), len(system.pairs)
    u = size * random.normal(size=(len(system.functions), system.grid.size))
    return Learned(u, np.full(pairs, 0.6), np.full(len(system.network.reactions), ratio))


def streams(number):
    return [stream(3, "reduced runs", index) for index in range(number)]


def test_what_meets():
    """Step by step as the module says, with numbers that change from reaction to reaction."""
    numbers, correlations = np.array([[8, 6, 3], [1, 0, 0]]), np.array([[0.3, -0.2], [0.1, 0.1]])
    events = np.array([[1, 2, 1, 2, 1, 3], [0, 0, 0, 0, 0, 0]])
    sites, bonds = 36, 60
    for row, (a, b, c), (ab, aa), e in zip(
        SYSTEM.meetings(numbers, correlations, events), numbers, correlations, events, strict=True
    ):
        expected = {2: 0.1 * c}
        a, c = a + e[2], c - e[2]
        filled = (a + b + c) / sites
        expected[3] = 0.07 * a * (1 - filled ** (2 * bonds / sites))
        a += e[3]
        expected[4] = 0.03 * (sites - a - b - c)
        b += e[4]
        each = 2 / (2 * bonds / sites) * bonds / (sites * (sites - 1))
        expected[0] = 0.5 * each * 2 * a * b * np.exp(ab)
        a, b, c = a - e[0], b - e[0], c + 2 * e[0]
        expected[1] = 0.25 * each * 2 * a * b * np.exp(ab)
        b -= e[1]
        expected[5] = 0.2 * each * max(a * (a - 1), 0) * np.exp(aa)
        np.testing.assert_allclose(row, [expected[r] for r in range(6)], rtol=1e-12)


def test_molecules_at_random_sites_have_no_correlations():
    """All placements of two and one molecules on a chain of four sites."""
    system = reduced(("A", "B"), [], ("A", "B", "AA", "AB"), (0, 2), shape=(4,))
    counts = []
    for code in np.ndindex(3, 3, 3, 3):
        if code.count(1) == 2 and code.count(2) == 1:
            near = list(pairwise(code))
            counts.append([near.count((1, 1)), near.count((1, 2)) + near.count((2, 1))])
    np.testing.assert_allclose(system.independent(np.array([2, 1])), np.mean(counts, axis=0))


@pytest.mark.parametrize(("mean", "ratio"), [(3.3, 0.6), (0.4, 0.9), (7.7, 1.0), (5.2, 1.7)])
def test_events_have_the_mean_and_the_variance(mean, ratio):
    """Of 40,000 draws; a variance of 1.1 times the right one is noticed. False alarms below 1e-7 each."""
    generator, draws = stream(1, "events"), 40_000
    events = np.array([draw_events(mean, ratio, generator) for _ in range(draws)])
    variance = ratio * mean
    if ratio < 1:  # a number of trials between two integers is either of them
        between = mean / (1 - ratio) % 1
        variance += (1 - ratio) ** 2 * between * (1 - between)
    assert abs(events.mean() - mean) < norm.isf(FALSE_ALARM / 2) * np.sqrt(variance / draws)
    error = np.sqrt((((events - mean) ** 2 - variance) ** 2).mean() / draws)
    found = ((events - mean) ** 2).mean()
    assert abs(found - variance) < norm.isf(FALSE_ALARM / 2) * error < 0.1 * variance


def test_decay_is_binomial():
    """With the right factor and ratio, every molecule decays on its own; Poisson events would be noticed."""
    rate, dt, steps, runs, start = 1.5, 0.1, 8, 4000, 60
    system = reduced(
        ("A",), [("A -> 0", {"rate": rate})], ("A", "AA"), (0,), HermiteGrid((0.0,), (1.0,), (3,)), dt, (99,)
    )
    decay = 1 - np.exp(-rate * dt)
    u = np.zeros((2, system.grid.size))
    u[0, ::2] = np.log(decay / (rate * dt))

    def fits(ratio):
        learned = Learned(u, np.zeros(1), np.array([ratio]))
        numbers, _ = system.simulate(learned, np.full((runs, 1), start), steps, streams(runs))
        survival = (1 - decay) ** steps
        last, variance = numbers[:, -1, 0], start * survival * (1 - survival)
        score = abs(last.mean() - start * survival) / np.sqrt(variance / runs)
        spread = ((last - start * survival) ** 2).sum() / variance
        return score < norm.isf(FALSE_ALARM / 2) and min(chi2.sf(spread, runs), chi2.cdf(spread, runs)) > FALSE_ALARM

    assert fits(1 - decay)
    assert not fits(1.0)


@pytest.mark.parametrize("ratio", [0.5, 1.0, 2.0])
def test_whatever_is_learned_numbers_stay_in_bounds(ratio):
    """No more molecules are taken than there are, a full lattice stays full, and A + B + C / 2 is conserved."""
    equations = [("A + B -> 2C", {"probability": 1.0}), ("C -> A + B", {"rate": 0.0}), ("A -> B", {"rate": 9.0})]
    system = reduced(("A", "B", "C"), equations, ("A", "B", "C", "AB"), (0, 3))
    start = np.array([[12, 9, 0], [0, 36, 0], [0, 3, 30], [1, 0, 0]] * 5)
    numbers, _ = system.simulate(some_learned(system, 1.0, ratio), start, 30, streams(len(start)))
    assert numbers.min() == 0
    assert (numbers.sum(axis=-1) == start.sum(axis=-1)[:, None]).all()
    numbers, _ = SYSTEM.simulate(some_learned(SYSTEM, 1.0, ratio), start, 30, streams(len(start)))
    assert numbers.min() >= 0 and numbers.sum(axis=-1).max() == 36
    births = reduced(("A",), [("A -> 2A", {"rate": 9.0})], ("A", "AA"), (0, 1))
    numbers, _ = births.simulate(some_learned(births), np.array([[0], [2]]), 50, streams(2))
    assert not numbers[0].any() and (numbers[1, -1] > 30).all()


def test_correlations_follow_from_numbers_and_threads_do_not_matter():
    learned, start = some_learned(SYSTEM), np.tile([12, 9, 3], (6, 1))
    numbers, correlations = SYSTEM.simulate(learned, start, 20, streams(6))
    threaded, _ = SYSTEM.simulate(learned, start, 20, streams(6), threads=3)
    assert (threaded == numbers).all() and len(np.unique(numbers[:, -1], axis=0)) > 1
    np.testing.assert_array_equal(SYSTEM.follow(learned, numbers), correlations)
    assert (SYSTEM.follow(learned, numbers + 1) != correlations).any()


def test_pairs_that_react_have_a_correlation():
    with pytest.raises(ValueError, match="interactions: got A, B, AA, expected species and pairs, A, AB, B among them"):
        reduced(("A", "B"), [("B + A -> 0", {"probability": 0.1})], ("A", "B", "AA"), (0,))
