"""Nodes of the law of a composition: exact means, right covariances, bounds; and lattices of given composition."""

import numpy as np
import pytest

from dbd.boltzmann.composition import STARTS, change_composition, nodes
from dbd.boltzmann.energy import EnergyModel
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream


def check(compositions, mean, sites):
    """What every set of nodes has to fulfil."""
    count = len(compositions)
    assert compositions.min() >= 0
    assert compositions.sum(axis=1).max() <= sites
    totals = np.cumsum(compositions.sum(axis=0))
    assert np.array_equal(totals, np.rint(count * np.cumsum(mean)))


def test_nodes_without_spread_keep_the_mean():
    """Numbers next to the mean, which is kept exactly, for any mean and number of nodes."""
    rng = np.random.default_rng(1)
    for _ in range(300):
        count, species, sites = rng.integers(1, 70), rng.integers(1, 9), rng.integers(1, 1000)
        mean = rng.dirichlet(np.ones(species + 1))[:-1] * sites * rng.choice([0, 1], species)
        compositions = nodes(mean, None, sites, count)
        check(compositions, mean, sites)
        assert np.abs(compositions - mean).max() < 1 + 1e-8
        assert (compositions[:, mean == 0] == 0).all()


def test_a_mean_of_fractions_of_the_nodes_is_exact():
    """With 40 nodes, to rounding: 60.125, 149.75 and 0.05."""
    mean = np.array([60.125, 149.75, 0.05])
    assert nodes(mean, None, 1000, 40).mean(axis=0) == pytest.approx(mean, abs=1e-12)


def test_moments_of_a_wide_law():
    """Numbers of A spread by more than their mean, as in the Rossler system: moments right, bounds kept."""
    mean, spread = np.array([67.3, 200.2, 110.7]), np.array([97.0, 165.0, 86.0])
    correlation = np.array([[1, -0.2, 0.3], [-0.2, 1, -0.4], [0.3, -0.4, 1]])
    covariance = correlation * np.outer(spread, spread)
    for count in (48, 300):
        compositions = nodes(mean, covariance, 1000, count)
        check(compositions, mean, 1000)
        error = np.cov(compositions.T, bias=True) - covariance
        assert np.abs(error / np.outer(spread, spread)).max() < 0.02


def test_conserved_totals_stay():
    """A full lattice, A + B + C = 400 at every node, with spread; and a species that is absent."""
    mean = np.array([120.3, 80.2, 199.5, 0])
    covariance = np.zeros((4, 4))
    covariance[:3, :3] = 900 * (np.eye(3) - 1 / 3)
    compositions = nodes(mean, covariance, 400, 50)
    check(compositions, mean, 400)
    assert (compositions.sum(axis=1) == 400).all()
    assert (compositions[:, 3] == 0).all()
    assert np.abs(np.cov(compositions.T, bias=True) - covariance).max() < 0.02 * 600


@pytest.mark.slow
def test_bounds_are_kept_by_laws_that_do_not_fit():
    """Random covariances, most of them impossible on the lattice: mean and bounds hold all the same."""
    rng = np.random.default_rng(2)
    for _ in range(40):
        species, sites = rng.integers(1, 6), rng.integers(5, 100)
        mean = rng.dirichlet(np.ones(species + 1))[:-1] * sites
        factor = rng.normal(0, sites / 2, (species, species))
        check(nodes(mean, factor @ factor.T, sites, rng.integers(1, 50)), mean, sites)


def test_nodes_move_smoothly():
    """A small change of the law moves every node by little."""
    mean, covariance = np.array([60.0, 150.0]), np.array([[3000.0, -800.0], [-800.0, 5000.0]])
    before, after = nodes(mean, covariance, 1000, 64), nodes(mean * 1.01, covariance * 1.01, 1000, 64)
    assert np.abs(before - after).max() < 12


def test_errors():
    """One line that says what does not fit."""
    with pytest.raises(
        ValueError, match=r"mean composition: got \[600\.0, 500\.0\], expected 0 or more, and at most 1000 in"
    ):
        nodes([600, 500], None, 1000, 10)
    with pytest.raises(ValueError, match="expected 0 or more"):
        nodes([-1, 500], None, 1000, 10)


def numbers_of(visible, species):
    """Composition of lattices."""
    return np.stack([np.bincount(lattice, minlength=species + 1)[1:] for lattice in visible])


def test_compositions_change_by_as_few_sites_as_possible():
    """The new composition is reached, also on a full lattice, and molecules that may stay do."""
    rng = np.random.default_rng(3)
    visible = rng.integers(0, 4, (20, 60)).astype(np.uint8)
    before, numbers = visible.copy(), rng.multinomial(60, [0.3, 0, 0.5, 0.2], size=20)[:, :3]
    numbers[0] = [10, 0, 50]
    change_composition(visible, numbers, [stream(1, chain) for chain in range(20)])
    assert np.array_equal(numbers_of(visible, 3), numbers)
    for x in range(3):  # none of a species is removed and another one put elsewhere
        removed, added = (
            ((before == 1 + x) & (visible != 1 + x)).any(axis=1),
            ((before != 1 + x) & (visible == 1 + x)).any(axis=1),
        )
        assert not (removed & added).any()


@pytest.mark.parametrize("numbers", [(6, 0, 9), (0, 0, 0), (20, 22, 22), (64, 0, 0)])
def test_starts_have_the_composition(numbers):
    """All three starts, at low and full occupancy."""
    for start in STARTS.values():
        visible = start(np.array(numbers), Lattice((4, 4, 4)), stream(2))
        assert visible.dtype == np.uint8
        assert tuple(numbers_of(visible[None], 3)[0]) == numbers


def test_starts_lie_far_apart():
    """Bonds between molecules: none if dispersed, most if separated, those of independent sites in between."""
    lattice, numbers = Lattice((10, 10, 10)), np.array([60, 90, 100])
    model = EnergyModel(lattice, ("A", "B", "C"), ("AA", "AB", "AC", "BB", "BC", "CC"))
    bonds = {name: model.statistics(start(numbers, lattice, stream(3))).sum() for name, start in STARTS.items()}
    assert bonds["dispersed"] == 0
    assert 97 < bonds["random"] < 241  # expected 169; six standard errors
    assert bonds["separated"] > 500
