"""Second-order learning of right-hand sides on whole trajectories.

The action of the right-hand sides is a sum over initial conditions and times of a misfit between the moments of the
model and those of the data. Its Gauss-Newton matrix needs the sensitivities of the trajectories alone, so Levenberg-
Marquardt steps converge in ten to twenty steps where gradient descent on the same action needs thousands.

Right-hand sides are cubic splines, the twice continuously differentiable functions of the Q3 C1 space, and the sum of
their thin-plate energies of the orders two and three is penalised. Where data end, they go on as quadratic functions
over about one parameter unit, which held-out initial conditions bear out better than going on straight, and straight
beyond, so that they do not run away. Splines that no trajectory touches are set to minimise that energy, which is exact
and leaves equations for the touched ones alone.

The roughness may be chosen by cross-validation over initial conditions, `cross_validate`, in the quadratic model of the
action around a minimum: that costs one factorisation for each fold and candidate instead of one learning.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import linalg, sparse
from scipy.sparse.linalg import splu
from threadpoolctl import threadpool_limits

from dbd.dynamics import Dynamics, map_blocks, quadrature

MARGIN = 1.0  # how far outside the grid, in grid units, a step may take trajectories: the next ones may need the detour
LARGEST_DAMPING = 1e6
BLOCKS = 16  # into which the sum over initial conditions is cut; each has a matrix of its own


class Misfit(NamedTuple):
    """A misfit at the points of trajectories, and how it depends on the parameters there."""

    value: np.ndarray  # (R, times)
    gradient: np.ndarray  # (R, times, P)
    curvature: np.ndarray  # (R, times, P, P), positive semi-definite: Gauss-Newton or Fisher matrix


Objective = Callable[[np.ndarray], Misfit]
"""Misfit of trajectories (R, times, P); for a horizon shorter than the data, those of its first times."""


@dataclass(frozen=True)
class Problem:
    """Right-hand sides to learn.

    Parameters
    ----------
    dynamics
        The differential equations; P parameters.
    initial
        Parameters at time zero of each initial condition, (R, P).
    objective
        Misfit of the trajectories.
    steps
        Time steps of the trajectories; the action is the integral of the misfit over them.
    roughness
        Factor of the thin-plate energies of the right-hand sides, added to the action.
    threads
        Size of the thread pool; results do not depend on it.
    """

    dynamics: Dynamics
    initial: np.ndarray
    objective: Objective
    steps: int
    roughness: float
    threads: int = 1

    @cached_property
    def splines(self) -> sparse.csr_array:
        """From spline coefficients to those of the elements, (grid.size, splines)."""
        return self.dynamics.grid.splines()

    @cached_property
    def energy(self) -> sparse.csc_array:
        """Thin-plate energy of a right-hand side as a quadratic form in its spline coefficients."""
        grid = self.dynamics.grid
        return sparse.csc_array(self.splines.T @ (grid.roughness(3) + grid.roughness(2)) @ self.splines)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weights of the times in the action, (steps + 1,)."""
        return quadrature(self.steps, self.dynamics.dt)

    def coefficients(self, splines: np.ndarray) -> np.ndarray:
        """Coefficients of the elements, (P, grid.size), of right-hand sides given as splines, (P, splines)."""
        return np.ascontiguousarray((self.splines @ splines.T).T)

    def trajectories(self, splines: np.ndarray) -> np.ndarray:
        """Trajectories (R, steps + 1, P)."""
        return self.dynamics.integrate(self.coefficients(splines), self.initial, self.steps, self.threads)

    def start(self) -> "State":
        """Right-hand sides that are zero."""
        return State(np.zeros((self.dynamics.parameters, self.splines.shape[1])))


Past = tuple[np.ndarray, np.ndarray]
"""Actions and gradient norms of steps before an optimisation."""


@dataclass(frozen=True)
class State:
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
    def of_arrays(cls, arrays: Mapping[str, np.ndarray]) -> tuple["State", Past]:
        """A state and what went before it, from its arrays."""
        begin = int(arrays["begin"])
        history = arrays["action"][begin:], arrays["penalty"], arrays["gradient_norm"][begin:]
        state = cls(arrays["splines"], float(arrays["damping"]), *map(tuple, history), bool(arrays["converged"]))
        return state, (arrays["action"][:begin], arrays["gradient_norm"][:begin])


