"""Learning the functions of the reduced equation: recovery from exact and from noisy data, error bands, descent."""

import numpy as np
import pytest
from scipy import stats

from dbd.continuum.box import Box
from dbd.continuum.density_equation import DensityModel
from dbd.continuum.density_learning import DensityData, DensityProblem, bootstrap, collect, continuation
from dbd.continuum.particle_counts import Tally
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.levenberg_marquardt import Expansion, minimise

MODEL = DensityModel(Box((1.0,)), 16, HermiteGrid.covering((-6.0,), (-3.0,), (1.0,)), 0.2, 4)
NU = np.linspace(-5.5, -3.7, 10)
SCALE = (1.0, 0.02, 1.0)


def truth():
    """F0 = exp(-nu) / 200, F1 = -0.02, F2 = 0.02 in the elements, and starts that show them."""
    u = np.zeros((3, MODEL.grid.size))
    vertices = -6.0 + np.arange(4)
    u[0, ::2], u[0, 1::2] = np.exp(-vertices) / 200, -np.exp(-vertices) / 200
    u[1, ::2], u[2, ::2] = -0.02, np.log(0.02)
    x = (np.arange(16) + 0.5) / 16
    start = -np.log([100 + 80 * np.cos(np.pi * x), 120 - 60 * np.cos(2 * np.pi * x), 150 + 40 * np.cos(3 * np.pi * x)])
    return u, start


def tallies(runs=400, groups=10, seed=0):
    """Poisson counts around the true densities of each start, in groups of runs."""
    rng = np.random.default_rng(seed)
    u, start = truth()
    cells, totals = [], []
    for mean in MODEL.density(MODEL.integrate(u, start, 8)) / 16:
        counts = rng.poisson(mean, (runs, *mean.shape))
        cell, total = Tally.empty(groups, mean.shape), Tally.empty(groups, mean.shape[:1])
        for run, count in enumerate(counts):
            cell.add(run, count)
            total.add(run, count.sum(axis=-1))
        cells.append(cell)
        totals.append(total)
    return start, cells, totals


def test_exact_data_give_back_the_functions():
    u, start = truth()
    density = MODEL.density(MODEL.integrate(u, start, 8))
    problem = DensityProblem(MODEL, DensityData(start, density, np.full((3, 9), 1e4)), 1e-4, SCALE)
    learned = problem.learn(problem.constant(0.01), 1e-9)
    assert learned.converged
    assert problem.misfit(learned.point) < 0.5
    found, exact = (MODEL.functions(c, NU) for c in (problem.coefficients(learned.point), u))
    np.testing.assert_allclose(found, exact, rtol=0.06)


def test_expansion_is_consistent_with_the_adjoint():
    start, cells, totals = tallies(40)
    problem = DensityProblem(MODEL, collect(start, cells, totals, 1.0), 3.0, SCALE)
    c = problem.constant(0.015) + 0.01 * np.random.default_rng(1).standard_normal(problem.splines.shape[1])
    backwards = problem.splines.T @ MODEL.gradient(problem.coefficients(c), *problem.data).ravel()
    np.testing.assert_allclose(problem.expand(c).gradient, backwards + problem.penalty @ c, rtol=1e-8)


def test_weights_are_runs_over_dispersion():
    start, cells, totals = tallies(400)
    data = collect(start, cells, totals, 1.0)
    assert (data.weight[:, 0] == 0).all()
    assert np.abs(data.weight[:, 1:] / 400 - 1).max() < 0.4
    np.testing.assert_allclose(data.density[0].mean(axis=-1), totals[0].mean)


def test_noisy_data_within_the_bootstrap_band():
    """Deviation from the truth in units of the band, where most of the data are: below the two-sided 1e-7 quantile.

    With 9 degrees of freedom of the band or more; a truth shifted by a tenth is outside it.
    """
    start, cells, totals = tallies()
    problem = DensityProblem(MODEL, collect(start, cells, totals, 1.0), 1.0, SCALE)
    stages, final, minimum = continuation(problem, (10.0, 1.0, 0.1), (2,), problem.constant(0.01), 1e-2)
    assert [stage.roughness for stage in stages] == [10.0, 1.0, 0.1]
    assert final.roughness in (10.0, 1.0, 0.1)
    replicates = bootstrap(np.random.default_rng(2), final, minimum, cells, 40)
    nu = np.linspace(-5.0, -4.4, 4)
    band = np.std([MODEL.functions(u, nu) for u in replicates], axis=0, ddof=1)
    found = MODEL.functions(final.coefficients(minimum.point), nu)
    exact = MODEL.functions(truth()[0], nu)
    z = stats.norm.isf(1e-7 / 2)
    assert (np.abs(found - exact) < z * band).all()
    assert (np.abs(found - 1.1 * exact) > z * band).any()
    # As many counts as 3 starts, 8 times and 16 cells: the misfit is about half of them, less the unknowns.
    assert abs(final.misfit(minimum.point) - 192) < 5.3 * np.sqrt(192)


def test_continuation_needs_something_to_learn_from():
    start, cells, totals = tallies(10)
    problem = DensityProblem(MODEL, collect(start, cells, totals, 1.0), 1.0, SCALE)
    for held_out in ((), (0, 1, 2)):
        with pytest.raises(ValueError, match="held_out"):
            continuation(problem, (1.0,), held_out, problem.constant(0.01), 1e-2)


def test_descent_of_a_quadratic_and_of_a_curved_valley():
    matrix = np.diag([1.0, 10.0, 100.0])
    quadratic = lambda x: 0.5 * (x - 1) @ matrix @ (x - 1)  # noqa: E731
    result = minimise(quadratic, lambda x: Expansion(quadratic(x), matrix @ (x - 1), matrix), np.zeros(3), 1e-12)
    np.testing.assert_allclose(result.point, 1, atol=1e-6)

    def residual(x):
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def expand(x):
        slope = np.array([[-20 * x[0], 10.0], [-1.0, 0.0]])
        r = residual(x)
        return Expansion(0.5 * r @ r, slope.T @ r, slope.T @ slope)

    result = minimise(lambda x: 0.5 * residual(x) @ residual(x), expand, np.array([-1.2, 1.0]), 1e-14)
    assert result.converged
    assert np.all(np.diff(result.history) < 0)
    np.testing.assert_allclose(result.point, 1, atol=1e-5)


def test_descent_avoids_where_the_function_does_not_exist():
    def value(x):
        return float(x[0] - np.log(x[0])) if x[0] > 0 else np.inf

    result = minimise(value, lambda x: Expansion(value(x), 1 - 1 / x, np.diag(0.1 / x**2)), np.array([3.0]), 1e-14)
    np.testing.assert_allclose(result.point, 1, atol=1e-5)
    with pytest.raises(ValueError, match="not finite"):
        minimise(value, lambda x: Expansion(value(x), x, np.eye(1)), np.array([-1.0]), 1e-3)
