"""Static matching with sampled moments, against enumeration of small lattices."""

from itertools import product

import numpy as np
import pytest

from dbd.boltzmann.chains import ChainsAtComposition
from dbd.boltzmann.composition_law import CompositionLaw
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.family import CompositionAndCouplings, NaturalParameters
from dbd.lattice.geometry import Lattice
from dbd.learning.sampled_matching import RETURN, Ensemble, match_paths

LATTICE = Lattice((3, 3), "periodic")
MODEL = EnergyModel(LATTICE, ("A", "B"), ("A", "B", "AA", "AB", "BB"))
FAMILY = CompositionAndCouplings(MODEL)
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


def ensemble(family, density, counts, words=None, runs=1000):
    covariance = np.zeros((*density.shape, density.shape[-1]))
    return Ensemble(density, covariance, words or family.words([]), counts, runs)


def test_means_and_covariance_at_fixed_composition():
    mean, covariance = enumerated(THETA)
    chains = ChainsAtComposition(MODEL, 64, streams)
    chains.move(THETA[:2] * 9)
    counts, product = [], np.zeros((3, 3))
    chains.advance(THETA, 20)
    for _ in range(60):
        chains.advance(THETA, 10)
        drawn = chains.count(MODEL.parameters)
        counts.append(drawn)
        product += chains.covariance(drawn[:, 2:]) / 60
    error = np.sqrt(np.diagonal(covariance) / (60 * 64))
    assert (np.abs(np.mean(counts, axis=(0, 1)) - mean) <= 6 * error + 1e-9).all()  # false alarms: 1e-8
    np.testing.assert_allclose(product, covariance[2:, 2:], atol=0.12 * np.diagonal(covariance[2:, 2:]).max())


def test_couplings_are_found_within_their_errors():
    mean, _ = enumerated(THETA)
    density, counts = np.tile(THETA[:2], (1, 30, 1)), np.tile(mean[2:], (1, 30, 1))
    matched = match_paths(FAMILY, ensemble(FAMILY, density, counts), np.zeros((1, 5)), streams)
    assert FAMILY.matched == [2, 3, 4]
    np.testing.assert_array_equal(matched.theta[..., :2], density)
    assert not matched.error[..., :2].any()
    late = slice(5, None)
    off = (matched.theta[0, late] - THETA)[:, 2:].mean(axis=0)
    error = np.sqrt((matched.error[0, late, 2:] ** 2).mean(axis=0))
    assert (np.abs(off) < 6 * error / np.sqrt(5)).all()  # times are correlated
    assert not (np.abs(off) > 0.1).any()
    wrong = np.abs(matched.theta[0, late, 2:] - THETA[2:] - [0.3, 0, 0]).mean(axis=0)
    assert wrong[0] > 0.2


def test_natural_parameters_are_found():
    model = EnergyModel(LATTICE, ("A",), ("A", "AA"))
    family, theta = NaturalParameters(model), np.array([-0.5, 0.4])
    states = np.array(list(product(range(2), repeat=9)), np.uint8)
    statistics = model.statistics(states)
    weight = np.exp(statistics @ theta)
    mean = weight @ statistics / weight.sum()
    density, counts = np.full((1, 30, 1), mean[0] / 9), np.tile(mean, (1, 30, 1))
    matched = match_paths(family, ensemble(family, density, counts), np.array([[-0.2, 0.0]]), streams)
    off = np.abs((matched.theta[0, 5:] - theta).mean(axis=0))
    assert (off < 6 * np.sqrt((matched.error[0, 5:] ** 2).mean(axis=0) / 5)).all()
    assert (off < 0.1).all()
    wrong = match_paths(family, ensemble(family, density, 1.2 * counts), np.array([[-0.2, 0.0]]), streams)
    assert np.abs((wrong.theta[0, 5:] - theta).mean(axis=0)).max() > 0.1


def test_hidden_units_are_matched_by_what_is_seen():
    """A unit above each 2 x 2 sites, matched to pairs and rows of three that enumeration gives; the prior is near."""
    square = ((0, 0), (0, 1), (1, 0), (1, 1))
    model = EnergyModel(LATTICE, ("A",), ("A",), (Layer(("X",), ("AX",), square, wrap=True),))
    family, theta = CompositionAndCouplings(model), np.array([4 / 9, 1.5, -2.0])
    states = np.array([s for s in product(range(2), repeat=9) if sum(s) == 4], np.uint8)
    words = EnergyModel(LATTICE, ("A",), ("AA", "AAA")).statistics(states)
    above = states[:, model.connections[0]].sum(axis=-1)
    weight = np.prod(1 + np.exp(theta[1] * above + theta[2]), axis=1)
    wanted = weight @ words / weight.sum()
    assert np.abs(wanted - words.mean(axis=0)).max() > 0.3  # independent sites are another law
    density, counts = np.full((1, 40, 1), 4 / 9), np.tile(wanted, (1, 40, 1))
    data = ensemble(family, density, counts, ["AA", "AAA"])
    matched = match_paths(family, data, np.array([[4 / 9, 0.8, -1.0]]), streams)
    _, coupling, bias = matched.theta[0, 10:].T[..., None, None]
    weight = np.prod(1 + np.exp(coupling * above + bias), axis=-1)
    found = weight @ words / weight.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(found.mean(axis=0), wanted, atol=0.05)