def optimise(problem: Problem, state: State, steps: int, tolerance: float) -> Iterator[State]:
    """Yield the state after each Levenberg-Marquardt step, until convergence or `steps` steps in all.

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
        If the trajectories of `state` leave the grid by more than a cell. No step makes them do so.
    """
    current = _evaluate(problem, state.splines)
    if current is None:
        raise ValueError(
            "a trajectory leaves the grid: allowed are trajectories that stay inside, or closer than a cell"
        )
    while len(state.action) < steps and not state.converged:
        with threadpool_limits(1):
            state, current = _advance(problem, state, current, tolerance)
        yield state


def finish(problem: Problem, state: State, steps: int, tolerance: float) -> State:
    """Return the last state of `optimise`."""
    last = state
    for last in optimise(problem, state, steps, tolerance):  # noqa: B007
        pass
    return last


def segments(trajectories: np.ndarray, length: int) -> np.ndarray:
    """Cut (R, times, ...) into pieces of `length` steps that share their end points: (R * pieces, length + 1, ...).

    Right-hand sides that fit such pieces, each from its own start, are where to begin with whole trajectories.
    """
    pieces = (trajectories.shape[1] - 1) // length
    index = length * np.arange(pieces)[:, None] + np.arange(length + 1)
    return trajectories[:, index].reshape(-1, length + 1, *trajectories.shape[2:])


def cross_validate(problem: Problem, state: State, candidates: Sequence[float], folds: int) -> np.ndarray:
    """Action of left-out initial conditions for each candidate of the roughness, (candidates,).

    Initial condition r belongs to fold ``r % folds``. For each fold the right-hand sides are those that minimise the
    quadratic model, around `state`, of the action of the other folds with the penalty. `state` should be near the
    minimum for one of the candidates.
    """
    with threadpool_limits(1):
        current = _evaluate(problem, state.splines)
        fold = np.arange(len(problem.initial)) % folds
        system = _linearise(problem, state.splines, current, fold)
        total = np.zeros(len(candidates))
        for matrix, gradient in zip(system.matrix, system.gradient, strict=True):
            rest, rest_gradient = system.matrix.sum(axis=0) - matrix, system.gradient.sum(axis=0) - gradient
            for i, roughness in enumerate(candidates):
                step = -_solve(rest + roughness * system.energy, rest_gradient + roughness * system.pull)
                total[i] += gradient @ step + step @ matrix @ step / 2
        return total + (current.misfit.value @ problem.weights).sum()


class _Point(NamedTuple):
    """Right-hand sides with their trajectories, misfit and penalty."""

    states: np.ndarray
    misfit: Misfit
    action: float
    penalty: float


def _evaluate(problem: Problem, splines: np.ndarray) -> _Point | None:
    """Trajectories and action of right-hand sides; None if they are far off the grid, or the action is not finite."""
    states = problem.trajectories(splines)
    if not (problem.dynamics.excess(states) <= MARGIN).all():
        return None
    misfit = problem.objective(states)
    action = float((misfit.value @ problem.weights).sum())
    penalty = _penalty(problem, splines)
    return _Point(states, misfit, action, penalty) if np.isfinite(action) else None


def _penalty(problem: Problem, splines: np.ndarray) -> float:
    """Roughness times the thin-plate energies, over two."""
    return problem.roughness / 2 * float((splines * (problem.energy @ splines.T).T).sum())


class _System(NamedTuple):
    """Quadratic model of the action in the touched splines, n = P * touched; sums over groups of initial conditions."""

    touched: np.ndarray  # indices of splines, (touched,)
    extension: np.ndarray  # the other splines from the touched ones, (splines, touched): least energy, given those
    matrix: np.ndarray  # Gauss-Newton matrices, (groups, n, n)
    gradient: np.ndarray  # gradients of the action, (groups, n)
    energy: np.ndarray  # twice the energy's quadratic form, (n, n)
    pull: np.ndarray  # gradient of the energy, (n,)


