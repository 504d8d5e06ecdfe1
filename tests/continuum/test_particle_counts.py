"""Point patterns, and their moments as exact counts."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from dbd.continuum.box import Box
from dbd.continuum.brownian import Snapshots
from dbd.continuum.particle_counts import Tally, count_cells, count_gaps, count_pairs, pair_volume
from dbd.continuum.point_patterns import Profile, clustered_points, jittered_points, poisson_points
from dbd.numerics.random_streams import stream

Z = stats.norm.isf(1e-7 / 2)


def pattern(position, species=None):
    """Snapshots of one time."""
    species = np.ones(len(position), np.uint8) if species is None else np.array(species, np.uint8)
    return Snapshots(np.asarray(position, float), species, np.array([0, len(position)]))


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_profiles_are_exact_cell_means_of_a_smooth_positive_density(boundary):
    box = Box((2.0,), boundary)
    profile = Profile(5.0, ((0.1, 0.2, 3.0), (1.5, 0.1, 2.0)))

    def density(x):
        total = 5.0
        for centre, width, number in profile.bumps:
            for turn in range(-3, 4):
                places = [centre + 2 * turn] if box.periodic else [4 * turn + centre, 4 * turn - centre]
                total += sum(number * stats.norm.pdf(x, place, width) for place in places)
        return total

    means = profile.cell_means(box, 16)
    exact = [quad(density, k / 8, (k + 1) / 8)[0] * 8 for k in range(16)]
    np.testing.assert_allclose(means, exact, rtol=1e-9)
    assert means.mean() * 2 == pytest.approx(5.0 * 2 + 3.0 + 2.0)
    with pytest.raises(ValueError, match="background"):
        Profile(0.0)


def test_poisson_points_have_poisson_counts_in_every_cell():
    """Means and variances of the counts of 4000 patterns, all cells together, z scores; uniform density is noticed."""
    box, density = Box((1.0, 0.5)), np.array([[2.0, 20.0], [8.0, 0.0], [4.0, 10.0]])
    tally = Tally.empty(4, (1, 1, 3, 2))
    for run in range(4000):
        points = poisson_points(stream(1, "poisson", run), box, density)
        tally.add(run, count_cells(pattern(points), box, (3, 2), 1))
    expected = density / 6 * 0.5
    full = expected > 0
    mean, variance = tally.mean[0, 0], tally.variance[0, 0]

    def z(law):
        return np.abs((mean - law)[full]) / np.sqrt(law[full] / 4000)

    assert (z(expected) < Z).all()
    assert (z(np.full((3, 2), expected.mean())) > Z).any()
    assert mean[~full] == 0
    spread = np.sqrt((expected + 2 * expected**2) / 4000)
    assert (np.abs(variance - expected)[full] / spread[full] < Z).all()


def test_pair_density_of_poisson_and_clustered_points():
    """Pair density of 1500 patterns against rho^2 (1 + clustering), z scores; a missing factor of two is noticed."""
    box, density, members, width = Box((4.0,), "periodic"), 10.0, 2.0, 0.05
    volume = pair_volume(box, 0.3, 12)
    edge = np.linspace(0, 0.3, 13)
    # Two children of one parent are apart by a normal variate of twice the variance.
    near = np.diff(stats.norm.cdf(edge, scale=np.sqrt(2) * width)) / 0.025
    for start, exact in (
        (lambda rng: poisson_points(rng, box, np.array([density])), np.full(12, density**2)),
        (lambda rng: clustered_points(rng, box, density, members, width), density**2 + density * members * near),
    ):
        tally = Tally.empty(1, (1, 1, 1, 12))
        for run in range(1500):
            tally.add(run, count_pairs(pattern(start(stream(1, "pairs", run))), box, 0.3, 12, 1))
        z = lambda law: (tally.mean.ravel() / volume - law) / (tally.sem.ravel() / volume)  # noqa: E731, B023
        assert (np.abs(z(exact)) < Z).all()
        assert (np.abs(z(exact / 2)) > Z).all()


@pytest.mark.parametrize("lengths", [(1.0,), (1.0, 0.8)])
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_pairs_are_counted_as_by_hand(lengths, boundary):
    box = Box(lengths, boundary)
    rng = stream(1, "hand")
    x, kind = rng.random((40, len(lengths))) * lengths, rng.integers(1, 3, 40)
    d = np.abs(x[:, None] - x)
    d = np.minimum(d, np.array(lengths) - d) if box.periodic else d
    d = np.sqrt((d**2).sum(axis=-1)) + 10 * np.eye(40)
    counts = count_pairs(pattern(x, kind), box, 0.3, 6, 2)
    for a in (1, 2):
        for b in (1, 2):
            by_hand = np.histogram(d[np.ix_(kind == a, kind == b)], np.linspace(0, 0.3, 7))[0]
            np.testing.assert_array_equal(counts[0, a - 1, b - 1], by_hand)
    cells = count_cells(pattern(x, kind), box, (5,) * len(lengths), 2)
    by_hand = np.histogramdd(x[kind == 2], [np.linspace(0, side, 6) for side in lengths])[0]
    np.testing.assert_array_equal(cells[0, 1], by_hand)


def test_gaps_go_round():
    box = Box((1.0,), "periodic")
    counts = count_gaps(pattern([[0.9], [0.05], [0.3]]), box, 1.0, 20)
    np.testing.assert_array_equal(np.flatnonzero(counts[0]), [3, 5, 12])
    assert count_gaps(pattern([[0.9]]), box, 1.0, 20).sum() == 0
    assert count_gaps(pattern(np.zeros((0, 1))), box, 1.0, 20).sum() == 0


def test_jittered_points_have_a_fixed_number_and_regular_gaps():
    box = Box((2.0,), "periodic")
    points = jittered_points(stream(1, "jitter"), box, 40, 0.0)
    np.testing.assert_allclose(np.diff(np.sort(points[:, 0])), 0.05, atol=1e-12)
    gaps = np.concatenate([np.diff(np.sort(jittered_points(stream(1, k), box, 400, 0.1)[:, 0])) for k in range(20)])
    assert abs(gaps.var() / 0.005**2 - 0.02) < 0.004


def test_tallies_of_parts_add_up_exactly():
    rng = stream(1, "tally")
    counts = rng.integers(0, 10**6, (12, 3, 2))
    whole = Tally.empty(5, (3, 2))
    parts = [Tally.empty(5, (3, 2)) for _ in range(3)]
    for run, count in enumerate(counts):
        whole.add(run, count)
        parts[run % 7 % 3].add(run, count)
    merged = parts[2] + parts[0] + parts[1]
    for name in ("runs", "sums", "squares"):
        np.testing.assert_array_equal(getattr(merged, name), getattr(whole, name))
    np.testing.assert_allclose(whole.mean, counts.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(whole.sem, counts.std(axis=0, ddof=1) / np.sqrt(12), rtol=1e-12)


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_profile_at_points_and_over_cells(boundary):
    """Values at the centres are the means over cells but for a second-order error, bumps at the ends included."""
    profile, box = Profile(3, ((0.05, 0.1, 5), (0.9, 0.2, 2))), Box((1.5,), boundary)
    np.testing.assert_allclose(profile.values(box, 600), profile.cell_means(box, 600), rtol=1e-4)
    assert profile.cell_means(box, 3).mean() == pytest.approx(3 + 7 / 1.5)
