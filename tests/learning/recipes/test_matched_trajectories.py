"""Matched trajectories: derivatives of its action, what it learns, and resuming."""

from dataclasses import replace

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.family import CompositionAndCouplings, NaturalParameters
from dbd.boltzmann.independent_sites import independent_biases
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.learning.pieces import overlapping
from dbd.learning.recipes.matched_trajectories import MatchedTrajectories
from dbd.learning.sampled_matching import Ensemble, Matched
from dbd.learning.spanning_functions import spanning_functions
from dbd.numerics.hermite import HermiteGrid
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs

LATTICE = Lattice((8, 8), "periodic")
SPECIES = ("A", "P")  # an enzyme that finds no substrate at the start would do; here A becomes P, absent at first
NETWORK = ReactionNetwork.from_equations(SPECIES, [("A + A -> A + P", {"probability": 0.4}), ("P -> A", {"rate": 0.1})])
MODEL = EnergyModel(LATTICE, SPECIES, ("A", "P", "AA", "AP", "PP"))
STEPS = 12


def streams(*place):
    return np.random.default_rng([3, *place])


@pytest.fixture(scope="module")
def recipe():
    counts = []
    for condition, molecules in enumerate([12, 20, 28, 36]):
        generators = [np.random.default_rng([condition, run]) for run in range(30)]
        starts = np.stack([place_counts([molecules, 0], LATTICE, "uniform", generator) for generator in generators])
        occupancy, *_ = simulate_runs(starts, NETWORK, LATTICE, "uniform", 1.0, STEPS, generators)
        counts.append(count_observables(occupancy, LATTICE, SPECIES, MODEL.parameters))
    counts = np.array(counts, float)
    mean = counts.mean(axis=1)
    centred = counts[..., :2] - mean[:, None, :, :2]
    covariance = np.einsum("crti,crtj->ctij", centred, centred) / 29
    family = CompositionAndCouplings(MODEL)
    data = Ensemble(mean[..., :2] / LATTICE.size, covariance, family.words([]), mean[..., 2:], 30)
    held_out = np.arange(4) == 2
    initial = np.zeros((4, 5))
    initial[:, 0] = data.density[:, 0, 0]
    return MatchedTrajectories(family, NETWORK, data, held_out, initial, (0, 2), 1.0, 2, (1.0, 0.1), streams, 2)


@pytest.fixture(scope="module")
def states(recipe):
    return list(recipe.states(None))


def test_learned_trajectories_follow_the_data(recipe, states):
    learning = recipe.learning(Matched(*(states[-1][name] for name in Matched._fields)))
    path = learning.dynamics.integrate(states[-1]["u"], recipe.initial, STEPS)
    assert np.abs(path[..., :2] - recipe.data.density).max() < 0.03
    np.testing.assert_allclose(path[..., :2].sum(axis=-1), recipe.data.density.sum(axis=-1), rtol=1e-9)  # A + P
    freedoms = 4 * STEPS * 4  # one density and three couplings at every step
    assert states[-1]["action"][-1] < 2 * freedoms


def test_action_has_the_derivatives_that_learning_uses(recipe, states):
    problem = recipe.learning(Matched(*(states[0][name] for name in Matched._fields))).problem(STEPS)
    rng = np.random.default_rng(0)
    size = len(states[0]["point"])
    point, direction = 0.1 * rng.normal(size=(2, size))
    found = problem.expand(point)
    step = 1e-5
    slope = (problem.value(point + step * direction) - problem.value(point - step * direction)) / (2 * step)
    assert found.gradient @ direction == pytest.approx(slope, rel=1e-6)
    assert found.value == pytest.approx(problem.value(point), rel=1e-12)


