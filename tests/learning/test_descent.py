"""Second-order learning: recovery of known dynamics, resuming, cross-validation."""

from dataclasses import replace

import numpy as np
import pytest

from dbd.learning.descent import Position, cross_validate, optimise
from dbd.learning.gauss_newton import evaluate
from dbd.learning.problem import Problem
from learning_problems import DYNAMICS, finish, problem, true_splines


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(3)


def test_known_dynamics_are_recovered(rng):
    """Exact data: the action falls to nothing and new trajectories, which were not learned from, are right."""
    learned = problem(rng, 20)
    pieces = learned.objective.pieces(5)
    begin = Problem(DYNAMICS, pieces.matched[:, 0], pieces, 5, 1e-6)
    state = finish(begin, Position.zero(begin), 6, 1e-3)
    state = finish(learned, Position(state.splines), 15, 1e-6)
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
    states = list(optimise(learned, Position.zero(learned), 5, 1e-9))
    assert [len(state.action) for state in states] == [1, 2, 3, 4, 5]
    for state in states[1::2]:
        end = finish(replace(learned, threads=2), state, 5, 1e-9)
        assert (end.splines == states[-1].splines).all()
        assert replace(end, splines=None) == replace(states[-1], splines=None)


def test_convergence_ends_the_steps(rng):
    """The last step fell by less than the tolerance, and there is no step after it."""
    learned = problem(rng, 10, noise=1.0, roughness=1e-2)
    states = list(optimise(learned, Position.zero(learned), 40, 1e-3))
    total = np.add(states[-1].action, states[-1].roughness)
    assert states[-1].converged
    assert len(states) < 40
    assert 0 <= total[-2] - total[-1] < 1e-3 * total[-2]
    assert list(optimise(learned, states[-1], 40, 1e-3)) == []


def test_a_start_that_leaves_the_grid_is_scaled_down(rng):
    """It is learned from as any other; where initial parameters are outside already there is one line."""
    learned = problem(rng, 4)
    far = Position(true_splines() - 20.0)
    assert evaluate(learned, far.splines) is None
    state = finish(learned, far, 5, 1e-3)
    assert evaluate(learned, state.splines).action == state.action[-1] < state.action[0]
    with pytest.raises(ValueError, match="leaves the grid"):
        finish(replace(learned, initial=learned.initial + 20.0), far, 5, 1e-3)


@pytest.mark.slow
def test_cross_validation_against_learning_without_a_fold(rng):
    """Truth without penalty, little noise: the quadratic model is the action, scores those of learning once more."""
    learned = problem(rng, 9, noise=2e-3, roughness=1e-3, truth=true_splines(mixed=0.0))
    state = finish(learned, Position(true_splines(mixed=0.0)), 30, 1e-12)
    fold = np.array([0, 2, 1, 1, 0, 1, 2, 2, 0])
    scores = cross_validate(learned, state, (1e-3, 3e-3), fold)
    for score, roughness in zip(scores, (1e-3, 3e-3), strict=True):
        expected = 0.0
        for left_out in range(3):
            objective = learned.objective

            def part(members, roughness=roughness, objective=objective):
                kept = replace(objective, mean=objective.mean[members], matched=objective.matched[members])
                return replace(learned, initial=learned.initial[members], objective=kept, roughness=roughness)

            found = finish(part(fold != left_out), Position(state.splines), 30, 1e-12)
            expected += evaluate(part(fold == left_out), found.splines).action
        assert score == pytest.approx(expected, rel=0.02)
