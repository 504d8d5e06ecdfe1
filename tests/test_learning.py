"""Second-order learning: its linear algebra against brute force, recovery of known dynamics, resuming, validation."""

from dataclasses import replace

import numpy as np
import pytest

from dbd.chain import Chain
from dbd.dynamics import Dynamics
from dbd.hermite import HermiteGrid
from dbd.learning import Misfit, Problem, State, _evaluate, _linearise, cross_validate, finish, optimise, segments
from dbd.objectives import Divergence

CHAIN = Chain(40, ("A", "AA"))
GRID = HermiteGrid((-2.0, -1.5), (0.75, 0.75), (6, 5))
DYNAMICS = Dynamics(GRID, 2, (0, 1), 0.1)
STEPS = 10


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(3)


def true_splines(mixed=0.2):
    """Right-hand sides dh/dt = -0.8 - 0.3 h + 0.2 J, dJ/dt = -0.6 J + mixed h J, as spline coefficients."""
    h, j = np.meshgrid(-2.0 + 0.75 * np.arange(-1, 7), -1.5 + 0.75 * np.arange(-1, 6), indexing="ij")
    return np.stack([(-0.8 - 0.3 * h + 0.2 * j).ravel(), (-0.6 * j + mixed * h * j).ravel()])


def problem(rng, initial_conditions=8, noise=0.0, roughness=1e-6, truth=None):
    """Exact moments along the true trajectories, with noise in units of their standard error over ten runs."""
    initial = rng.uniform(-0.9, 0.9, (initial_conditions, 2))
    blank = Problem(DYNAMICS, initial, None, STEPS, roughness)
    exact = CHAIN.solve(blank.trajectories(true_splines() if truth is None else truth))
    error = np.sqrt(exact.jacobian[..., [0, 1], [0, 1]] / 10)
    mean = exact.mean[..., :2] + noise * error * rng.normal(size=error.shape)
    return replace(blank, objective=Divergence.of(CHAIN, mean, ("A", "AA"), 10))


def test_quadratic_model_against_brute_force(rng):
    """Gradient and Gauss-Newton matrix of the action in all spline coefficients, by central differences."""
    learned = problem(rng, 4)
    splines = 0.8 * true_splines()
    point = _evaluate(learned, splines)
    system = _linearise(learned, splines, point, np.array([0, 1, 0, 1]))
    size = splines.shape[1]
    states = np.empty((2, size, *point.states.shape))
    action = np.empty((2, size))
    for k in range(2):
        for j in range(size):
            ends = []
            for sign in (1e-4, -1e-4):
                moved = splines.copy()
                moved[k, j] += sign
                ends.append(_evaluate(learned, moved))
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
    system = _linearise(learned, splines, _evaluate(learned, splines), np.zeros(4, int))
    free = rng.normal(size=len(system.touched))
    best = system.extension @ free
    np.testing.assert_array_equal(best[system.touched], free)
    untouched = np.setdiff1d(np.arange(len(best)), system.touched)
    slope = (learned.energy @ best)[untouched]
    assert np.abs(slope).max() < 1e-9 * np.abs(learned.energy @ rng.normal(size=len(best))).max()


def test_known_dynamics_are_recovered(rng):
    """Exact data: the action falls to nothing and new trajectories, which were not learned from, are right."""
    learned = problem(rng, 20)
    pieces = learned.objective.pieces(5)
    begin = Problem(DYNAMICS, pieces.matched[:, 0], pieces, 5, 1e-6)
    state = finish(begin, begin.start(), 6, 1e-3)
    state = finish(learned, State(state.splines), 15, 1e-6)
    total = np.add(state.action, state.roughness)
    assert (np.diff(total) < 1e-9).all()
    assert state.action[-1] < 1e-3
    fresh = replace(learned, initial=rng.uniform(-0.7, 0.7, (20, 2)))
    error = fresh.trajectories(state.splines) - fresh.trajectories(true_splines())
    assert np.abs(error).max() < 0.03
    assert np.sqrt((error**2).mean()) < 0.005


def test_resuming_and_threads_give_the_same_bytes(rng):
    """Every state goes on to the same end, with any number of threads."""
    learned = problem(rng, 10, noise=1.0)
    states = list(optimise(learned, learned.start(), 5, 1e-9))
    assert [len(state.action) for state in states] == [1, 2, 3, 4, 5]
    for state in states[1::2]:
        end = finish(replace(learned, threads=2), state, 5, 1e-9)
        assert (end.splines == states[-1].splines).all()
        assert replace(end, splines=None) == replace(states[-1], splines=None)


def test_convergence_ends_the_steps(rng):
    """The last step fell by less than the tolerance, and there is no step after it."""
    learned = problem(rng, 10, noise=1.0, roughness=1e-2)
    states = list(optimise(learned, learned.start(), 40, 1e-3))
    total = np.add(states[-1].action, states[-1].roughness)
    assert states[-1].converged
    assert len(states) < 40
    assert 0 <= total[-2] - total[-1] < 1e-3 * total[-2]
    assert list(optimise(learned, states[-1], 40, 1e-3)) == []


def test_leaving_the_grid_is_told(rng):
    """One line instead of a run-away."""
    learned = problem(rng, 4)
    with pytest.raises(ValueError, match="leaves the grid"):
        finish(learned, State(true_splines() - 20.0), 5, 1e-3)


def test_cross_validation_against_learning_without_a_fold(rng):
    """Truth without penalty, little noise: the quadratic model is the action, scores those of learning once more."""
    learned = problem(rng, 9, noise=2e-3, roughness=1e-3, truth=true_splines(mixed=0.0))
    state = finish(learned, State(true_splines(mixed=0.0)), 30, 1e-12)
    scores = cross_validate(learned, state, (1e-3, 3e-3), 3)
    fold = np.arange(9) % 3
    for score, roughness in zip(scores, (1e-3, 3e-3), strict=True):
        expected = 0.0
        for left_out in range(3):
            objective = learned.objective

            def part(members, roughness=roughness, objective=objective):
                kept = replace(objective, mean=objective.mean[members], matched=objective.matched[members])
                return replace(learned, initial=learned.initial[members], objective=kept, roughness=roughness)

            found = finish(part(fold != left_out), State(state.splines), 30, 1e-12)
            expected += _evaluate(part(fold == left_out), found.splines).action
        assert score == pytest.approx(expected, rel=0.02)


def test_segments_share_their_ends():
    """Pieces of two steps of a trajectory of five: the last step is not in any."""
    times = np.arange(6.0).reshape(1, 6, 1) + 10.0 * np.arange(2).reshape(2, 1, 1)
    np.testing.assert_array_equal(segments(times, 2)[..., 0], [[0, 1, 2], [2, 3, 4], [10, 11, 12], [12, 13, 14]])


@pytest.mark.parametrize("parameters", [("A", "AA"), ("A", "AX", "X")])
def test_divergence(parameters, rng):
    """Zero and flat where matched, positive elsewhere; gradient by differences; horizon shorter than the data."""
    chain = Chain(40, parameters)
    mean = Chain(40, ("A", "AA")).solve(rng.uniform(0, 1, (3, 5, 2))).mean[..., :2]
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
