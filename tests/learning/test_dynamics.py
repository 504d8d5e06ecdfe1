"""Integrators, their exact discrete adjoint and sensitivities."""

import itertools

import numpy as np
import pytest

from dbd.learning import dynamics
from dbd.learning.dynamics import Dynamics, quadrature
from dbd.learning.sliding_window import released_share
from dbd.numerics.hermite import HermiteGrid

GRID = HermiteGrid((-1.0, -1.0), (0.5, 0.4), (5, 6))
STEPS = 12


@pytest.fixture
def rng():
    """Random numbers that are the same in every test."""
    return np.random.default_rng(2)


class Chain:
    """Open chain of eight sites with bias, pairs and triplets, by enumeration of its 256 states."""

    def __init__(self):
        s = np.array(list(itertools.product((0, 1), repeat=8)), float)
        pairs = s[:, 1:] * s[:, :-1]
        self.statistics = np.stack([s.sum(1), pairs.sum(1), (pairs[:, 1:] * s[:, :-2]).sum(1)], axis=1)

    def divergence(self, theta, target):
        """D_KL(target || model) up to the entropy of the target, (...,), and its gradient, (..., 3)."""
        energy = theta @ self.statistics.T
        top = energy.max(axis=-1, keepdims=True)
        weight = np.exp(energy - top)
        z = weight.sum(axis=-1, keepdims=True)
        gradient = weight @ self.statistics / z - target
        return np.log(z[..., 0]) + top[..., 0] - (theta * target).sum(axis=-1), gradient


def bicubic(count, rng):
    """Coefficients of random bicubic polynomials: smooth, so that differences converge fast; (count, GRID.size)."""
    axes = []
    for lower, spacing, vertices in zip(GRID.lower, GRID.spacing, GRID.shape, strict=True):
        x = lower + spacing * np.arange(vertices)
        axes.append(np.stack([[x**p, p * spacing * x ** max(p - 1, 0)] for p in range(4)], axis=-1))
    return np.einsum("evp,fwq,kpq->kvwef", *axes, rng.normal(size=(count, 4, 4))).reshape(count, -1)


def problem(rng, integrator, substeps):
    """Three parameters of which the last and the first, in this order, are the domain; random right-hand sides."""
    model = Dynamics(GRID, 3, (2, 0), 0.02, integrator, substeps)
    u = bicubic(3, rng)
    initial = rng.uniform(-0.8, 0.8, (11, 3))
    target = rng.uniform(0.5, 3.0, (11, STEPS + 1, 3))
    return model, u, initial, target


def action(model, u, initial, target):
    """Discretised action and its partial derivatives along the trajectories."""
    states = model.integrate(u, initial, STEPS)
    weights = quadrature(STEPS, model.dt)
    divergence, gradient = Chain().divergence(states, target)
    return (divergence * weights).sum(), states, gradient * weights[:, None]


each_scheme = pytest.mark.parametrize(("integrator", "substeps"), [("euler", 1), ("euler", 3), ("rk4", 1), ("rk4", 2)])


def derivative_along(function):
    """Derivative of function(step) at 0 by Richardson extrapolation of central differences."""
    coarse, fine = ((function(h) - function(-h)) / (2 * h) for h in (2e-4, 1e-4))
    return (4 * fine - coarse) / 3


@pytest.mark.parametrize(("integrator", "order"), [("euler", 1), ("rk4", 4)])
def test_order_of_convergence(integrator, order):
    """Against the solution of d x / dt = - x^3, a right-hand side that the elements represent exactly."""
    grid = HermiteGrid((0.0,), (0.5,), (4,))
    x = 0.5 * np.arange(4)
    u = np.stack([-(x**3), -3 * x**2 * 0.5], axis=1).reshape(1, -1)
    start = np.array([[0.4], [0.6]])
    exact = start / np.sqrt(1 + 2 * start**2 * 0.2 * np.arange(11))
    errors = [
        np.abs(Dynamics(grid, 1, (0,), 0.2, integrator, substeps).integrate(u, start, 10)[..., 0] - exact).max()
        for substeps in (4, 8, 16)
    ]
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), order, atol=0.15)


