"""Errors of densities and functions, and where functions were seen."""

import numpy as np
import pytest

from dbd.continuum.box import Box
from dbd.continuum.density_equation import DensityModel
from dbd.evaluation.density_errors import coarse, density_error, evidence, function_errors
from dbd.numerics.hermite import HermiteGrid


def test_coarse_cells_keep_the_mean():
    cells = np.arange(24.0).reshape(2, 12)
    np.testing.assert_array_equal(coarse(cells, 3), [[1.5, 5.5, 9.5], [13.5, 17.5, 21.5]])


def test_error_is_relative_and_without_noise():
    data = np.array([[[3.0, 4.0]]])
    found = density_error(data + np.array([0.3, 0.4]), data, np.array([[[0.3, 0.0]]]), (0, 1, 2))
    assert (found.error, found.noise) == pytest.approx((0.1, 0.06))
    assert found.of_model == pytest.approx(0.08)
    assert density_error(data, data, np.ones_like(data), (0, 1, 2)).of_model == 0


def test_function_errors():
    exact = np.array([[1.0, 1.0], [3.0, 4.0]])
    np.testing.assert_allclose(function_errors(exact + np.array([[0.1, -0.1], [0, 1]]), exact), [0.1, 0.2])


def test_evidence_is_where_the_terms_are():
    """With a flat half and a slope only F0 is seen in the flat one; F2 only where nu bends."""
    model = DensityModel(Box((1.0,), "reflecting"), 64, HermiteGrid.covering((-5.0,), (0.0,), (0.5,)), 0.1, 1)
    x = (np.arange(64) + 0.5) / 64
    nu = np.where(x < 0.5, -4.0, -4.0 + 6 * (x - 0.5))[None, None]
    share = evidence(model, nu, np.array([-4.01, -3.8, -3.0, -1.0]))
    np.testing.assert_allclose(share.sum(axis=1), 1)
    assert share[0, 0] > 0.6
    assert share[1, 0] < 0.2 < share[1, 1]
    assert share[2, 1] < 1e-12 < share[2, 0]
