"""Mean density and couplings of a chain: the same distribution as in natural parameters, and its Fisher matrix."""

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.mean_composition import MeanComposition, MeanCompositionMoments
from dbd.lattice.geometry import Lattice
from dbd.learning.exact_matching import match_exactly
from dbd.learning.sampled_matching import Ensemble

FAMILY = MeanComposition(EnergyModel(Lattice((30,)), ("A",), ("A", "AA", "AAA")))
NATURAL = np.array([[[0.3, -0.5, 0.8], [-4.0, 3.0, -2.0]], [[2.5, 1.0, 0.5], [-1.0, 0.0, 0.0]]])


def test_coordinates_are_those_of_one_distribution():
    mixed = FAMILY.mixed(NATURAL)
    np.testing.assert_allclose(FAMILY.natural(mixed), NATURAL, atol=1e-7)
    assert mixed[1, 1, 0] == pytest.approx(1 / (1 + np.e))
    moments = MeanCompositionMoments(FAMILY, ["A", "AAA"]).moments(mixed)
    np.testing.assert_allclose(moments.mean[..., 0], 30 * mixed[..., 0], rtol=1e-9)
    empty_and_full = FAMILY.natural(np.array([[0.0, 1.0, 0.0], [1.0, 1.0, 0.0]]))
    assert np.isfinite(empty_and_full).all()


def test_fisher_matrix_of_couplings_is_the_response_at_constant_density():
    mixed = FAMILY.mixed(NATURAL)
    exact = FAMILY.at_composition(FAMILY.chain.cumulants(NATURAL))
    model = MeanCompositionMoments(FAMILY, ["AA", "AAA"])
    for k in range(2):
        step = 1e-4 * np.eye(3)[1 + k]
        slope = (model.moments(mixed + step).mean - model.moments(mixed - step).mean) / 2e-4
        np.testing.assert_allclose(exact[..., k], slope, rtol=1e-5, atol=1e-7)
        assert not np.allclose(FAMILY.chain.cumulants(NATURAL).jacobian[..., 1:3, 1 + k], slope, rtol=1e-2)


def test_matching_finds_the_parameters_of_exact_moments():
    cumulants = FAMILY.chain.cumulants(NATURAL)
    density = cumulants.mean[..., :1] / 30
    data = Ensemble(density, np.zeros((2, 2, 1, 1)), ["AA", "AAA"], cumulants.mean[..., 1:3], 50)
    matched = match_exactly(FAMILY, data)
    np.testing.assert_allclose(matched.theta[..., 0], density[..., 0])
    np.testing.assert_allclose(matched.theta[0, 0, 1:], NATURAL[0, 0, 1:], atol=0.05)  # a weak prior draws to zero
    again = MeanCompositionMoments(FAMILY, data.words).moments(matched.theta)
    np.testing.assert_allclose(again.mean, data.counts, atol=0.05)
    assert matched.information.shape == (2, 2, 2, 2) and (matched.error[..., 1:] > 0).all()


def test_other_models_are_refused():
    for lattice, species, words in (((4, 4), "A", ["A", "AA"]), ((9,), "AB", ["A", "B", "AB"]), ((9,), "A", ["AA"])):
        with pytest.raises(ValueError, match="expected a"):
            MeanComposition(EnergyModel(Lattice(lattice), tuple(species), tuple(words)))
