"""Gibbs point process: exact laws of the ideal gas and of hard rods, and static matching."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln

from dbd.continuum.box import Box
from dbd.continuum.gibbs_process import GibbsProcess, match_pair_counts
from dbd.continuum.particle_counts import count_gaps, count_pairs
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream

RARE = 1e-7
RING = Box((1.0,), "periodic")


def numbers(process, samples, moves, start=0):
    """Numbers of points of a thinned chain, after a tenth of it."""
    rng = stream(1, "gibbs")
    snapshots = process.sample(rng, rng.random((start, process.box.dimension)), samples, moves, 60)
    return np.diff(snapshots.offsets)[samples // 10 :]


def fits(observed, law):
    """Chi-square of numbers of points against their law, cells with too few expected pooled at the ends."""
    expected = law / law.sum() * len(observed)
    good = np.flatnonzero(expected > 20)
    low, high = good[0], good[-1]
    clipped = np.clip(observed, low, high)
    pooled = expected[low : high + 1].copy()
    pooled[0], pooled[-1] = expected[: low + 1].sum(), expected[high:].sum()
    return stats.chisquare(np.bincount(clipped, minlength=high + 1)[low:], pooled).pvalue > RARE


@pytest.mark.parametrize("box", [RING, Box((1.0, 2.0), "periodic")])
def test_without_interaction_it_is_a_poisson_process(box):
    """Chi-square of thinned numbers of points; a mean 15 % off is noticed (false alarm 1e-7)."""
    process = GibbsProcess(box, -np.log(8 / box.volume), np.zeros(4), 0.2)
    observed = numbers(process, 6000, 100)
    n = np.arange(60)
    assert fits(observed, stats.poisson.pmf(n, 8))
    assert not fits(observed, stats.poisson.pmf(n, 9.2))


@pytest.mark.slow
def test_hard_rods_on_a_ring():
    """Number of rods of length a: weight z^n L (L - n a)^(n - 1) / n!; another length is noticed (false alarm 1e-7)."""
    core, activity = 0.05, 20.0
    process = GibbsProcess(RING, -np.log(activity), np.array([1e3, 0.0, 0.0, 0.0]), 4 * core)
    observed = numbers(process, 6000, 400)
    n = np.arange(1, 20)

    def law(a):
        return np.append(
            1, np.exp(n * np.log(activity) - gammaln(n + 1) + (n - 1) * np.log(np.maximum(1 - n * a, 1e-300)))
        )

    assert fits(observed, law(core))
    assert not fits(observed, law(0.06))


@pytest.mark.slow
def test_matching_gives_back_a_known_interaction():
    """Numbers and pairs of a soft repulsion; the gap law, not fitted, follows within an L1 distance of 0.06."""
    box, reach, bins = Box((2.0,), "periodic"), 0.2, 40
    middle = (np.arange(bins) + 0.5) * reach / bins
    nu_2 = 2.0 * np.cos(np.pi * middle / (2 * reach)) ** 4
    truth = GibbsProcess(box, -np.log(20.0), nu_2, reach)
    rng = stream(1, "match")
    data = truth.sample(rng, rng.random((20, 1)), 6000, 100, 100)
    pairs = count_pairs(data, box, reach, bins, 1)[300:, 0, 0].mean(axis=0)
    number = np.diff(data.offsets)[300:].mean()
    grid = HermiteGrid.covering((0.0,), (reach,), (0.05,))
    found = match_pair_counts(rng, box, grid, reach, number, pairs, steps=15, samples=1500)
    assert np.abs(found.process.nu_2 - nu_2)[4:].max() < 0.25
    assert abs(found.nu_1 - truth.nu_1) < 0.2
    model = found.process.sample(rng, data.position[: data.offsets[1]], 6000, 100, 100)
    laws = [count_gaps(s, box, 0.6, 30)[300:].sum(axis=0) for s in (data, model)]
    assert np.abs(laws[0] / laws[0].sum() - laws[1] / laws[1].sum()).sum() < 0.06


def test_bad_ranges_are_refused():
    with pytest.raises(ValueError, match="reach"):
        GibbsProcess(RING, 0.0, np.zeros(3), 0.7)
    with pytest.raises(ValueError, match="reach"):
        GibbsProcess(Box((1.0,)), 0.0, np.zeros(3), 0.2)
