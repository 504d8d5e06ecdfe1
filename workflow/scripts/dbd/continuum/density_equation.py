"""The reduced model of a density: a partial differential equation with unknown functions in it.

With interactions of single particles alone the Boltzmann distribution over positions is a Poisson process of density
exp(-nu(x, t)). Its dynamics are given a physical form (Phys. Rev. E 99, 063315, learning in continuous space),

    d nu / dt = F0(nu) + F1(nu) |grad nu|^2 + F2(nu) lap nu,        F2 > 0,

on an interval with walls or periodic, and F0, F1, ln F2 are expanded in cubic Hermite elements over nu. Diffusion and
decay, for instance, are F0 = rate, F1 = -D, F2 = D.

Space is discretised by central differences of fourth order at the centres of equal cells (mirrored at walls), time by
Runge-Kutta steps of fourth order; cell means of exp(-nu) are taken to fourth order too. The action

    S = sum over starts and times of weight * integral of (rho~ - rho + rho ln(rho / rho~)) dx,       rho~ = exp(-nu),

is the Kullback-Leibler divergence of Poisson processes; with ``weight`` = runs / dispersion of the counts it is a
quasi-likelihood of the counts. Its gradient is the exact derivative of the discretised action: by an adjoint run
backwards through every Runge-Kutta stage, or, with the Gauss-Newton matrix, by running all sensitivities forwards.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from scipy.special import xlogy

from dbd.continuum.box import Box
from dbd.messages import mismatch
from dbd.numerics.hermite import HermiteGrid, basis_at

FUNCTIONS = ("F0", "F1", "ln F2")
STENCIL = 2
DIFFUSION_LIMIT = 0.52
"""Largest F2 times the Runge-Kutta step, in squares of the cell width, that is stable.