@pytest.mark.slow
def test_spread_between_runs_is_learned(recipe):
    data = recipe.data
    initial = np.concatenate([recipe.initial, np.zeros((4, 3))], axis=1)
    spread = replace(recipe, family=CompositionAndCouplings(MODEL, spread=True), initial=initial)
    *_, last = spread.states(None)
    learning = spread.learning(Matched(*(last[name] for name in Matched._fields)))
    path = learning.dynamics.integrate(last["u"], initial, STEPS)
    late = slice(4, None)
    wanted = np.sqrt(data.covariance[:, late, 0, 0] / LATTICE.size).mean()
    assert np.sqrt(np.maximum(path[:, late, 5], 0)).mean() == pytest.approx(wanted, rel=0.15)
    metric = learning.metric[0, 6, 5:, 5:] / data.runs
    direction = np.array([[0.3, -0.2], [-0.2, 0.5]])  # d Sigma
    whole = data.covariance[0, 6] + (data.density[0, 6] * LATTICE.size + 1) * np.eye(2)
    moved = np.linalg.solve(whole, direction * LATTICE.size)
    values = direction[np.triu_indices(2)]
    assert values @ metric @ values == pytest.approx(np.trace(moved @ moved) / 2)


def test_goes_on_from_any_state_to_the_same_bytes(recipe, states):
    for kept in (states[0], states[-2]):
        again = list(recipe.states(kept))
        assert len(again) == len(states) - 1 - next(k for k, state in enumerate(states) if state is kept)
        for name in ("u", "action", "point"):
            np.testing.assert_array_equal(again[-1][name], states[-1][name])


@pytest.mark.slow
def test_natural_parameters_are_learned_too(recipe):
    """Densities then follow from biases and couplings; here those of independent sites are near enough."""
    mean = np.concatenate([LATTICE.size * recipe.data.density, recipe.data.counts], axis=-1)
    family = NaturalParameters(MODEL)
    data = replace(recipe.data, words=family.words([]), counts=mean)
    initial = np.zeros((4, 5))
    initial[:, :2] = independent_biases(np.maximum(mean[:, 0, :2], 0.5), LATTICE.size)
    natural = replace(recipe, family=family, network=None, data=data, initial=initial)
    *_, last = natural.states(None)
    learning = natural.learning(Matched(*(last[name] for name in Matched._fields)))
    assert learning.dynamics.functions == MODEL.parameters
    path = learning.dynamics.integrate(last["u"], initial, STEPS)
    weight = np.exp(path[..., :2])
    density = weight / (1 + weight.sum(axis=-1, keepdims=True))
    assert np.abs(density - recipe.data.density)[:, 4:].mean() < 0.06


def test_paths_start_where_trajectories_start(recipe, states):
    matched = Matched(*(states[0][name] for name in Matched._fields))
    np.testing.assert_array_equal(recipe.learning(matched).paths[:, 0], recipe.initial)


def test_span_takes_given_values_and_is_orthonormal_in_the_energy():
    grid = HermiteGrid((0.0,), (0.5,), (9,))
    points = np.linspace(0.5, 3.5, 7)[:, None]
    span = spanning_functions(grid, points)
    values = grid.value(span.T, points)
    wanted = np.sin(points[:, 0])
    coefficients = np.linalg.lstsq(values, wanted, rcond=None)[0]
    np.testing.assert_allclose(values @ coefficients, wanted, atol=1e-8)
    assert span.shape == (grid.size, 7)


def test_pieces_cover_trajectories():
    path = np.arange(2 * 11).reshape(2, 11, 1)
    cut = overlapping(path, 4)
    assert cut.shape == (6, 5, 1)
    np.testing.assert_array_equal(cut[:3, 0, 0], [0, 3, 6])
    assert set(cut[:3].ravel()) == set(range(11))


def test_derivatives_where_rates_differ(recipe, states):
    """Those of the dependence on a rate too; the other rate is the same in all."""
    rates = np.array([[0.4, 0.1], [0.4, 0.2], [0.4, 0.05], [0.4, 0.3]])
    varied = replace(recipe, constants=rates)
    learning = varied.learning(Matched(*(states[0][name] for name in Matched._fields)))
    assert np.isnan(learning.dynamics.reference[0]) and learning.dynamics.reference[1] == pytest.approx(0.1625)
    rng = np.random.default_rng(0)
    point, direction = 0.1 * rng.normal(size=(2, len(learning.free)))
    assert len(point) > len(states[0]["point"])
    for problem in (learning.problem(STEPS), learning.problem(4)):
        found, step = problem.expand(point), 1e-5
        slope = (problem.value(point + step * direction) - problem.value(point - step * direction)) / (2 * step)
        assert found.gradient @ direction == pytest.approx(slope, rel=1e-6)
