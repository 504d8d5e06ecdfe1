"""The quadratic model of the action against brute force."""

import numpy as np
import pytest

from dbd.learning.gauss_newton import evaluate, linearise
from learning_problems import problem, true_splines


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(3)


def test_quadratic_model_against_brute_force(rng):
    """Gradient and Gauss-Newton matrix of the action in all spline coefficients, by central differences."""
    learned = problem(rng, 4)
    splines = 0.8 * true_splines()
    point = evaluate(learned, splines)
    system = linearise(learned, splines, point, np.array([0, 1, 0, 1]))
    size = splines.shape[1]
    states = np.empty((2, size, *point.states.shape))
    action = np.empty((2, size))
    for k in range(2):
        for j in range(size):
            ends = []
            for sign in (1e-4, -1e-4):
                moved = splines.copy()
                moved[k, j] += sign
                ends.append(evaluate(learned, moved))
            states[k, j] = (ends[0].states - ends[1].states) / 2e-4
            action[k, j] = (ends[0].action - ends[1].action) / 2e-4
    np.testing.assert_allclose(
        system.gradient.sum(axis=0), action[:, system.touched].ravel(), rtol=1e-5, atol=1e-6 * np.abs(action).max()
    )
    untouched = np.setdiff1d(np.arange(size), system.touched)
    assert len(untouched)
    assert np.abs(action[:, untouched]).max() < 1e-6 * np.abs(action).max()
    rows = states[:, system.touched].reshape(-1, *point.states.shape)
    curvature = point.misfit.curvature * learned.weights[:, None, None]
    for group, members in enumerate(([0, 2], [1, 3])):
        expected = np.einsum("arnk,rnkl,brnl->ab", rows[:, members], curvature[members], rows[:, members])
        np.testing.assert_allclose(system.matrix[group], expected, rtol=1e-5, atol=1e-6 * expected.max())


def test_untouched_splines_have_least_energy(rng):
    """Any other values of the splines that no trajectory touches have a greater thin-plate energy."""
    learned = problem(rng, 4)
    splines = true_splines()
    system = linearise(learned, splines, evaluate(learned, splines), np.zeros(4, int))
    free = rng.normal(size=len(system.touched))
    best = system.extension @ free
    np.testing.assert_array_equal(best[system.touched], free)
    untouched = np.setdiff1d(np.arange(len(best)), system.touched)
    slope = (learned.energy @ best)[untouched]
    assert np.abs(slope).max() < 1e-9 * np.abs(learned.energy @ rng.normal(size=len(best))).max()
