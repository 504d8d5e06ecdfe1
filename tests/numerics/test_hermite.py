"""Q3 C1 elements: exactness for cubics, smoothness, order, derivatives, splines, roughness."""

import itertools

import numpy as np
import pytest
from scipy import sparse

from dbd.numerics.hermite import HermiteGrid

GRIDS = [
    HermiteGrid((-1.0,), (0.4,), (6,)),
    HermiteGrid((0.3, -2.0), (0.5, 0.7), (3, 5)),
    HermiteGrid((-1.0, 0.0, 2.0), (0.5, 0.05, 1.5), (4, 3, 2)),
    HermiteGrid((0.0, 0.0, 0.0, 0.0), (1.0, 0.5, 0.3, 0.2), (2, 3, 2, 2)),
]
each_grid = pytest.mark.parametrize("grid", GRIDS, ids=lambda grid: f"{grid.dimension}d")


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(1)


def inside(grid, rng, n=200):
    """Random points in the grid."""
    return rng.uniform(grid.lower, grid.upper, (n, grid.dimension))


def interpolate(grid, derivatives):
    """Coefficients of the interpolant of a product of one-variable functions; derivatives[m] = (f, f')."""
    axes = []
    for m, (value, slope) in enumerate(derivatives):
        vertices = grid.lower[m] + grid.spacing[m] * np.arange(grid.shape[m])
        axes.append(np.stack([value(vertices), slope(vertices) * grid.spacing[m]], axis=1))
    d = grid.dimension
    letters, bits = "abcd"[:d], "wxyz"[:d]
    rule = ",".join(v + e for v, e in zip(letters, bits, strict=True)) + "->" + letters + bits
    return np.einsum(rule, *axes).ravel()


@each_grid
def test_cubics_are_reproduced(grid, rng):
    """Products of cubics, one an axis, are in the space: value and gradient are exact."""
    polynomials = [np.polynomial.Polynomial(rng.normal(size=4)) for _ in range(grid.dimension)]
    u = interpolate(grid, [(p, p.deriv()) for p in polynomials])
    points = inside(grid, rng)
    value, gradient = grid.evaluate(u[None], points)
    factors = np.stack([p(x) for p, x in zip(polynomials, points.T, strict=True)])
    np.testing.assert_allclose(value[:, 0], factors.prod(axis=0), rtol=1e-11, atol=1e-11)
    for m, p in enumerate(polynomials):
        expected = np.delete(factors, m, axis=0).prod(axis=0) * p.deriv()(points[:, m])
        np.testing.assert_allclose(gradient[:, 0, m], expected, rtol=1e-9, atol=1e-9)


@each_grid
def test_value_and_gradient_are_continuous_everywhere(grid, rng):
    """Across every cell face and the boundary of the grid, for random coefficients."""
    u = rng.normal(size=(2, grid.size))
    for axis in range(grid.dimension):
        for vertex in range(grid.shape[axis]):
            points = inside(grid, rng, 20)
            points[:, axis] = grid.lower[axis] + vertex * grid.spacing[axis]
            step = np.zeros(grid.dimension)
            step[axis] = 1e-10 * grid.spacing[axis]
            for left, right in zip(grid.evaluate(u, points - step), grid.evaluate(u, points + step), strict=True):
                np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6)


@each_grid
def test_gradient_is_that_of_the_value(grid, rng):
    """Central differences, inside the grid and outside."""
    u = rng.normal(size=(3, grid.size))
    points = rng.uniform(
        np.array(grid.lower) - grid.spacing, np.array(grid.upper) + grid.spacing, (300, grid.dimension)
    )
    gradient = grid.gradient(u, points)
    for axis in range(grid.dimension):
        step = np.zeros(grid.dimension)
        step[axis] = 1e-5 * grid.spacing[axis]
        difference = (grid.value(u, points + step) - grid.value(u, points - step)) / (2 * step[axis])
        np.testing.assert_allclose(gradient[:, :, axis], difference, rtol=1e-5, atol=1e-5 / grid.spacing[axis])