def test_absent_species_have_no_say():
    """B is absent at first and for good later on: its couplings stay, those of A are as without it."""
    only = EnergyModel(LATTICE, ("A",), ("A", "AA"))
    density = np.tile([3 / 9, 0.0], (1, 10, 1))
    density[0, 4:6, 1] = 2 / 9
    mean, _ = enumerated(THETA)
    counts = np.zeros((1, 10, 3))
    counts[..., 0] = enumerated(THETA, (3, 0))[0][2]
    counts[0, 4:6] = mean[2:]
    initial = np.array([[3 / 9, 0, 0, 0, 0]])
    matched = match_paths(FAMILY, ensemble(FAMILY, density, counts), initial, streams).theta
    assert np.isfinite(matched).all()
    assert not matched[0, :4, 3:].any()
    fading = RETURN ** np.arange(5)[:, None]
    np.testing.assert_allclose(matched[0, 5:, 3:], fading * matched[0, 5, 3:], rtol=1e-9)
    family = CompositionAndCouplings(only)
    alone = match_paths(family, ensemble(family, density[..., :1], counts[..., :1]), initial[:, :2], streams).theta
    np.testing.assert_allclose(matched[0, :4, 2], alone[0, :4, 1], atol=0.25)


def test_composition_has_the_spread_it_is_given():
    lattice = Lattice((10, 10), "periodic")
    model = EnergyModel(lattice, ("A", "B"), ("A", "B", "AA", "AB", "BB"))
    family = CompositionAndCouplings(model, spread=True)
    assert family.names[5:] == ("var AA", "var AB", "var BB")
    theta = np.array([0.3, 0.2, 0.4, -0.2, 0.1, 0.25, -0.1, 0.16])  # covariances divided by 100 sites
    covariance = np.array([[25.0, -10.0], [-10.0, 16.0]])
    np.testing.assert_allclose(family.numbers(theta)[1], covariance)
    np.testing.assert_allclose(family.known(theta[:2], covariance)[5:], theta[5:])
    assert CompositionAndCouplings(model).numbers(theta[:5])[1] is None
    moments = CompositionLaw(family, ("A", "B"), 256, 1).moments(theta[None, None], streams)
    np.testing.assert_allclose(moments.mean[0, 0], [30, 20], atol=0.02)
    np.testing.assert_allclose(moments.std[0, 0], [5, 4], rtol=0.05)
    impossible = theta.copy()
    impossible[5:] = [0.25, 0.9, 0.16]  # more covariance than variance
    assert np.isfinite(CompositionLaw(family, ("A", "B"), 64, 1).moments(impossible[None, None], streams).std).all()


@pytest.mark.parametrize("start", ["random", "separated", "dispersed"])
def test_moments_along_a_trajectory(start):
    law = CompositionLaw(FAMILY, MODEL.parameters, 512, 20, start)
    theta = np.stack([THETA, THETA * [1, 1, 0, 0, 0]])[None]
    moments = law.moments(theta, streams)
    for time in range(2):
        mean, _ = enumerated(theta[0, time])
        assert (np.abs(moments.mean[0, time] - mean) <= 6 * moments.sem[0, time] + 1e-9).all()  # false alarms: 1e-8
    threads = law.moments(theta, streams, 2)
    np.testing.assert_array_equal(threads.mean, moments.mean)
    drawn = law.draw_visible(THETA, 301, streams(1))
    counts, (mean, covariance) = MODEL.statistics(drawn), enumerated(THETA)
    assert drawn.shape == (301, 9) and (counts[:, :2] == [3, 2]).all()
    assert (np.abs(counts.mean(axis=0) - mean) <= 6 * np.sqrt(np.diagonal(covariance) / 301) + 1e-9).all()
    by_sweeps = law.means_by_sweeps(theta, [10, 40], streams)
    assert by_sweeps.shape == (2, 1, 2, 5)
    assert (np.abs(by_sweeps[1, 0, 0] - enumerated(THETA)[0]) <= 7 * moments.sem[0, 0] + 1e-9).all()
