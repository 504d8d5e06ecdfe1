"""Density and pair density of annihilation: exact limits, orders of convergence, closures, learning."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp
from test_particle_counts import pattern

from dbd.continuum.box import Box
from dbd.continuum.pair_equation import PairEquation
from dbd.continuum.pair_learning import LearnedClosure, PairData, learn_closure
from dbd.continuum.particle_counts import Tally, count_pairs, pair_volume
from dbd.continuum.point_patterns import clustered_pairs, jittered_pairs, jittered_points
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream

EQUATION = PairEquation(diffusion=0.0025, rate=100.0, radius=0.01, reach=0.3, bins=60, dt=0.05, substeps=10)
CLOSURE = LearnedClosure(EQUATION, HermiteGrid.covering((0.0,), (0.9,), (0.3,)))
POISSON = (20.0, np.full(60, 400.0))
CLUSTERS = (20.0, clustered_pairs(20.0, 2.0, 0.03, EQUATION.distance))


def exponent(value, slope=0.0):
    """Coefficients of A = value + slope * S / (1 + S)."""
    u = np.empty(CLOSURE.grid.size)
    u[::2], u[1::2] = value + slope * 0.3 * np.arange(4), slope * 0.3
    return u


def test_well_mixed_pairs_decay_as_the_rate_equation():
    """With every distance in reach but the last, no motion, and C = 1: d rho / dt = -rate p, p as 1 / r^2."""
    equation = PairEquation(0.0, 0.5, 0.99, 1.0, 100, 0.1, 20)
    one = lambda density, pair: np.ones(100)  # noqa: E731
    densities, pairs = equation.solve(one, 2.0, np.full(100, 4.0), 10)

    def rate(_, y):
        kappa = 2 * 0.5 * 0.99 * y[1] / y[0]
        return [-kappa * y[0], -0.5 * y[1] - 2 * kappa * y[1]]

    exact = solve_ivp(rate, (0, 1), [2.0, 4.0], rtol=1e-10, atol=1e-12).y[:, -1]
    assert densities[-1] == pytest.approx(exact[0], rel=2e-4)
    assert pairs[-1, 0] == pytest.approx(exact[1], rel=2e-4)


def test_lone_pairs_follow_the_doi_model():
    """At vanishing density the pair density is that of one diffusing pair: second order in the bin width."""

    def hole(bins):
        equation = PairEquation(0.0025, 100.0, 0.01, 0.3, bins, 0.1, 10)
        densities, pairs = equation.solve(equation.kirkwood, 1e-6, np.full(bins, 1e-12), 5)
        return 1e6 * (1 - densities[-1] / 1e-6), pairs[-1, -1] / densities[-1] ** 2

    coarse, middle, fine = (hole(bins)[0] for bins in (60, 120, 240))
    assert abs(np.log2((coarse - middle) / (middle - fine)) - 2) < 0.3
    assert hole(60)[1] == pytest.approx(1, abs=1e-3)


def test_steps_are_of_second_order():
    def end(substeps):
        equation = PairEquation(0.0025, 100.0, 0.01, 0.3, 60, 0.05, substeps)
        closure = LearnedClosure(equation, CLOSURE.grid).of(exponent(2.0, -2.0))
        return equation.solve(closure, *CLUSTERS, 3)[0][-1]

    errors = np.abs(np.array([end(substeps) for substeps in (10, 20, 40)]) - end(320))
    assert np.abs(np.log2(errors[:-1] / errors[1:]) - 2).max() < 0.3


def test_kirkwood_is_exponent_one_away_from_the_core():
    density, pair = CLUSTERS
    full, local = EQUATION.kirkwood(density, pair), CLOSURE.of(exponent(1.0))(density, pair)
    np.testing.assert_allclose(full[10:], local[10:], rtol=0.02)
    np.testing.assert_allclose(EQUATION.kirkwood(*POISSON), 1)


def test_fluctuations_of_known_patterns():
    equation = PairEquation(0.0025, 100.0, 0.01, 2.0, 400, 0.1, 1)
    assert equation.fluctuation(*(20.0, np.full(400, 400.0))) == pytest.approx(1)
    clusters = clustered_pairs(20.0, 2.0, 0.03, equation.distance)
    assert equation.fluctuation(20.0, clusters) == pytest.approx(3, rel=1e-3)
    assert equation.fluctuation(20.0, jittered_pairs(20.0, 0.4, equation.distance)) < 0.05


def test_pair_density_of_a_jittered_chain():
    """Z scores of the pair density of 800 patterns in bins; another spread is noticed (each alarm below 1e-7)."""
    box, tally = Box((4.0,), "periodic"), Tally.empty(1, (1, 1, 1, 40))
    for run in range(800):
        points = jittered_points(stream(1, "jitter", run), box, 80, 0.3)
        tally.add(run, count_pairs(pattern(points), box, 0.2, 40, 1))
    fine = (np.arange(400) + 0.5) * 0.2 / 400
    volume = pair_volume(box, 0.2, 40)

    def z(spread):
        law = jittered_pairs(20.0, spread, fine).reshape(40, 10).mean(axis=1)
        return (tally.mean.ravel() / volume - law) / (tally.sem.ravel() / volume)

    assert np.abs(z(0.3)).max() < stats.norm.isf(1e-8)
    assert np.abs(z(0.36)).max() > stats.norm.isf(1e-8)


@pytest.mark.parametrize("start", [POISSON, CLUSTERS], ids=["poisson", "clusters"])
def test_sensitivities_against_differences(start):
    splines = CLOSURE.grid.splines()
    rng = np.random.default_rng(0)
    u = splines @ (1 + 0.2 * rng.standard_normal(splines.shape[1]))
    v = splines @ rng.standard_normal(splines.shape[1])
    densities, slope = CLOSURE.sensitivities(u, *start, 3)
    solve = lambda w: EQUATION.solve(CLOSURE.of(w), *start, 3)[0]  # noqa: E731
    np.testing.assert_allclose(densities, solve(u), rtol=1e-13)
    h = 1e-4
    differences = (solve(u + h * v) - solve(u - h * v)) / (2 * h)
    np.testing.assert_allclose(slope @ v, differences, atol=1e-6 * np.abs(differences).max())


def test_learning_gives_back_a_known_exponent():
    """Densities made with A = 2 - 2 S / (1 + S); the function is found where it was seen."""
    equation = PairEquation(0.0025, 100.0, 0.01, 0.3, 30, 0.05, 3)
    closure = LearnedClosure(equation, CLOSURE.grid)
    data = []
    for density, pair in (
        (20.0, np.full(30, 400.0)),
        (20.0, clustered_pairs(20.0, 1.0, 0.03, equation.distance)),
        (30.0, jittered_pairs(30.0, 0.3, equation.distance)),
    ):
        exact, _ = equation.solve(closure.of(exponent(2.0, -2.0)), density, pair, 8)
        data.append(PairData(density, pair, exact, 0.003 * exact))
    u, minimum = learn_closure(closure, data, 1e-2, 1e-2)
    assert minimum.expansion.value < 0.1
    at = np.linspace(0.3, 0.6, 7)
    np.testing.assert_allclose(CLOSURE.grid.value(u[None], at[:, None])[:, 0], 2 - 2 * at, atol=0.15)


def test_a_radius_between_bins_is_refused():
    with pytest.raises(ValueError, match="radius"):
        PairEquation(0.0025, 100.0, 0.0125, 0.3, 60, 0.05, 10)
