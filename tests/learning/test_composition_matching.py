"""Static matching at fixed composition, against enumeration of small lattices."""

from itertools import product

import numpy as np
import pytest

from dbd.boltzmann.composition_law import (
    Chains,
    CompositionLaw,
    covariance_at_composition,
    spread_names,
    spread_of,
)
from dbd.boltzmann.energy import EnergyModel
from dbd.lattice.geometry import Lattice
from dbd.learning.composition_matching import couplings_of, match_paths

LATTICE = Lattice((3, 3), "periodic")
MODEL = EnergyModel(LATTICE, ("A", "B"), ("A", "B", "AA", "AB", "BB"))
THETA = np.array([3 / 9, 2 / 9, 0.6, -0.4, 0.0])


def enumerated(theta, numbers=(3, 2)):
    """Mean and covariance of all statistics at a composition."""
    states = np.array([s for s in product(range(3), repeat=9) if (s.count(1), s.count(2)) == numbers], np.uint8)
    statistics = MODEL.statistics(states)
    weight = np.exp(statistics[:, 2:] @ theta[2:])
    weight /= weight.sum()
    mean = weight @ statistics
    return mean, (weight[:, None] * (statistics - mean)).T @ (statistics - mean)


def streams(*place):
    return np.random.default_rng([7, *place])


def test_means_and_covariance_at_fixed_composition():
    mean, covariance = enumerated(THETA)
    chains = Chains(MODEL, 64, streams)
    chains.move(THETA[:2])
    counts, product = [], np.zeros((3, 3))
    chains.advance(THETA, 20)
    for _ in range(60):
        chains.advance(THETA, 10)
        drawn = chains.count(MODEL.parameters)
        counts.append(drawn)
        product += covariance_at_composition(drawn[:, 2:]) / 60
    error = np.sqrt(np.diagonal(covariance) / (60 * 64))
    assert (np.abs(np.mean(counts, axis=(0, 1)) - mean) <= 6 * error + 1e-9).all()  # false alarms: 1e-8
    np.testing.assert_allclose(product, covariance[2:, 2:], atol=0.12 * np.diagonal(covariance[2:, 2:]).max())


def test_couplings_are_found_within_their_errors():
    mean, _ = enumerated(THETA)
    density, counts = np.tile(THETA[:2], (1, 30, 1)), np.tile(mean[2:], (1, 30, 1))
    matched = match_paths(MODEL, density, counts, 1000, streams)
    late = slice(5, None)
    off = (matched.couplings[0, late] - THETA[2:]).mean(axis=0)
    error = np.sqrt((matched.error[0, late] ** 2).mean(axis=0))
    assert (np.abs(off) < 6 * error / np.sqrt(5)).all()  # times are correlated
    assert not (np.abs(off) > 0.1).any()
    wrong = np.abs(matched.couplings[0, late] - THETA[2:] - [0.3, 0, 0]).mean(axis=0)
    assert wrong[0] > 0.2


def test_absent_species_have_no_say():
    """B is absent at first and for good later on: its couplings stay, those of A are as without it."""
    only = EnergyModel(LATTICE, ("A",), ("A", "AA"))
    density = np.tile([3 / 9, 0.0], (1, 10, 1))
    density[0, 4:6, 1] = 2 / 9
    mean, _ = enumerated(THETA)
    counts = np.zeros((1, 10, 3))
    counts[..., 0] = enumerated(THETA, (3, 0))[0][2]
    counts[0, 4:6] = mean[2:]
    matched = match_paths(MODEL, density, counts, 1000, streams)
    assert np.isfinite(matched.couplings).all()
    assert not matched.couplings[0, :4, 1:].any()
    np.testing.assert_allclose(matched.couplings[0, 6:, 1:], matched.couplings[0, [5] * 4, 1:], rtol=1e-12)
    alone = match_paths(only, density[..., :1], counts[..., :1], 1000, streams)
    np.testing.assert_allclose(matched.couplings[0, :4, 0], alone.couplings[0, :4, 0], atol=0.25)
    assert couplings_of(MODEL) == [2, 3, 4]


def test_composition_has_the_spread_it_is_given():
    lattice = Lattice((10, 10), "periodic")
    model = EnergyModel(lattice, ("A", "B"), ("A", "B", "AA", "AB", "BB"))
    assert spread_names(model) == ("var AA", "var AB", "var BB")
    theta = np.array([0.3, 0.2, 0.4, -0.2, 0.1, 0.25, -0.1, 0.16])  # covariances divided by 100 sites
    covariance = np.array([[25.0, -10.0], [-10.0, 16.0]])
    np.testing.assert_allclose(spread_of(model, theta), covariance)
    assert spread_of(model, theta[:5]) is None
    moments = CompositionLaw(model, ("A", "B"), 256, 1).moments(theta[None, None], streams)
    np.testing.assert_allclose(moments.mean[0, 0], [30, 20], atol=0.02)
    np.testing.assert_allclose(moments.std[0, 0], [5, 4], rtol=0.05)
    impossible = theta.copy()
    impossible[5:] = [0.25, 0.9, 0.16]  # more covariance than variance
    assert np.isfinite(CompositionLaw(model, ("A", "B"), 64, 1).moments(impossible[None, None], streams).std).all()


@pytest.mark.parametrize("start", ["random", "separated", "dispersed"])
def test_moments_along_a_trajectory(start):
    law = CompositionLaw(MODEL, MODEL.parameters, 512, 20, start)
    theta = np.stack([THETA, THETA * [1, 1, 0, 0, 0]])[None]
    moments = law.moments(theta, streams)
    for time in range(2):
        mean, _ = enumerated(theta[0, time])
        assert (np.abs(moments.mean[0, time] - mean) <= 6 * moments.sem[0, time] + 1e-9).all()  # false alarms: 1e-8
    threads = law.moments(theta, streams, 2)
    np.testing.assert_array_equal(threads.mean, moments.mean)
    by_sweeps = law.means_by_sweeps(theta, [10, 40], streams)
    assert by_sweeps.shape == (2, 1, 2, 5)
    assert (np.abs(by_sweeps[1, 0, 0] - enumerated(THETA)[0]) <= 7 * moments.sem[0, 0] + 1e-9).all()