@each_grid
def test_basis_matrix_is_the_kernel(grid, rng):
    """4^d nonzeros a point; the matrix times the coefficients is the value."""
    points = inside(grid, rng, 50)
    u = rng.normal(size=(2, grid.size))
    basis = grid.basis(points)
    assert (np.diff(basis.indptr) == 4**grid.dimension).all()
    np.testing.assert_allclose(basis @ u.T, grid.value(u, points), rtol=1e-12, atol=1e-12)


def test_outside_the_grid_goes_on_linearly_and_is_reported():
    """One axis: a straight line from the boundary; the excess is in grid units."""
    grid = HermiteGrid((1.0,), (0.5,), (3,))
    u = interpolate(grid, [(np.sin, np.cos)])[None]
    np.testing.assert_allclose(grid.value(u, [[0.2]])[0, 0], np.sin(1.0) - 0.8 * np.cos(1.0))
    np.testing.assert_allclose(grid.value(u, [[2.7]])[0, 0], np.sin(2.0) + 0.7 * np.cos(2.0))
    np.testing.assert_allclose(grid.excess([[0.5], [1.0], [1.7], [2.0], [2.75]]), [1, 0, 0, 0, 1.5], atol=1e-14)


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_interpolation_is_of_fourth_order(dimension, rng):
    """Halving the spacing divides the largest error by 16."""
    points = rng.uniform(0, 1, (2000, dimension))
    errors = []
    for cells in (4, 8, 16):
        grid = HermiteGrid((0.0,) * dimension, (1 / cells,) * dimension, (cells + 1,) * dimension)
        u = interpolate(grid, [(lambda x: np.sin(2 * x), lambda x: 2 * np.cos(2 * x))] * dimension)[None]
        errors.append(np.abs(grid.value(u, points)[:, 0] - np.sin(2 * points).prod(axis=1)).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert (np.abs(orders - 4) < 0.4).all()


@each_grid
def test_splines_have_continuous_second_derivatives(grid, rng):
    """The second difference across an inner vertex is the same from both sides; random Hermite coefficients fail."""

    def jump(u):
        """Largest jump of the second derivative along an axis, over inner faces, in grid units."""
        largest = 0.0
        for axis in range(grid.dimension):
            for vertex in range(1, grid.shape[axis] - 1):
                points = inside(grid, rng, 10)
                points[:, axis] = grid.lower[axis] + vertex * grid.spacing[axis]
                step = np.zeros(grid.dimension)
                step[axis] = 1e-5 * grid.spacing[axis]
                here = grid.gradient(u, points)[:, :, axis]
                right = grid.gradient(u, points + step)[:, :, axis] - here
                left = here - grid.gradient(u, points - step)[:, :, axis]
                largest = max(largest, np.abs(right - left).max() / 1e-5 * grid.spacing[axis])
        return largest

    splines = grid.splines()
    assert splines.shape == (grid.size, np.prod(np.add(grid.shape, 2)))
    assert jump((splines @ rng.normal(size=splines.shape[1]))[None]) < 1e-2
    assert jump(rng.normal(size=(1, grid.size))) > 1
    # The splines are the whole C2 subspace only if none of them is lost.
    gram = (splines.T @ splines).toarray()
    assert np.linalg.eigvalsh(gram)[0] > 1e-8


@each_grid
def test_splines_contain_cubics(grid, rng):
    """A product of cubics has spline coefficients."""
    polynomials = [np.polynomial.Polynomial(rng.normal(size=4)) for _ in range(grid.dimension)]
    u = interpolate(grid, [(p, p.deriv()) for p in polynomials])
    c = sparse.linalg.lsqr(grid.splines(), u, atol=1e-14, btol=1e-14, iter_lim=5000)[0]
    np.testing.assert_allclose(grid.splines() @ c, u, atol=1e-7 * np.abs(u).max())


@each_grid
def test_roughness_is_the_thin_plate_energy(grid, rng):
    """Against Gauss quadrature of second differences of the gradient; zero for linear functions; symmetric."""
    roughness = grid.roughness()
    assert np.abs((roughness - roughness.T).data).max(initial=0.0) < 1e-9 * np.abs(roughness.data).max()
    u = rng.normal(size=grid.size)
    node, weight = np.polynomial.legendre.leggauss(4)
    axes, weights = [], []
    for m in range(grid.dimension):
        cell = grid.lower[m] + grid.spacing[m] * np.arange(grid.shape[m] - 1)
        axes.append((cell[:, None] + grid.spacing[m] * (node + 1) / 2).ravel())
        weights.append(np.tile(weight * grid.spacing[m] / 2, grid.shape[m] - 1))
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, grid.dimension)
    measure = np.prod(np.stack(np.meshgrid(*weights, indexing="ij"), axis=-1).reshape(-1, grid.dimension), axis=1)
    energy = 0.0
    for m in range(grid.dimension):
        step = np.zeros(grid.dimension)
        step[m] = 1e-4 * grid.spacing[m]
        second = (grid.gradient(u[None], points + step) - grid.gradient(u[None], points - step))[:, 0] / (2 * step[m])
        energy += measure @ (second**2).sum(axis=1)
    np.testing.assert_allclose(u @ roughness @ u, energy, rtol=1e-6)

    slope = rng.normal(size=grid.dimension)
    linear = np.zeros((*grid.shape, 2**grid.dimension))
    for m in range(grid.dimension):
        x = grid.lower[m] + grid.spacing[m] * np.arange(grid.shape[m])
        linear[..., 0] += slope[m] * x.reshape([-1 if n == m else 1 for n in range(grid.dimension)])
        linear[..., 2 ** (grid.dimension - 1 - m)] = slope[m] * grid.spacing[m]
    scale = np.abs(roughness).sum(axis=1).max() * np.abs(linear).max() ** 2
    assert np.abs(roughness @ linear.ravel()).max() < 1e-10 * scale


