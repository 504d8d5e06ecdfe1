"""The misfit of an exactly solvable chain, and pieces of trajectories."""

import numpy as np
import pytest

from dbd.boltzmann.chain import Chain
from dbd.learning.divergence import Divergence
from dbd.learning.misfit import Misfit
from dbd.learning.pieces import segments


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(3)


def test_segments_share_their_ends():
    """Pieces of two steps of a trajectory of five: the last step is not in any."""
    times = np.arange(6.0).reshape(1, 6, 1) + 10.0 * np.arange(2).reshape(2, 1, 1)
    np.testing.assert_array_equal(segments(times, 2)[..., 0], [[0, 1, 2], [2, 3, 4], [10, 11, 12], [12, 13, 14]])


@pytest.mark.parametrize("parameters", [("A", "AA"), ("A", "AX", "X")])
def test_divergence(parameters, rng):
    """Zero and flat where matched, positive elsewhere; gradient by differences; horizon shorter than the data."""
    chain = Chain(40, parameters)
    mean = Chain(40, ("A", "AA")).cumulants(rng.uniform(0, 1, (3, 5, 2))).mean[..., :2]
    objective = Divergence.of(chain, mean, ("A", "AA"), 7)
    best = objective(objective.matched)
    assert np.abs(best.value).max() < 1e-9
    assert np.abs(best.gradient).max() < 1e-4
    theta = objective.matched[:, :4] + rng.uniform(-0.3, 0.3, (3, 4, len(parameters)))
    misfit = objective(theta)
    assert isinstance(misfit, Misfit)
    assert (misfit.value > 0).all()
    assert (np.linalg.eigvalsh(misfit.curvature) > 0).all()
    for k in range(len(parameters)):
        step = 1e-5 * np.eye(len(parameters))[k]
        difference = (objective(theta + step).value - objective(theta - step).value) / 2e-5
        np.testing.assert_allclose(misfit.gradient[..., k], difference, rtol=1e-5, atol=1e-5)
