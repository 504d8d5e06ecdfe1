"""The quadratic model of the action around right-hand sides, with the Gauss-Newton matrix of the trajectories.

That matrix needs the sensitivities of the trajectories alone. Splines that no trajectory touches are set to minimise
the thin-plate energy, which is exact and leaves equations for the touched ones alone.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import linalg, sparse
from scipy.sparse.linalg import splu

from dbd.learning.dynamics import map_blocks
from dbd.learning.misfit import Misfit
from dbd.learning.problem import Problem

MARGIN = 1.0  # how far outside the grid, in grid units, a step may take trajectories: the next ones may need the detour
BLOCKS = 16  # into which the sum over initial conditions is cut; each has a matrix of its own


class Point(NamedTuple):
    """Right-hand sides with their trajectories, misfit and penalty."""

    states: np.ndarray
    misfit: Misfit
    action: float
    penalty: float


def evaluate(problem: Problem, splines: np.ndarray) -> Point | None:
    """Trajectories and action of right-hand sides; None if they are far off the grid, or the action is not finite."""
    states = problem.trajectories(splines)
    if not (problem.dynamics.excess(states) <= MARGIN).all():
        return None
    misfit = problem.objective(states)
    action = float((misfit.value @ problem.weights).sum())
    return Point(states, misfit, action, problem.penalty(splines)) if np.isfinite(action) else None


class System(NamedTuple):
    """Quadratic model of the action in the touched splines, n = P * touched; sums over groups of initial conditions."""

    touched: np.ndarray  # indices of splines, (touched,)
    extension: np.ndarray  # the other splines from the touched ones, (splines, touched): least energy, given those
    matrix: np.ndarray  # Gauss-Newton matrices, (groups, n, n)
    gradient: np.ndarray  # gradients of the action, (groups, n)
    energy: np.ndarray  # twice the energy's quadratic form, (n, n)
    pull: np.ndarray  # gradient of the energy, (n,)


def linearise(problem: Problem, splines: np.ndarray, point: Point, group: np.ndarray) -> System:
    """Quadratic model around right-hand sides; initial condition r goes to the sums of ``group[r]``, to none if < 0."""
    coefficients = problem.coefficients(splines)
    curvature, vectors = np.linalg.eigh(point.misfit.curvature * problem.weights[:, None, None])
    root = np.sqrt(np.maximum(curvature, 0.0))[..., None] * np.swapaxes(vectors, -1, -2)
    gradient = point.misfit.gradient * problem.weights[:, None]
    used = np.flatnonzero(gradient.any(axis=(0, 2)) | root.any(axis=(0, 2, 3)))  # times that the misfit looks at
    parameters = problem.dynamics.parameters
    touched = np.unique(problem.splines[problem.dynamics.touched(coefficients, point.states)].indices)
    size = parameters * len(touched)

    def accumulate(members: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        matrix, total = np.zeros((size, size)), np.zeros(size)
        for r in members:
            elements, derivative = problem.dynamics.sensitivity(coefficients, point.states[r])
            columns, change = _dense_rows(problem.splines, elements)
            derivative = derivative[used].reshape(-1, len(elements)) @ change
            derivative = derivative.reshape(len(used), parameters, -1)
            rows = (root[r, used] @ derivative).reshape(-1, derivative.shape[-1])
            place = (np.arange(parameters)[:, None] * len(touched) + np.searchsorted(touched, columns)).ravel()
            _add_at(matrix, place, rows.T @ rows)
            total[place] += gradient[r, used].ravel() @ derivative.reshape(len(used) * parameters, -1)
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
    return System(touched, extension, matrix, total, linalg.block_diag(*[energy] * parameters), pull.ravel())


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


def solve_positive_definite(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solution for a symmetric positive definite matrix."""
    return linalg.cho_solve(linalg.cho_factor(matrix, lower=True, check_finite=False), right)