@each_scheme
def test_adjoint_is_the_derivative_of_the_action(integrator, substeps, rng):
    """Exact moments by enumeration; relative error below 1e-9 along random directions, for u and for theta(0)."""
    model, u, initial, target = problem(rng, integrator, substeps)
    _, states, gradients = action(model, u, initial, target)
    by_u, by_initial = model.adjoint(u, states, gradients)
    for _ in range(3):
        direction = rng.normal(size=u.shape)
        expected = derivative_along(lambda h, d=direction: action(model, u + h * d, initial, target)[0])
        assert (by_u * direction).sum() == pytest.approx(expected, rel=1e-9)
        direction = rng.normal(size=initial.shape)
        expected = derivative_along(lambda h, d=direction: action(model, u, initial + h * d, target)[0])
        assert (by_initial * direction).sum() == pytest.approx(expected, rel=1e-9)


def euler_adjoint(model, u, states, gradients, transposed):
    """Slow adjoint of Euler's scheme with one substep: dS/du, given how to pull an adjoint back through dF/dtheta_D."""
    domain = list(model.domain)
    by_u = np.zeros_like(u)
    for states_r, gradients_r in zip(states, gradients, strict=True):
        pulled = np.zeros(model.parameters)
        for n in range(STEPS, 0, -1):
            pulled = pulled + gradients_r[n]
            point = states_r[n - 1 : n][:, domain]
            by_u += model.dt * np.outer(pulled, model.grid.basis(point).toarray()[0])
            pulled[domain] += model.dt * transposed(model.grid.gradient(u, point)[0], pulled)
    return by_u


@pytest.mark.parametrize(
    ("transposed", "wrong"),
    [
        (lambda jacobian, adjoint: jacobian.T @ adjoint, False),
        # The published code: of the sum over right-hand sides the last term alone; no division by the grid spacing.
        (lambda jacobian, adjoint: jacobian[-1] * adjoint[-1], True),
        (lambda jacobian, adjoint: (jacobian * GRID.spacing).T @ adjoint, True),
    ],
)
def test_published_adjoint_is_not_the_gradient(transposed, wrong, rng):
    """The slow adjoint agrees to rounding, either published one is off by more than a percent."""
    model, u, initial, target = problem(rng, "euler", 1)
    _, states, gradients = action(model, u, initial, target)
    exact, _ = model.adjoint(u, states, gradients)
    error = np.linalg.norm(euler_adjoint(model, u, states, gradients, transposed) - exact) / np.linalg.norm(exact)
    assert error > 1e-2 if wrong else error < 1e-12, error


def test_released_adjoint_is_the_slow_one(rng):
    """The option that takes over both mistakes of the released code."""
    model, u, initial, target = problem(rng, "euler", 1)
    _, states, gradients = action(model, u, initial, target)
    found, _ = model.adjoint(u, states, gradients, share=released_share(model))
    wanted = euler_adjoint(model, u, states, gradients, lambda j, adjoint: j[-1] * GRID.spacing * adjoint[-1])
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)


@each_scheme
def test_adjoint_outside_the_grid(integrator, substeps, rng):
    """The linear extension is consistent: trajectories that leave the grid have an exact adjoint as well."""
    model, u, initial, target = problem(rng, integrator, substeps)
    initial = initial * 1.5
    _, states, gradients = action(model, u, initial, target)
    assert (model.excess(states).max(axis=1) > 0).any()
    by_u, _ = model.adjoint(u, states, gradients)
    direction = rng.normal(size=u.shape)
    expected = derivative_along(lambda h: action(model, u + h * direction, initial, target)[0])
    assert (by_u * direction).sum() == pytest.approx(expected, rel=1e-8)


