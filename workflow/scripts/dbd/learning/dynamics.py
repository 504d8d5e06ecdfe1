"""Integration of the reduced model and the exact derivatives of what was integrated.

The parameters of the Boltzmann distribution follow d theta_k / dt = F_k(theta_D; u_k), with F_k on Q3 C1 elements over
the domain D, a sub-vector of theta. Everything here is *discretise, then optimise*: the trajectory is that of an
explicit Runge-Kutta scheme, and adjoint and sensitivities are the exact derivatives of that trajectory, not
discretisations of the adjoint equation of the paper, so they agree with finite differences to rounding.

The action of a trajectory is the sum over times n of w_n D_n with the weights of `quadrature`, where D_n is the
divergence of the model from the data at time n; its callers pass w_n dD_n/dtheta to `Dynamics.adjoint`.

Initial conditions are independent: blocks of them, of a size that does not depend on the number of threads, are done by
a thread pool and summed in order. Results are the same to the last bit for any number of threads.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.messages import mismatch, one_of
from dbd.numerics.hermite import HermiteGrid, evaluate_at
from dbd.numerics.threads import parallel

BLOCK = 8  # initial conditions that share one accumulator


class Scheme(NamedTuple):
    """Explicit Runge-Kutta scheme of an autonomous system."""

    matrix: np.ndarray  # float64 (stages, stages), strictly lower triangular
    weights: np.ndarray  # float64 (stages,)


SCHEMES = {
    "euler": Scheme(np.zeros((1, 1)), np.ones(1)),
    "rk4": Scheme(
        np.array([[0, 0, 0, 0], [1 / 2, 0, 0, 0], [0, 1 / 2, 0, 0], [0, 0, 1, 0]]), np.array([1, 2, 2, 1]) / 6
    ),
}


def quadrature(steps: int, dt: float) -> np.ndarray:
    """Weights of the trapezoidal rule at the recorded steps 0 .. `steps`; time units, shape (steps + 1,)."""
    weights = np.full(steps + 1, dt)
    weights[[0, -1]] = dt / 2
    return weights


@dataclass(frozen=True)
class Dynamics:
    """The differential equations of a reduced model and the scheme they are integrated with.

    Parameters
    ----------
    grid
        Grid over the domain, one axis for each entry of `domain`.
    parameters
        Number of parameters, P.
    domain
        Indices of the parameters that the right-hand sides depend on.
    dt
        Time between recorded steps, positive.
    integrator
        ``euler`` or ``rk4``.
    substeps
        Equal steps of the scheme between two recorded ones.

    Notes
    -----
    Coefficients u are float64 (P, grid.size); trajectories float64 (initial condition, time, P).
    """

    grid: HermiteGrid
    parameters: int
    domain: tuple[int, ...]
    dt: float
    integrator: str = "rk4"
    substeps: int = 1

    def __post_init__(self):
        if self.integrator not in SCHEMES:
            raise ValueError(f"integrator: {mismatch(self.integrator, one_of(SCHEMES))}")
        if self.dt <= 0 or self.substeps < 1:
            raise ValueError(f"time step and substeps: {mismatch((self.dt, self.substeps), 'positive numbers')}")
        if len(self.domain) != self.grid.dimension or not set(self.domain) <= set(range(self.parameters)):
            raise ValueError(
                f"domain: got {self.domain}, expected {self.grid.dimension} parameters (the axes of the grid) "
                f"out of 0 .. {self.parameters - 1}"
            )

    @property
    def arguments(self) -> tuple:
        """Arguments that all kernels share."""
        scheme = SCHEMES[self.integrator]
        return scheme, self.grid.table, np.array(self.domain), self.dt / self.substeps, self.substeps

    def integrate(self, coefficients: np.ndarray, initial: np.ndarray, steps: int, threads: int = 1) -> np.ndarray:
        """Trajectories (R, steps + 1, P) from initial conditions (R, P); `excess` tells whether they left the grid."""
        states = np.empty((len(initial), steps + 1, self.parameters))
        states[:, 0] = initial
        map_blocks(lambda part: _integrate(*self.arguments, coefficients, states[part]), len(initial), threads)
        return states

    def excess(self, states: np.ndarray) -> np.ndarray:
        """How far the domain parameters of states (..., P) are outside the grid, in grid units; 0 inside."""
        return self.grid.excess(states[..., list(self.domain)])

    def adjoint(
        self,
        coefficients: np.ndarray,
        states: np.ndarray,
        gradients: np.ndarray,
        threads: int = 1,
        share: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Exact derivatives of a function S of the trajectories.

        Parameters
        ----------
        coefficients
            u, (P, grid.size).
        states
            Trajectories as integrated with u, (R, times, P). A slice of the times restricts the adjoint to a window:
            what u does to the trajectory before the slice is then left out.
        gradients
            Partial derivatives dS/dtheta(t_n), (R, times, P), quadrature weights included.
        share
            Factors of the Jacobian, (P, d); the derivatives are exact with all of it, the default.

        Returns
        -------
        dS/du, (P, grid.size), and dS/dtheta at the first time, (R, P).
        """
        initial = np.empty((len(states), self.parameters))
        share = np.ones((self.parameters, len(self.domain))) if share is None else share

        def block(part: slice) -> np.ndarray:
            total = np.zeros_like(coefficients)
            add_gradient(*self.arguments, coefficients, states[part], gradients[part], share, total, initial[part])
            return total

        return sum(map_blocks(block, len(states), threads)), initial

    def touched(self, coefficients: np.ndarray, states: np.ndarray) -> np.ndarray:
        """Coefficients of a right-hand side that trajectories (R, times, P) depend on, ascending."""
        mark = np.zeros(self.grid.size, bool)
        _touch(*self.arguments, coefficients, states, mark)
        return np.flatnonzero(mark)

    def sensitivity(self, coefficients: np.ndarray, trajectory: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives d theta(t_n) / du of one trajectory, on the coefficients it touches.

        Parameters
        ----------
        coefficients
            u, (P, grid.size).
        trajectory
            As integrated with u, (times, P).

        Returns
        -------
        touched
            Coefficients of a right-hand side that the trajectory depends on, ascending, (m,).
        derivative
            d theta_k(t_n) / du[l, touched[j]] at [n, k, l, j]; float64 (times, P, P, m).
        """
        touched = self.touched(coefficients, trajectory[None])
        column = np.full(self.grid.size, -1)
        column[touched] = np.arange(len(touched))
        derivative = np.zeros((len(trajectory), self.parameters, self.parameters * len(touched)))
        _sensitivity(*self.arguments, coefficients, trajectory, column, derivative)
        return touched, derivative.reshape(*derivative.shape[:2], self.parameters, -1)


def map_blocks(function: Callable[[slice], object], count: int, threads: int, size: int = BLOCK) -> list:
    """Results, in order, of `function` on consecutive slices of at most `size` of `count` items, by a thread pool."""
    parts = [slice(first, min(first + size, count)) for first in range(0, count, size)]
    return parallel(function, parts, threads)


class Workspace(NamedTuple):
    """What a step leaves of its stages, for derivatives; then scratch arrays of one stage."""

    state: np.ndarray  # float64 (stages, P)
    slope: np.ndarray  # F, float64 (stages, P)
    jacobian: np.ndarray  # dF/dtheta_D, float64 (stages, P, d)
    weight: np.ndarray  # of the basis functions, float64 (stages, 4^d)
    first: np.ndarray  # first coefficient of the cell, int64 (stages,)
    gradient: np.ndarray  # of the basis functions, float64 (d, 4^d)
    point: np.ndarray  # theta_D, float64 (d,)


@njit(cache=True, nogil=True)
def workspace(scheme, table, domain, coefficients):
    """Return an empty `Workspace`."""
    stages, parameters, d, local = len(scheme.weights), len(coefficients), len(domain), len(table.offset)
    return Workspace(
        np.empty((stages, parameters)),
        np.empty((stages, parameters)),
        np.empty((stages, parameters, d)),
        np.empty((stages, local)),
        np.empty(stages, np.int64),
        np.empty((d, local)),
        np.empty(d),
    )


@njit(cache=True, nogil=True)
def advance(scheme, table, domain, step, coefficients, work, state):
    """Advance `state` (P,) by one step, in place; the stages remain in `work`."""
    stages, parameters = work.slope.shape
    for i in range(stages):
        for k in range(parameters):
            work.state[i, k] = state[k]
            for j in range(i):
                work.state[i, k] += step * scheme.matrix[i, j] * work.slope[j, k]
        for m in range(len(domain)):
            work.point[m] = work.state[i, domain[m]]
        work.first[i] = evaluate_at(
            table, coefficients, work.point, work.weight[i], work.gradient, work.slope[i], work.jacobian[i]
        )
    for k in range(parameters):
        for i in range(stages):
            state[k] += step * scheme.weights[i] * work.slope[i, k]


@njit(cache=True, nogil=True)
def _integrate(scheme, table, domain, step, substeps, coefficients, states):
    """Fill states[:, 1:] of trajectories (R, times, P)."""
    work = workspace(scheme, table, domain, coefficients)
    for r in range(len(states)):
        for n in range(1, states.shape[1]):
            for k in range(len(coefficients)):
                states[r, n, k] = states[r, n - 1, k]
            for _ in range(substeps):
                advance(scheme, table, domain, step, coefficients, work, states[r, n])


@njit(cache=True, nogil=True)
def _pull(scheme, jacobian, domain, step, adjoint, pulled, back):
    """Take `adjoint` (P,) back over a step, in place; fill dS/dF(stage) (stages, P); `back` (stages, d) is scratch."""
    stages, parameters = pulled.shape
    for i in range(stages - 1, -1, -1):
        for k in range(parameters):
            pulled[i, k] = step * scheme.weights[i] * adjoint[k]
        for m in range(len(domain)):
            for j in range(i + 1, stages):
                pulled[i, domain[m]] += step * scheme.matrix[j, i] * back[j, m]
        for m in range(len(domain)):
            back[i, m] = 0.0
            for k in range(parameters):
                back[i, m] += jacobian[i, k, m] * pulled[i, k]
    for i in range(stages):
        for m in range(len(domain)):
            adjoint[domain[m]] += back[i, m]


@njit(cache=True, nogil=True)
def add_gradient(scheme, table, domain, step, substeps, coefficients, states, gradients, share, total, initial):
    """Add dS/du to `total` (P, size) and fill `initial` (R, P) with dS/dtheta(first time).

    `share` (P, d) are factors of the Jacobian of the right-hand sides.
    """
    parameters, stages = len(coefficients), len(scheme.weights)
    work = workspace(scheme, table, domain, coefficients)
    starts = np.empty((substeps + 1, parameters))
    pulled = np.empty((stages, parameters))
    back = np.empty((stages, len(domain)))
    for r in range(len(states)):
        adjoint = initial[r]
        for k in range(parameters):
            adjoint[k] = gradients[r, -1, k]
        for n in range(states.shape[1] - 2, -1, -1):
            for k in range(parameters):
                starts[0, k] = states[r, n, k]
            for substep in range(substeps):
                for k in range(parameters):
                    starts[substep + 1, k] = starts[substep, k]
                advance(scheme, table, domain, step, coefficients, work, starts[substep + 1])
            for substep in range(substeps - 1, -1, -1):
                if substep < substeps - 1:  # the stages of the last substep are there already
                    advance(scheme, table, domain, step, coefficients, work, starts[substep])
                for i in range(stages):
                    for k in range(parameters):
                        for m in range(len(domain)):
                            work.jacobian[i, k, m] *= share[k, m]
                _pull(scheme, work.jacobian, domain, step, adjoint, pulled, back)
                for i in range(stages):
                    for k in range(parameters):
                        for local in range(len(table.offset)):
                            total[k, work.first[i] + table.offset[local]] += work.weight[i, local] * pulled[i, k]
            for k in range(parameters):
                adjoint[k] += gradients[r, n, k]


@njit(cache=True, nogil=True)
def _touch(scheme, table, domain, step, substeps, coefficients, states, mark):
    """Set `mark` (size,) for the basis functions of the cells that stages of trajectories (R, times, P) lie in."""
    work = workspace(scheme, table, domain, coefficients)
    for r in range(len(states)):
        for n in range(states.shape[1] - 1):
            state = states[r, n].copy()
            for _ in range(substeps):
                advance(scheme, table, domain, step, coefficients, work, state)
                for i in range(len(work.first)):
                    for local in range(len(table.offset)):
                        mark[work.first[i] + table.offset[local]] = True


@njit(cache=True, nogil=True)
def _sensitivity(scheme, table, domain, step, substeps, coefficients, trajectory, column, derivative):
    """Fill derivative[1:] (times, P, P * m) of a trajectory (times, P); `column` numbers the touched coefficients."""
    parameters, stages, width = len(coefficients), len(scheme.weights), derivative.shape[2]
    touched = width // parameters
    work = workspace(scheme, table, domain, coefficients)
    before = np.empty((parameters, width))
    row = np.empty(parameters)  # d theta_k(end of step) / d theta(start)
    pulled = np.empty((stages, parameters))  # d theta_k(end of step) / dF(stage)
    back = np.empty((stages, len(domain)))
    for n in range(1, len(trajectory)):
        state = trajectory[n - 1].copy()
        total = derivative[n]
        for k in range(parameters):
            for c in range(width):
                total[k, c] = derivative[n - 1, k, c]
        for _ in range(substeps):
            advance(scheme, table, domain, step, coefficients, work, state)
            for k in range(parameters):
                for c in range(width):
                    before[k, c] = total[k, c]
            for k in range(parameters):
                for j in range(parameters):
                    row[j] = 1.0 if j == k else 0.0
                _pull(scheme, work.jacobian, domain, step, row, pulled, back)
                for c in range(width):
                    total[k, c] = row[k] * before[k, c]
                for j in range(parameters):
                    if j != k and row[j] != 0.0:
                        for c in range(width):
                            total[k, c] += row[j] * before[j, c]
                for i in range(stages):
                    for j in range(parameters):
                        if pulled[i, j] != 0.0:
                            for local in range(len(table.offset)):
                                entry = j * touched + column[work.first[i] + table.offset[local]]
                                total[k, entry] += pulled[i, j] * work.weight[i, local]