The method is stable down to -2.785 on the real axis, and the eigenvalues of the second difference go down to -16/3.
"""

FIRST = np.array([1.0, -8.0, 0.0, 8.0, -1.0]) / 12.0
SECOND = np.array([-1.0, 16.0, -30.0, 16.0, -1.0]) / 12.0


@dataclass(frozen=True)
class DensityModel:
    """The reduced equation on an interval.

    Parameters
    ----------
    box
        The interval.
    cells
        Equal cells of the discretisation, at least five.
    grid
        One-dimensional elements over nu that carry the three functions.
    dt
        Time between two outputs.
    substeps
        Runge-Kutta steps in it. Stable while ``F2 dt / substeps < DIFFUSION_LIMIT (length / cells)^2``.

    The coefficients ``u`` of the functions F0, F1 and ln F2 are float64 (3, grid.size).
    """

    box: Box
    cells: int
    grid: HermiteGrid
    dt: float
    substeps: int

    def __post_init__(self):
        if self.box.dimension != 1 or self.grid.dimension != 1:
            raise ValueError(f"box: {mismatch(self.box, 'an interval, with functions of one variable')}")
        if self.cells < 2 * STENCIL + 1:
            raise ValueError(f"cells: {mismatch(self.cells, f'{2 * STENCIL + 1} or more')}")

    @cached_property
    def _stencil(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Neighbour cells (cells, 5), and the weights of the first and second derivative."""
        cell = np.arange(self.cells)[:, None] + np.arange(-STENCIL, STENCIL + 1)
        if self.box.periodic:
            cell %= self.cells
        else:
            cell = np.where(cell < 0, -1 - cell, np.where(cell >= self.cells, 2 * self.cells - 1 - cell, cell))
        width = self.box.lengths[0] / self.cells
        return cell, FIRST / width, SECOND / width**2

    def functions(self, u: np.ndarray, nu: np.ndarray) -> np.ndarray:
        """F0, F1 and F2 (not its logarithm) at points nu (n,); float64, shape (3, n)."""
        value = self.grid.value(u, np.asarray(nu, float)[:, None]).T.copy()
        value[2] = np.exp(value[2])
        return value

    def derivatives(self, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and Laplacian of nu at the centres of the cells, along the last axis; both of the shape of `nu`."""
        cell, first, second = self._stencil
        return nu[..., cell] @ first, nu[..., cell] @ second

    def integrate(self, u: np.ndarray, start: np.ndarray, steps: int) -> np.ndarray:
        """Integrate from nu at time 0, (starts, cells); returns nu at times 0 .. steps, (starts, steps + 1, cells)."""
        path = np.empty((len(start), steps * self.substeps + 1, self.cells))
        for one, begin in zip(path, start, strict=True):
            _integrate(self.grid.table, u, begin, *self._stencil, self.dt / self.substeps, one)
        return path[:, :: self.substeps]

    def density(self, nu: np.ndarray) -> np.ndarray:
        """Mean of exp(-nu) in every cell, from nu at the centres, along the last axis; the shape of `nu`."""
        rho = np.exp(-nu)
        cell = self._stencil[0]
        return rho + (rho[..., cell[:, 1]] - 2 * rho + rho[..., cell[:, 3]]) / 24

    def action(self, u: np.ndarray, start: np.ndarray, density: np.ndarray, weight: np.ndarray) -> float:
        """Action S of the model against mean densities (starts, times, cells) with weights (starts, times).

        Infinite where the solution blows up or a cell mean is not positive. Time 0 is the given start: its weight is
        best zero.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            model = self.density(self.integrate(u, start, density.shape[1] - 1))
            divergence = (model - density + xlogy(density, density / model)).sum(axis=-1)
        total = float((weight * divergence).sum()) * self.box.volume / self.cells
        return total if np.isfinite(total) else np.inf

    def gradient(self, u: np.ndarray, start: np.ndarray, density: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Exact derivative of `action` with respect to u, by the discrete adjoint; shape (3, grid.size)."""
        steps = density.shape[1] - 1
        gradient = np.zeros_like(u)
        path = np.empty((steps * self.substeps + 1, self.cells))
        for begin, data, w in zip(start, density, weight, strict=True):
            _integrate(self.grid.table, u, begin, *self._stencil, self.dt / self.substeps, path)
            source = self._source(path[:: self.substeps], data, w)
            _adjoint(self.grid.table, u, *self._stencil, self.dt / self.substeps, self.substeps, path, source, gradient)
        return gradient

    def _source(self, nu: np.ndarray, density: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Derivative of one start's action with respect to nu at the output times; shape (times, cells)."""
        by_model = weight[:, None] * (1 - density / self.density(nu)) * self.box.volume / self.cells
        # Transpose of the cell mean; its neighbour matrix is symmetric, walls included.
        cell = self._stencil[0]
        by_rho = by_model + (by_model[:, cell[:, 1]] - 2 * by_model + by_model[:, cell[:, 3]]) / 24
        return -np.exp(-nu) * by_rho

    def sensitivities(self, u: np.ndarray, start: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """Densities (starts, times, cells) and their derivatives by u, (starts, times, cells, 3 * grid.size)."""
        density = np.empty((len(start), steps + 1, self.cells))
        slope = np.zeros((*density.shape, u.size))
        nu = np.empty((steps + 1, self.cells))
        cell = self._stencil[0]
        for k, begin in enumerate(start):
            tangent = slope[k]
            _integrate_with_tangents(
                self.grid.table, u, begin, *self._stencil, self.dt / self.substeps, self.substeps, nu, tangent
            )
            density[k] = self.density(nu)
            tangent *= -np.exp(-nu)[..., None]
            tangent += (tangent[:, cell[:, 1]] - 2 * tangent + tangent[:, cell[:, 3]]) / 24
        return density, slope


@njit(cache=True, nogil=True)
def _derivatives(nu, near, first, second):
    """Gradient and Laplacian at the cell whose stencil is `near`."""
    gradient, curvature = 0.0, 0.0
    for k in range(near.size):
        gradient += first[k] * nu[near[k]]
        curvature += second[k] * nu[near[k]]
    return gradient, curvature


@njit(cache=True, nogil=True)
def _rate(table, u, nu, cell, first, second, rate):
    """Right-hand side of the equation at every cell."""
    weight, slope, point = np.empty(4), np.empty((1, 4)), np.empty(1)
    for i in range(nu.size):
        gradient, curvature = _derivatives(nu, cell[i], first, second)
        point[0] = nu[i]
        at = basis_at(table, point, weight, slope)
        value = np.zeros(3)
        for m in range(3):
            for local in range(4):
                value[m] += u[m, at + local] * weight[local]
        rate[i] = value[0] + value[1] * gradient * gradient + np.exp(value[2]) * curvature


@njit(cache=True, nogil=True)
def _linearised(table, u, nu, cell, first, second, rate, band, at, source):
    """The right-hand side, its derivative by nu at the cells of the stencil, (cells, 5), and by u, (cells, 3, 4).

    The coefficients of functions m that matter to cell i are ``u[m, at[i] : at[i] + 4]``.
    """
    weight, slope, point = np.empty(4), np.empty((1, 4)), np.empty(1)
    value, change = np.empty(3), np.empty(3)
    for i in range(nu.size):
        gradient, curvature = _derivatives(nu, cell[i], first, second)
        point[0] = nu[i]
        at[i] = basis_at(table, point, weight, slope)
        value[:] = 0.0
        change[:] = 0.0
        for m in range(3):
            for local in range(4):
                value[m] += u[m, at[i] + local] * weight[local]
                change[m] += u[m, at[i] + local] * slope[0, local]
        diffusion = np.exp(value[2])
        rate[i] = value[0] + value[1] * gradient * gradient + diffusion * curvature
        for k in range(5):
            band[i, k] = 2.0 * value[1] * gradient * first[k] + diffusion * second[k]
        band[i, 2] += change[0] + change[1] * gradient * gradient + diffusion * change[2] * curvature
        for local in range(4):
            source[i, 0, local] = weight[local]
            source[i, 1, local] = weight[local] * gradient * gradient
            source[i, 2, local] = weight[local] * diffusion * curvature


@njit(cache=True, nogil=True)
def _integrate(table, u, start, cell, first, second, h, path):
    """Fill the path (steps + 1, cells) by Runge-Kutta steps of fourth order."""
    k1, k2, k3, k4 = np.empty_like(start), np.empty_like(start), np.empty_like(start), np.empty_like(start)
    path[0] = start
    for step in range(path.shape[0] - 1):
        nu = path[step]
        _rate(table, u, nu, cell, first, second, k1)
        _rate(table, u, nu + 0.5 * h * k1, cell, first, second, k2)
        _rate(table, u, nu + 0.5 * h * k2, cell, first, second, k3)
        _rate(table, u, nu + h * k3, cell, first, second, k4)
        path[step + 1] = nu + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)


@njit(cache=True, nogil=True)
def _adjoint(table, u, cell, first, second, h, substeps, path, source, gradient):
    """Add the derivative of one start's action by u, from its derivative `source` by nu at every `substeps`-th step."""
    n = path.shape[1]
    stages = np.empty((4, n))
    rate = np.empty((4, n))
    band = np.empty((4, n, 5))
    at = np.empty((4, n), np.int64)
    by_u = np.empty((4, n, 3, 4))
    # What a stage's argument takes of the stage before, and what the step takes of a stage (Runge-Kutta, order four).
    reach = np.array([0.0, 0.5 * h, 0.5 * h, h])
    share = np.array([h / 6.0, h / 3.0, h / 3.0, h / 6.0])
    adjoint = np.zeros(n)
    for step in range(path.shape[0] - 1, 0, -1):
        if step % substeps == 0:
            adjoint += source[step // substeps]
        for s in range(4):
            stages[s] = path[step - 1] if s == 0 else path[step - 1] + reach[s] * rate[s - 1]
            _linearised(table, u, stages[s], cell, first, second, rate[s], band[s], at[s], by_u[s])
        pulled = np.zeros(n)
        total = adjoint.copy()
        for s in range(3, -1, -1):
            push = share[s] * adjoint + (reach[s + 1] * pulled if s < 3 else 0.0 * pulled)
            pulled = np.zeros(n)
            for i in range(n):
                for k in range(5):
                    pulled[cell[i, k]] += band[s, i, k] * push[i]
                for m in range(3):
                    for local in range(4):
                        gradient[m, at[s, i] + local] += by_u[s, i, m, local] * push[i]
            total += pulled
        adjoint = total


@njit(cache=True, nogil=True)
def _integrate_with_tangents(table, u, start, cell, first, second, h, substeps, path, tangents):
    """Fill nu (times, cells) and its derivatives by u (times, cells, 3 * size), at every `substeps`-th step."""
    n, size = start.size, u.shape[1]
    rate, stage_rate = np.zeros(n), np.empty(n)
    band, at, by_u = np.empty((n, 5)), np.empty(n, np.int64), np.empty((n, 3, 4))
    slope, stage_slope = np.zeros((n, 3 * size)), np.empty((n, 3 * size))
    nu, tangent = start.copy(), np.zeros((n, 3 * size))
    reach = np.array([0.0, 0.5 * h, 0.5 * h, h])
    share = np.array([h / 6.0, h / 3.0, h / 3.0, h / 6.0])
    path[0] = nu
    tangents[0] = 0.0
    for step in range((path.shape[0] - 1) * substeps):
        nu_next, tangent_next = nu.copy(), tangent.copy()
        for s in range(4):
            stage = nu + reach[s] * rate if s else nu
            stage_tangent = tangent + reach[s] * slope if s else tangent
            _linearised(table, u, stage, cell, first, second, stage_rate, band, at, by_u)
            for i in range(n):
                stage_slope[i] = 0.0
                for k in range(5):
                    b, row = band[i, k], stage_tangent[cell[i, k]]
                    for p in range(3 * size):
                        stage_slope[i, p] += b * row[p]
                for m in range(3):
                    for local in range(4):
                        stage_slope[i, m * size + at[i] + local] += by_u[i, m, local]
            rate, stage_rate = stage_rate, rate
            slope, stage_slope = stage_slope, slope
            nu_next += share[s] * rate
            tangent_next += share[s] * slope
        nu, tangent = nu_next, tangent_next
        if (step + 1) % substeps == 0:
            path[(step + 1) // substeps] = nu
            tangents[(step + 1) // substeps] = tangent