@each_scheme
def test_sensitivities_are_derivatives_and_the_transpose_of_the_adjoint(integrator, substeps, rng):
    """D theta(t)/du by finite differences, and <g, S v> = <S^T g, v> to rounding."""
    model, u, initial, target = problem(rng, integrator, substeps)
    _, states, gradients = action(model, u, initial, target)
    direction = rng.normal(size=u.shape)
    by_u, _ = model.adjoint(u, states, gradients)
    summed = np.zeros_like(u)
    for r in range(len(initial)):
        touched, derivative = model.sensitivity(u, states[r])
        expected = derivative_along(lambda h, r=r: model.integrate(u + h * direction, initial[r : r + 1], STEPS)[0])
        actual = np.einsum("nklj,lj->nk", derivative, direction[:, touched])
        np.testing.assert_allclose(actual, expected, rtol=1e-8, atol=1e-10)
        summed[:, touched] += np.einsum("nklj,nk->lj", derivative, gradients[r])
    np.testing.assert_allclose(summed, by_u, rtol=1e-11, atol=1e-12 * np.abs(by_u).max())


def test_a_wrong_transpose_is_caught(rng, monkeypatch):
    """An adjoint with the Jacobian of the domain parameters not transposed is far from the finite difference."""
    model = Dynamics(GRID, 2, (0, 1), 0.05)
    u, initial = bicubic(2, rng), rng.uniform(-0.5, 0.5, (4, 2))
    gradients = rng.normal(size=(4, STEPS + 1, 2))
    direction = rng.normal(size=u.shape)

    def objective(h):
        return (model.integrate(u + h * direction, initial, STEPS) * gradients).sum()

    def adjoint():
        return (model.adjoint(u, model.integrate(u, initial, STEPS), gradients)[0] * direction).sum()

    expected = derivative_along(objective)
    assert adjoint() == pytest.approx(expected, rel=1e-9)

    step = dynamics.advance.py_func

    def transposed(*arguments):
        step(*arguments)
        jacobian = arguments[5][2]
        jacobian[:] = jacobian.transpose(0, 2, 1).copy()

    monkeypatch.setattr(dynamics, "advance", transposed)
    monkeypatch.setattr(dynamics, "add_gradient", dynamics.add_gradient.py_func)
    assert adjoint() != pytest.approx(expected, rel=1e-3)


def test_a_window_is_a_slice(rng):
    """The adjoint of a slice is the derivative of the trajectory that starts there."""
    model, u, initial, _ = problem(rng, "rk4", 1)
    states = model.integrate(u, initial, STEPS)
    gradients = rng.normal(size=states.shape)
    direction = rng.normal(size=u.shape)
    window = slice(4, 9)

    def objective(h):
        return (model.integrate(u + h * direction, states[:, 4], 4) * gradients[:, window]).sum()

    by_u, _ = model.adjoint(u, states[:, window], gradients[:, window])
    assert (by_u * direction).sum() == pytest.approx(derivative_along(objective), rel=1e-9)


def test_threads_do_not_change_a_bit(rng):
    """More blocks than threads; equality of bytes."""
    model, u, initial, target = problem(rng, "rk4", 1)
    initial, target = np.tile(initial, (3, 1)), np.tile(target, (3, 1, 1))
    _, states, gradients = action(model, u, initial, target)
    one, two = (model.adjoint(u, states, gradients, threads) for threads in (1, 2))
    assert (one[0] == two[0]).all()
    assert (one[1] == two[1]).all()
    assert (model.integrate(u, initial, STEPS, 2) == states).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"integrator": "heun"}, "euler, rk4"),
        ({"dt": 0.0}, "positive"),
        ({"domain": (0,)}, "2 parameters"),
        ({"domain": (0, 3)}, "0 .. 2"),
    ],
)
def test_bad_dynamics_are_refused(change, message):
    """One line that says what is expected."""
    with pytest.raises(ValueError, match=message):
        Dynamics(**{"grid": GRID, "parameters": 3, "domain": (0, 1), "dt": 0.1} | change)