def _linearise(problem: Problem, splines: np.ndarray, point: _Point, group: np.ndarray) -> _System:
    """Quadratic model around right-hand sides; initial condition r goes to the sums of ``group[r]``."""
    coefficients = problem.coefficients(splines)
    curvature, vectors = np.linalg.eigh(point.misfit.curvature * problem.weights[:, None, None])
    root = np.sqrt(np.maximum(curvature, 0.0))[..., None] * np.swapaxes(vectors, -1, -2)
    gradient = point.misfit.gradient * problem.weights[:, None]
    parameters = problem.dynamics.parameters
    touched = np.unique(problem.splines[problem.dynamics.touched(coefficients, point.states)].indices)
    size = parameters * len(touched)

    def accumulate(members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        matrix, total = np.zeros((size, size)), np.zeros(size)
        for r in members:
            elements, derivative = problem.dynamics.sensitivity(coefficients, point.states[r])
            columns, change = _dense_rows(problem.splines, elements)
            derivative = derivative.reshape(-1, len(elements)) @ change
            derivative = derivative.reshape(problem.steps + 1, parameters, -1)
            rows = (root[r] @ derivative).reshape(-1, derivative.shape[-1])
            place = (np.arange(parameters)[:, None] * len(touched) + np.searchsorted(touched, columns)).ravel()
            _add_at(matrix, place, rows.T @ rows)
            total[place] += gradient[r].ravel() @ derivative.reshape(gradient[r].size, -1)
        return matrix, total

    matrix, total = np.zeros((group.max() + 1, size, size)), np.zeros((group.max() + 1, size))
    for g in range(len(matrix)):
        members = np.flatnonzero(group == g)
        length = -(-len(members) // BLOCKS)
        for part in map_blocks(lambda part: accumulate(members[part]), len(members), problem.threads, length):  # noqa: B023
            matrix[g] += part[0]
            total[g] += part[1]
    extension = _extension(problem.energy, touched)
    energy = extension.T @ (problem.energy @ extension)
    pull = splines[:, touched] @ energy
    return _System(touched, extension, matrix, total, linalg.block_diag(*[energy] * parameters), pull.ravel())


def _dense_rows(matrix: sparse.csr_array, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Some rows of a sparse matrix: the columns that are not empty, ascending, and the values there, dense."""
    begin, count = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
    entry = np.arange(count.sum()) + np.repeat(begin - np.cumsum(count) + count, count)
    columns, place = np.unique(matrix.indices[entry], return_inverse=True)
    dense = np.zeros((len(rows), len(columns)))
    dense[np.repeat(np.arange(len(rows)), count), place] = matrix.data[entry]
    return columns, dense


@njit(cache=True, nogil=True)
def _add_at(matrix, place, block):
    """Add `block` (m, m) to the rows and columns `place` (m,) of `matrix`."""
    for i in range(len(place)):
        for j in range(len(place)):
            matrix[place[i], place[j]] += block[i, j]


def _extension(energy: sparse.csc_array, touched: np.ndarray) -> np.ndarray:
    """Matrix (splines, touched) that leaves the touched splines as they are and gives the others least energy."""
    rest = np.setdiff1d(np.arange(energy.shape[0]), touched)
    extension = np.zeros((energy.shape[0], len(touched)))
    extension[touched, np.arange(len(touched))] = 1.0
    if len(rest):
        extension[rest] = -splu(energy[rest][:, rest].tocsc()).solve(energy[rest][:, touched].toarray())
    return extension


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution for a symmetric positive definite matrix."""
    return linalg.cho_solve(linalg.cho_factor(matrix, lower=True, check_finite=False), right)


def _advance(problem: Problem, state: State, current: _Point, tolerance: float) -> tuple[State, _Point]:
    """One accepted Levenberg-Marquardt step; the damping grows until a step lowers the action."""
    system = _linearise(problem, state.splines, current, np.zeros(len(problem.initial), int))
    # Where the trajectories have no say, least energy: this can only lower the penalty.
    splines = state.splines[:, system.touched] @ system.extension.T
    matrix = system.matrix[0] + problem.roughness * system.energy
    gradient = system.gradient[0] + problem.roughness * system.pull
    before = current.action + _penalty(problem, splines)
    diagonal = np.diagonal(matrix).copy()
    damping = state.damping
    while damping < LARGEST_DAMPING:
        step = -_solve(matrix + np.diag(damping * diagonal), gradient)
        proposal = splines + step.reshape(len(splines), -1) @ system.extension.T
        point = _evaluate(problem, proposal)
        if point is not None:
            expected = -(gradient @ step + step @ matrix @ step / 2)
            fall = before - point.action - point.penalty
            if fall > 0:
                break
        damping = max(6 * damping, 1e-7)
    else:
        return replace(state, converged=True), current
    gain = fall / expected
    state = State(
        proposal,
        damping * (0.1 if gain > 0.7 else 1.0 if gain > 0.25 else 4.0),
        (*state.action, point.action),
        (*state.roughness, point.penalty),
        (*state.gradient, float(np.linalg.norm(gradient))),
        fall < tolerance * before,
    )
    return state, point