def test_covering_reaches_the_upper_end():
    """Whole cells from the lower end; an upper end on a vertex adds no cell."""
    grid = HermiteGrid.covering([-1.0, 0.0], [1.0, 0.31], [0.5, 0.1])
    assert grid.shape == (5, 5)
    assert grid.upper == pytest.approx((1.0, 0.4))


@pytest.mark.parametrize(
    ("lower", "spacing", "shape", "message"),
    [
        ((0.0,), (1.0, 1.0), (2, 2), "same number"),
        ((0.0,) * 5, (1.0,) * 5, (2,) * 5, "one to four"),
        ((0.0,), (0.0,), (2,), "positive"),
        ((0.0,), (1.0,), (1,), "two vertices"),
    ],
)
def test_bad_grids_are_refused(lower, spacing, shape, message):
    """One line that says what is expected."""
    with pytest.raises(ValueError, match=message):
        HermiteGrid(lower, spacing, shape)


@each_grid
@pytest.mark.parametrize("order", [1, 2, 3])
def test_roughness_of_a_product_of_cubics(grid, order, rng):
    """The energy of every order splits into integrals along the axes, which polynomials do exactly."""
    polynomials = [np.polynomial.Polynomial(rng.normal(size=4)) for _ in range(grid.dimension)]
    u = interpolate(grid, [(p, p.deriv()) for p in polynomials])
    energy = 0.0
    for axes in itertools.product(range(grid.dimension), repeat=order):
        term = 1.0
        for m, p in enumerate(polynomials):
            square = (p.deriv(axes.count(m)) ** 2).integ()
            term *= square(grid.upper[m]) - square(grid.lower[m])
        energy += term
    np.testing.assert_allclose(u @ grid.roughness(order) @ u, energy, rtol=1e-8)


def test_roughness_of_splines_is_that_of_the_elements():
    grid = HermiteGrid.covering((0, 0, 0), (1, 1.5, 2), (0.5, 0.5, 0.25))
    splines = grid.splines()
    for order in (1, 2, 3):
        expected = (splines.T @ grid.roughness(order) @ splines).toarray()
        np.testing.assert_allclose(grid.spline_roughness(order).toarray(), expected, atol=1e-10 * expected.max())
