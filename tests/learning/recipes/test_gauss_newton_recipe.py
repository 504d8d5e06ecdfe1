"""Recipe gauss_newton: phases, choice of the roughness, recovery of known dynamics, resuming."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr
from scipy.stats import qmc

from dbd.boltzmann.energy import EnergyModel
from dbd.closure.prediction import changes_of_trajectories
from dbd.lattice.geometry import Lattice
from dbd.learning.divergence import Divergence
from dbd.learning.problem import Problem
from dbd.learning.recipes.gauss_newton import PIECES, WARM_UP, GaussNewton
from dbd.learning.uncertainty import NORMAL
from dbd.numerics.random_streams import stream
from learn_gauss_newton import learn_gauss_newton
from learning_problems import CHAIN, DYNAMICS, true_splines

STEPS = 20
ROUGHNESS = (1e-1, 1e-5)


@pytest.fixture(scope="module")
def recipe():
    """Exact moments along the trajectories of known dynamics, to learn from."""
    initial = np.random.default_rng(5).uniform(-0.9, 0.9, (15, 2))
    theta = Problem(DYNAMICS, initial, None, STEPS, 1e-5).trajectories(true_splines())
    divergence = Divergence.of(CHAIN, CHAIN.cumulants(theta).mean[..., :2], ("A", "AA"), 50)
    return GaussNewton(divergence, DYNAMICS, initial, ROUGHNESS, np.arange(15) % 3, 15, 1e-4)


@pytest.fixture(scope="module")
def states(recipe):
    """All states of the recipe."""
    return list(recipe.states(None))


def test_pieces_come_before_whole_trajectories(states):
    """Phases follow one another; pieces are left after a few steps; histories grow by one number a step."""
    phases = [int(state["phase"]) for state in states]
    assert phases == sorted(phases)
    warm_up = sum(length < STEPS for length in PIECES)
    assert set(phases) == set(range(phases[-1] + 1)) and phases[-1] >= warm_up
    assert all(phases.count(phase) <= WARM_UP[0] for phase in range(warm_up))
    assert [len(state["action"]) for state in states] == list(range(1, len(states) + 1))
    assert all(len(state["gradient_norm"]) == len(state["action"]) for state in states)


def test_cross_validation_chooses_the_roughness(states):
    """Exact data of curved right-hand sides: the stiff candidate, tried first, is given up for the other one."""
    chosen = [float(state["roughness"]) for state in states]
    assert (chosen[0], chosen[-1]) == ROUGHNESS


def test_known_dynamics_are_recovered(recipe, states):
    """Trajectories from new initial conditions are those of the truth."""
    fresh = Problem(DYNAMICS, np.random.default_rng(6).uniform(-0.7, 0.7, (10, 2)), None, STEPS, 1e-5)
    found = DYNAMICS.integrate(states[-1]["u"], fresh.initial, STEPS)
    assert np.abs(found - fresh.trajectories(true_splines())).max() < 0.03
    assert states[-1]["action"][-1] < 1e-2


@pytest.mark.slow
def test_resuming_gives_the_same_bytes(recipe, states):
    """From the first and the last state of every phase, with one thread and with two."""
    phases = np.array([int(state["phase"]) for state in states])
    ends = np.flatnonzero(np.diff(phases, append=-1))
    for index in {0, *ends, *(ends[:-1] + 1)}:
        *_, last = [states[index], *replace(recipe, threads=2).states(states[index])]
        assert last.keys() == states[-1].keys()
        for name, array in last.items():
            np.testing.assert_array_equal(array, states[-1][name], err_msg=f"{name} after state {index}")


def test_a_single_initial_condition_keeps_the_first_roughness(recipe):
    """There is nothing to leave out."""
    data = recipe.divergence
    one = replace(data, mean=data.mean[:1], matched=data.matched[:1])
    alone = replace(recipe, divergence=one, initial=recipe.initial[:1], fold=np.zeros(1, int))
    assert {float(state["roughness"]) for state in alone.states(None)} == {ROUGHNESS[0]}


def widest(fold, points):
    """Largest distance of the mean of a fold's points from that of all, in standard errors."""
    scale = points.std(axis=0) * np.sqrt(np.unique(fold).size / len(points))
    means = np.stack([points[fold == k].mean(axis=0) for k in np.unique(fold)])
    return np.abs((means - points.mean(axis=0)) / scale).max()


def test_folds_are_no_slabs_of_a_sobol_sequence():
    """The script's are of equal size, spread over the box, and others for another model.

    The mean of half of the points is off by four standard errors of as many independent ones, 5.7 of its own, in one
    dimension of five with probability 1e-7; the seed is fixed. Taking every other point must be found out: it halves
    the box.
    """
    conditions, folds = 64, 2
    points = qmc.Sobol(5, scramble=True, rng=stream(1, "points")).random(conditions)
    mean = np.full((conditions, 1, 1), 8.0)
    learning = {"roughness": [1.0], "folds": folds, "steps": 1, "tolerance": 1.0}
    run = SimpleNamespace(
        section={"learning": learning},
        model=EnergyModel(Lattice((20,)), ("A",), ("A",)),
        dynamics=DYNAMICS,
        initial=np.zeros((conditions, 1)),
        means=mean,
        moments=xr.Dataset({"runs": ("initial_condition", np.full(conditions, 50))}, {"observable": ["A"]}),
    )

    def fold_of(model):
        run.generator = partial(stream, 1, "learn", "study", model)
        return learn_gauss_newton(run, 1).fold

    fold = fold_of("visible")
    assert np.bincount(fold).tolist() == [32, 32]
    assert (fold != fold_of("hidden")).any()
    assert widest(fold, points) < 4
    assert widest(np.arange(conditions) % folds, points) > 4


@pytest.mark.slow
def test_bands_of_90_percent_hold_the_truth(recipe):
    """Eight data sets with errors that last: fresh trajectories of the truth. With half of the bands they would not."""
    shares = []
    fresh, splines = np.random.default_rng(6).uniform(-0.7, 0.7, (10, 2)), DYNAMICS.grid.splines()
    truth = DYNAMICS.integrate(np.ascontiguousarray((splines @ true_splines().T).T), fresh, STEPS)
    exact = CHAIN.cumulants(
        DYNAMICS.integrate(np.ascontiguousarray((splines @ true_splines().T).T), recipe.initial, STEPS)
    )
    root = np.linalg.cholesky(exact.covariance[..., :2, :2] / 50)
    for k in range(8):
        rng = np.random.default_rng([8, k])
        error = [rng.normal(size=(15, 2))]
        for _ in range(STEPS):
            error.append(0.9 * error[-1] + np.sqrt(1 - 0.9**2) * rng.normal(size=(15, 2)))
        noise = np.einsum("rtij,trj->rti", root, error)
        data = Divergence.of(CHAIN, exact.mean[..., :2] + noise, ("A", "AA"), 50)
        noisy = replace(recipe, divergence=data, roughness=(1e-3,))
        *_, last = noisy.states(None)
        draws = noisy.draws(last, rng)
        theta = DYNAMICS.integrate(last["u"], fresh, STEPS)
        error = np.sqrt((changes_of_trajectories(DYNAMICS, last["u"], draws, theta) ** 2).mean(axis=0))
        off = np.abs(theta - truth)[:, 1:] / error[:, 1:]
        shares.append([(off < NORMAL).mean(), (off < NORMAL / 2).mean()])
    whole, half = np.mean(shares, axis=0)
    assert whole > 0.85 and half < 0.85
    assert replace(recipe, initial=recipe.initial[:1]).draws(last, rng) is None  # there is nothing to leave out
