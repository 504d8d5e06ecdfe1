"""Second-order learning of right-hand sides on whole trajectories.

The action of the right-hand sides is a sum over initial conditions and times of a misfit between the moments of the
model and those of the data. Its Gauss-Newton matrix needs the sensitivities of the trajectories alone, so Levenberg-
Marquardt steps converge in ten to twenty steps where gradient descent on the same action needs thousands.

The roughness of the right-hand sides may be chosen by cross-validation over initial conditions, `cross_validate`, in
the quadratic model of the action around a minimum: that costs one factorisation for each fold and candidate instead of
one learning.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from threadpoolctl import threadpool_limits

from dbd.learning.gauss_newton import Point, evaluate, linearise, solve_positive_definite
from dbd.learning.problem import Problem

LARGEST_DAMPING = 1e6
SCALES = (1.0, 0.5, 0.25, 0.125, 0.0)  # of right-hand sides to start from

Past = tuple[np.ndarray, np.ndarray]
"""Actions and gradient norms of steps before an optimisation."""


@dataclass(frozen=True)
class Position:
    """Where an optimisation stands: all that is needed to go on from here and end with the same bytes.

    Attributes
    ----------
    splines
        Spline coefficients of the right-hand sides, (P, splines).
    damping
        Levenberg-Marquardt damping relative to the diagonal of the Gauss-Newton matrix.
    action, roughness, gradient
        After each step so far: action, roughness penalty, and Euclidean norm of the gradient of their sum with respect
        to the spline coefficients before the step.
    converged
        Whether the last step was below the tolerance, or no step at all could be made.
    """

    splines: np.ndarray
    damping: float = 1e-2
    action: tuple[float, ...] = ()
    roughness: tuple[float, ...] = ()
    gradient: tuple[float, ...] = ()
    converged: bool = False

    def arrays(self, past: Past) -> dict[str, np.ndarray]:
        """As arrays for a checkpoint, behind the actions and gradient norms of what went before."""
        return {
            "action": np.append(past[0], self.action),
            "gradient_norm": np.append(past[1], self.gradient),
            "begin": np.array(len(past[0])),
            "splines": self.splines,
            "damping": np.array(self.damping),
            "penalty": np.array(self.roughness),
            "converged": np.array(self.converged),
        }

    @classmethod
    def zero(cls, problem: Problem) -> "Position":
        """Right-hand sides that are zero."""
        return cls(np.zeros((problem.dynamics.parameters, problem.splines.shape[1])))

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> tuple["Position", Past]:
        """A state and what went before it, from its arrays."""
        begin = int(arrays["begin"])
        history = arrays["action"][begin:], arrays["penalty"], arrays["gradient_norm"][begin:]
        state = cls(arrays["splines"], float(arrays["damping"]), *map(tuple, history), bool(arrays["converged"]))
        return state, (arrays["action"][:begin], arrays["gradient_norm"][:begin])


def optimise(problem: Problem, state: Position, steps: int, tolerance: float) -> Iterator[Position]:
    """Yield the state after each Levenberg-Marquardt step, until convergence or `steps` steps in all.

    A start whose trajectories leave the grid, such as one that was learned on shorter pieces, is scaled down until they
    stay inside; no step makes them leave it.

    Parameters
    ----------
    problem
        What is learned.
    state
        Where to start or to go on.
    steps
        Largest length of the state's history.
    tolerance
        Relative fall of the action with penalty below which a step is the last.

    Raises
    ------
    ValueError
        If trajectories leave the grid by more than a cell with right-hand sides of zero too.
    """
    for scale in SCALES:
        start = replace(state, splines=scale * state.splines)
        current = evaluate(problem, start.splines)
        if current is not None:
            state = start
            break
    else:
        raise ValueError("a trajectory leaves the grid: expected all to stay inside, or closer than a cell")
    while len(state.action) < steps and not state.converged:
        with threadpool_limits(1):
            state, current = _advance(problem, state, current, tolerance)
        yield state


def cross_validate(problem: Problem, state: Position, candidates: Sequence[float], fold: np.ndarray) -> np.ndarray:
    """Action of left-out initial conditions for each candidate of the roughness, (candidates,).

    Initial condition r belongs to fold ``fold[r]``, of 0, 1, ... without gaps. For each fold the right-hand sides are
    those that minimise the quadratic model, around `state`, of the action of the other folds with the penalty. `state`
    should be near the minimum for one of the candidates.
    """
    with threadpool_limits(1):
        current = evaluate(problem, state.splines)
        system = linearise(problem, state.splines, current, fold)
        total = np.zeros(len(candidates))
        for matrix, gradient in zip(system.matrix, system.gradient, strict=True):
            rest, rest_gradient = system.matrix.sum(axis=0) - matrix, system.gradient.sum(axis=0) - gradient
            for i, roughness in enumerate(candidates):
                step = -solve_positive_definite(
                    rest + roughness * system.energy, rest_gradient + roughness * system.pull
                )
                total[i] += gradient @ step + step @ matrix @ step / 2
        return total + (current.misfit.value @ problem.weights).sum()


def _advance(problem: Problem, state: Position, current: Point, tolerance: float) -> tuple[Position, Point]:
    """One accepted Levenberg-Marquardt step; the damping grows until a step lowers the action."""
    system = linearise(problem, state.splines, current, np.zeros(len(problem.initial), int))
    # Where the trajectories have no say, least energy: this can only lower the penalty.
    splines = state.splines[:, system.touched] @ system.extension.T
    matrix = system.matrix[0] + problem.roughness * system.energy
    gradient = system.gradient[0] + problem.roughness * system.pull
    before = current.action + problem.penalty(splines)
    diagonal = np.diagonal(matrix).copy()
    damping = state.damping
    while damping < LARGEST_DAMPING:
        step = -solve_positive_definite(matrix + np.diag(damping * diagonal), gradient)
        proposal = splines + step.reshape(len(splines), -1) @ system.extension.T
        point = evaluate(problem, proposal)
        if point is not None:
            expected = -(gradient @ step + step @ matrix @ step / 2)
            fall = before - point.action - point.penalty
            if fall > 0:
                break
        damping = max(6 * damping, 1e-7)
    else:
        return replace(state, converged=True), current
    gain = fall / expected
    state = Position(
        proposal,
        damping * (0.1 if gain > 0.7 else 1.0 if gain > 0.25 else 4.0),
        (*state.action, point.action),
        (*state.roughness, point.penalty),
        (*state.gradient, float(np.linalg.norm(gradient))),
        fall < tolerance * before,
    )
    return state, point
