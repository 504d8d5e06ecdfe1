"""The reduced equation of a density: exact solutions, order of convergence, exact gradients."""

import numpy as np
import pytest

from dbd.continuum.box import Box
from dbd.continuum.density_equation import DensityModel
from dbd.numerics.hermite import HermiteGrid

GRID = HermiteGrid.covering((-7.0,), (-3.0,), (0.5,))


def coefficients(rate, transport, diffusion):
    """Constant functions F0, F1, F2."""
    u = np.zeros((3, GRID.size))
    u[:, ::2] = np.array([rate, transport, np.log(diffusion)])[:, None]
    return u


def rough(rng, u):
    """The functions with a random twice continuously differentiable function added to each."""
    splines = GRID.splines()
    noise = rng.standard_normal((3, splines.shape[1])) * np.array([0.1, 0.002, 0.1])[:, None]
    return u + (splines @ noise.T).T


def wave(boundary, cells, time, diffusion=0.02, decay=0.5):
    """Solution of diffusion and decay that starts at 200 + 100 cos: density at the centres of cells."""
    x = (np.arange(cells) + 0.5) / cells
    k = np.pi * (2 if boundary == "periodic" else 1)
    return np.exp(-decay * time) * (200 + 100 * np.cos(k * x) * np.exp(-diffusion * k**2 * time))


def error(boundary, cells, substeps):
    """Largest relative error at time 1."""
    model = DensityModel(Box((1.0,), boundary), cells, GRID, 0.5, substeps)
    nu = model.integrate(coefficients(0.5, -0.02, 0.02), -np.log(wave(boundary, cells, 0.0))[None], 2)
    return np.abs(np.exp(-nu[0, 2]) / wave(boundary, cells, 1.0) - 1).max()


@pytest.mark.slow
@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_diffusion_and_decay_are_solved_to_fourth_order_in_space(boundary):
    errors = [error(boundary, cells, 100) for cells in (16, 32, 64)]
    assert errors[-1] < 1e-5
    assert np.log2(errors[0] / errors[1]) > 3.5
    assert np.log2(errors[1] / errors[2]) > 3.7


def test_time_steps_are_of_fourth_order():
    """Against a solution with many more steps on the same cells, with functions that vary."""
    u = rough(np.random.default_rng(0), coefficients(0.5, -0.02, 0.02))
    start = -np.log(wave("periodic", 16, 0.0))[None]

    def end(substeps):
        return DensityModel(Box((1.0,), "periodic"), 16, GRID, 1.0, substeps).integrate(u, start, 1)[0, 1]

    exact = end(512)
    errors = [np.abs(end(substeps) - exact).max() for substeps in (8, 16, 32)]
    assert np.log2(errors[0] / errors[1]) > 3.7
    assert np.log2(errors[1] / errors[2]) > 3.7


def test_cell_means_are_of_fourth_order():
    x = lambda cells: (np.arange(cells) + 0.5) / cells  # noqa: E731
    for boundary, k in (("reflecting", 3 * np.pi), ("periodic", 4 * np.pi)):
        errors = []
        for cells in (32, 64):
            model = DensityModel(Box((1.0,), boundary), cells, GRID, 1.0, 1)
            mean = model.density(-np.log(2 + np.cos(k * x(cells))))
            exact = 2 + np.cos(k * x(cells)) * np.sin(k / cells / 2) / (k / cells / 2)
            errors.append(np.abs(mean - exact).max())
        assert np.log2(errors[0] / errors[1]) > 3.8


def problem(boundary, cells=24, starts=2, steps=6):
    """A model, rough functions, and data that the functions do not meet."""
    rng = np.random.default_rng(1)
    model = DensityModel(Box((1.0,), boundary), cells, GRID, 0.1, 6)
    u = rough(rng, coefficients(0.5, -0.02, 0.02))
    start = np.stack([-np.log(wave(boundary, cells, 0.2 * k)) for k in range(starts)])
    density = model.density(model.integrate(u, start, steps)) * (
        1 + 0.1 * rng.standard_normal((starts, steps + 1, cells))
    )
    weight = rng.random((starts, steps + 1))
    return model, u, start, density, weight


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_adjoint_gradient_is_the_derivative_of_the_discrete_action(boundary):
    """Central differences of fourth order along random directions: agreement to 1e-8 of the gradient's largest."""
    model, u, *data = problem(boundary)
    gradient = model.gradient(u, *data)
    for seed in range(6):
        v = rough(np.random.default_rng(seed), np.zeros_like(u))
        v /= np.abs(v).max()
        h = 1e-3
        values = [model.action(u + k * h * v, *data) for k in (-2, -1, 1, 2)]
        slope = np.dot([1, -8, 8, -1], values) / (12 * h)
        assert abs(slope - (gradient * v).sum()) < 1e-8 * (np.abs(gradient) * np.abs(v)).sum()


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
def test_adjoint_and_sensitivities_give_the_same_gradient(boundary):
    model, u, start, density, weight = problem(boundary)
    found, slope = model.sensitivities(u, start, density.shape[1] - 1)
    np.testing.assert_allclose(found, model.density(model.integrate(u, start, density.shape[1] - 1)), rtol=1e-13)
    by_density = weight[..., None] * (1 - density / found) / model.cells
    forwards = np.einsum("ktc,ktcp->p", by_density, slope).reshape(u.shape)
    backwards = model.gradient(u, start, density, weight)
    np.testing.assert_allclose(backwards, forwards, atol=1e-11 * np.abs(forwards).max())


def test_a_wrong_boundary_would_be_noticed():
    """The check above is sharp: the gradient of the other boundary is far off."""
    model, u, *data = problem("reflecting")
    other = DensityModel(Box((1.0,), "periodic"), model.cells, GRID, model.dt, model.substeps)
    right, wrong = model.gradient(u, *data), other.gradient(u, *data)
    assert np.abs(wrong - right).max() > 1e-3 * np.abs(right).max()


def test_functions_are_positive_where_they_must_be():
    model, u, *_ = problem("periodic")
    values = model.functions(u, np.linspace(-9, -1, 50))
    assert values.shape == (3, 50)
    assert (values[2] > 0).all()


def test_a_solution_that_blows_up_has_an_infinite_action():
    model, u, *data = problem("periodic")
    u[2, ::2] = np.log(1e3)
    assert model.action(u, *data) == np.inf


def test_bad_models_are_refused():
    with pytest.raises(ValueError, match="interval"):
        DensityModel(Box((1.0, 1.0)), 16, GRID, 0.1, 1)
    with pytest.raises(ValueError, match="cells"):
        DensityModel(Box((1.0,)), 4, GRID, 0.1, 1)
