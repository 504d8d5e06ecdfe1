"""Q3 C1 finite elements: tensor products of cubic Hermite polynomials on a rectilinear grid in one to four dimensions.

A function is expanded as (paper, the right-hand sides of the differential equations)

    F(x) = sum over vertices v and e in {0, 1}^d of u[v, e] prod_m H_{e_m}(xi_m),   xi = (x - v) / spacing,

with 2^d coefficients a vertex: the value (e = 0), the first derivatives (one e_m = 1) and the mixed ones, all *per grid
unit*: u[v, e] is the derivative of F with respect to xi, that is spacing times the one with respect to x. Coefficients
of one function are a flat array in C order of (vertex axis 0, ..., vertex axis d-1, e_0, ..., e_{d-1}).

F and its gradient are continuous. Outside the grid every factor goes on linearly from the boundary, so that F stays
continuously differentiable (and its discrete adjoint exact) everywhere; how far a point is outside tells
`HermiteGrid.excess`. Do not use the extension for more than getting back: it knows nothing of the data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import product
from math import factorial
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy import sparse

from dbd.messages import mismatch


class GridTable(NamedTuple):
    """What the kernels need to know of a grid."""

    lower: np.ndarray  # float64 (d,): position of the first vertex
    spacing: np.ndarray  # float64 (d,)
    cells: np.ndarray  # int64 (d,): cells per axis
    stride: np.ndarray  # int64 (d,): distance of neighbouring vertices in the flat coefficients
    offset: np.ndarray  # int64 (4^d,): the coefficients of a cell, relative to the first one of its lowest vertex


@dataclass(frozen=True)
class HermiteGrid:
    """Rectilinear grid that carries Q3 C1 elements.

    Parameters
    ----------
    lower
        Position of the first vertex, one number an axis (one to four axes).
    spacing
        Distance of neighbouring vertices, positive, one number an axis.
    shape
        Vertices per axis, at least two.

    Raises
    ------
    ValueError
        If the three disagree in length, or one of them is out of range.
    """

    lower: tuple[float, ...]
    spacing: tuple[float, ...]
    shape: tuple[int, ...]

    def __post_init__(self):
        if not (1 <= len(self.shape) <= 4 and len(self.lower) == len(self.spacing) == len(self.shape)):
            raise ValueError(
                f"grid with lower {self.lower}, spacing {self.spacing}, shape {self.shape}: "
                "expected one to four axes, the same number in all three"
            )
        if min(self.spacing) <= 0:
            raise ValueError(f"grid spacing: {mismatch(self.spacing, 'positive numbers')}")
        if min(self.shape) < 2:
            raise ValueError(f"grid shape: {mismatch(self.shape, 'at least two vertices an axis')}")

    @classmethod
    def covering(cls, lower, upper, spacing) -> "HermiteGrid":
        """Smallest grid from `lower` with `spacing` that reaches at least `upper`, per axis."""
        lower, upper, spacing = (np.asarray(x, float) for x in (lower, upper, spacing))
        cells = np.maximum(np.ceil((upper - lower) / spacing - 1e-9), 1).astype(int)
        return cls(tuple(lower.tolist()), tuple(spacing.tolist()), tuple((cells + 1).tolist()))

    @property
    def dimension(self) -> int:
        """Number of axes, d."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of coefficients of one function: vertices times 2^d."""
        return int(np.prod(self.shape)) * 2**self.dimension

    @property
    def upper(self) -> tuple[float, ...]:
        """Position of the last vertex."""
        return tuple(lo + h * (n - 1) for lo, h, n in zip(self.lower, self.spacing, self.shape, strict=True))

    @cached_property
    def table(self) -> GridTable:
        """The grid as the kernels take it."""
        d = self.dimension
        stride = 2**d * np.array([int(np.prod(self.shape[m + 1 :])) for m in range(d)], np.int64)
        # Local basis function of one axis: 2 * (vertex of the cell) + e.
        offset = [
            sum((a >> 1) * int(stride[m]) + (a & 1) * 2 ** (d - 1 - m) for m, a in enumerate(local))
            for local in product(range(4), repeat=d)
        ]
        return GridTable(
            np.array(self.lower, float),
            np.array(self.spacing, float),
            np.array(self.shape, np.int64) - 1,
            stride,
            np.array(offset, np.int64),
        )

    def value(self, coefficients: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Values of K functions, (K, size), at points (n, d); returns (n, K)."""
        return self.evaluate(coefficients, points)[0]

    def gradient(self, coefficients: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Gradients of K functions, (K, size), at points (n, d), per unit of x; returns (n, K, d)."""
        return self.evaluate(coefficients, points)[1]

    def evaluate(self, coefficients: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (n, K) and gradients (n, K, d) of K functions, (K, size), at points (n, d)."""
        points = np.ascontiguousarray(points, float)
        value = np.empty((len(points), len(coefficients)))
        gradient = np.empty((*value.shape, self.dimension))
        _evaluate_many(self.table, np.ascontiguousarray(coefficients, float), points, value, gradient)
        return value, gradient

    def basis(self, points: np.ndarray) -> sparse.csr_array:
        """Matrix (n, size) that takes the coefficients of a function to its values at points (n, d)."""
        points = np.ascontiguousarray(points, float)
        local = 4**self.dimension
        index, weight = np.empty((len(points), local), np.int64), np.empty((len(points), local))
        _basis_many(self.table, points, index, weight)
        start = np.arange(0, index.size + 1, local)
        return sparse.csr_array((weight.ravel(), index.ravel(), start), shape=(len(points), self.size))

    def excess(self, points: np.ndarray) -> np.ndarray:
        """How far points (..., d) are outside the grid: largest over the axes, in grid units; 0 inside."""
        unit = (np.asarray(points) - self.table.lower) / self.table.spacing
        return np.maximum(np.maximum(-unit, unit - self.table.cells), 0.0).max(axis=-1)

    def roughness(self, order: int = 2) -> sparse.csr_array:
        """Quadratic form of the thin-plate energy of an order, exactly integrated; symmetric, (size, size).

        ``u @ R @ u`` is the integral over the grid of the sum over all `order`-tuples of axes of the squared derivative
        of F along them, (d2 F / dx_m dx_n)^2 for order 2, in units of x: it does not depend on how finely one and the
        same function is resolved, and vanishes for polynomials of lower degree. Orders 1 to 3; third derivatives are
        those within the cells.
        """
        axes = [_derivative_products(n, h, order) for n, h in zip(self.shape, self.spacing, strict=True)]
        return self._thin_plate(axes, self._tensor)

    def spline_roughness(self, order: int = 2) -> sparse.csr_array:
        """The same energy as a quadratic form in the coefficients of `splines`, built without the larger matrices."""
        axes = [
            [_spline_axis(n).T @ matrix @ _spline_axis(n) for matrix in _derivative_products(n, h, order)]
            for n, h in zip(self.shape, self.spacing, strict=True)
        ]
        return self._thin_plate(axes, lambda factors: sparse.csr_array(reduce(sparse.kron, factors)))

    def _thin_plate(self, axes: list[list[sparse.sparray]], tensor: Callable) -> sparse.csr_array:
        """Sum over all ways to share derivatives among the axes of the tensor products of axes[m][derivatives]."""
        order = len(axes[0]) - 1
        splits = [split for split in product(range(order + 1), repeat=self.dimension) if sum(split) == order]
        return sum(
            factorial(order)
            / np.prod([factorial(k) for k in split])
            * tensor([axes[m][k] for m, k in enumerate(split)])
            for split in splits
        )

    def splines(self) -> sparse.csr_array:
        """Matrix (size, prod(shape + 2)) from cubic B-spline coefficients to Hermite coefficients.

        Its range are the functions of the Q3 C1 space with continuous second derivatives along the axes: an eighth of
        the coefficients in three dimensions, for the same order of accuracy.
        """
        return self._tensor([_spline_axis(n) for n in self.shape])

    def _tensor(self, axes: list[sparse.sparray]) -> sparse.csr_array:
        """Kronecker product over the axes; rows (and columns, where those are coefficients) in coefficient order."""
        matrix = reduce(sparse.kron, axes).tocsr()
        # From (vertex 0, e_0, vertex 1, e_1, ...) to (vertex 0, vertex 1, ..., e_0, e_1, ...).
        interleaved = np.arange(self.size).reshape([k for n in self.shape for k in (n, 2)])
        order = interleaved.transpose([*range(0, 2 * self.dimension, 2), *range(1, 2 * self.dimension, 2)]).ravel()
        matrix = matrix[order]
        return sparse.csr_array(matrix[:, order] if matrix.shape[1] == self.size else matrix)


def _derivative_products(vertices: int, spacing: float, order: int) -> list[sparse.csr_array]:
    """Integrals of B_i^(k) B_j^(k) over an axis, k = 0 .. order, in units of x; each (2 vertices, 2 vertices)."""
    monomials = np.array([[1, 0, -3, 2], [0, 1, -2, 1], [0, 0, 3, -2], [0, 0, -1, 1]], float)  # rows: local basis
    products = []
    for k in range(order + 1):
        derivative = np.polynomial.polynomial.polyder(monomials, k, axis=1) if k else monomials
        power = np.arange(derivative.shape[1])
        cell = derivative @ (1 / (power[:, None] + power + 1)) @ derivative.T * spacing ** (1 - 2 * k)
        total = sparse.lil_array((2 * vertices, 2 * vertices))
        for first in range(0, 2 * (vertices - 1), 2):
            total[first : first + 4, first : first + 4] += cell
        products.append(total.tocsr())
    return products


def _spline_axis(vertices: int) -> sparse.csr_array:
    """Cubic B-spline coefficients of an axis to (value, derivative per grid unit) at its vertices."""
    matrix = sparse.lil_array((2 * vertices, vertices + 2))
    for i in range(vertices):
        matrix[2 * i, i : i + 3] = [1 / 6, 4 / 6, 1 / 6]
        matrix[2 * i + 1, i : i + 3] = [-1 / 2, 0, 1 / 2]
    return matrix.tocsr()


@njit(cache=True, nogil=True)
def basis_at(table, point, weight, slope):
    """Fill the weights (4^d,) and their gradient (d, 4^d) at a point (d,); return the first coefficient of its cell."""
    d = len(point)
    first = 0
    size = 1
    weight[0] = 1.0
    axis = np.empty((2, 4))
    for m in range(d):
        unit = (point[m] - table.lower[m]) / table.spacing[m]
        cell = min(max(int(np.floor(unit)), 0), table.cells[m] - 1)
        first += cell * table.stride[m]
        x = unit - cell
        if x < 0.0:
            axis[0] = (1.0, x, 0.0, 0.0)
            axis[1] = (0.0, 1.0, 0.0, 0.0)
        elif x > 1.0:
            axis[0] = (0.0, 0.0, 1.0, x - 1.0)
            axis[1] = (0.0, 0.0, 0.0, 1.0)
        else:
            axis[0] = ((1 + 2 * x) * (1 - x) ** 2, x * (1 - x) ** 2, x * x * (3 - 2 * x), x * x * (x - 1))
            axis[1] = (6 * x * (x - 1), (1 - x) * (1 - 3 * x), 6 * x * (1 - x), x * (3 * x - 2))
        # The tensor product grows in place, from the back, so that no entry is overwritten before it is used.
        for local in range(size - 1, -1, -1):
            factor = weight[local]
            for a in range(3, -1, -1):
                weight[4 * local + a] = factor * axis[0, a]
                slope[m, 4 * local + a] = factor * axis[1, a] / table.spacing[m]
            for n in range(m):
                factor = slope[n, local]
                for a in range(3, -1, -1):
                    slope[n, 4 * local + a] = factor * axis[0, a]
        size *= 4
    return first


@njit(cache=True, nogil=True)
def evaluate_at(table, coefficients, point, weight, slope, value, gradient):
    """Fill value (K,), gradient (K, d) of K functions, (K, size), and the basis at a point; return as `basis_at`."""
    first = basis_at(table, point, weight, slope)
    for k in range(coefficients.shape[0]):
        total = 0.0
        gradient[k] = 0.0
        for local in range(len(weight)):
            u = coefficients[k, first + table.offset[local]]
            total += u * weight[local]
            for m in range(len(point)):
                gradient[k, m] += u * slope[m, local]
        value[k] = total
    return first


@njit(cache=True, nogil=True)
def _evaluate_many(table, coefficients, points, value, gradient):
    """Fill value (n, K) and gradient (n, K, d) at points (n, d)."""
    weight = np.empty(len(table.offset))
    slope = np.empty((points.shape[1], len(table.offset)))
    for i in range(len(points)):
        evaluate_at(table, coefficients, points[i], weight, slope, value[i], gradient[i])


@njit(cache=True, nogil=True)
def _basis_many(table, points, index, weight):
    """Fill the nonzeros (n, 4^d) of the basis at points (n, d) and the coefficients they belong to."""
    slope = np.empty((points.shape[1], len(table.offset)))
    for i in range(len(points)):
        first = basis_at(table, points[i], weight[i], slope)
        for local in range(len(table.offset)):
            index[i, local] = first + table.offset[local]
