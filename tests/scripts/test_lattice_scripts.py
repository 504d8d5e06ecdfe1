"""Scripts of studies in a box with sampled models, on a small box: tables, oracle, initial parameters, figures."""

from functools import partial

import numpy as np
import pytest
import xarray as xr
import yaml
from matplotlib import pyplot as plt

from compare_sweeps import LATTICES, compare_sweeps
from conftest import ROOT
from dbd.boltzmann.independent_sites import independent_biases
from dbd.build.learning_run import LearningRun
from dbd.build.model import build_dynamics, build_model
from dbd.numerics.random_streams import stream
from dbd.study.reading import load_study
from initial_parameters import METHODS, at_composition, independent, sampled
from learn_mixed_coordinates import dataset_of, learn_mixed_coordinates
from learn_path_tracking import learn_path_tracking
from match_oracle import composition_match, sampled_match
from plot_site_selection import plane_counts, plot_site_selection
from plot_visited_grid import plot_visited_grid, visited_edges
from plot_voxels import plot_voxels
from predict_moments import predict_moments

COUNTS = ("initial_condition", "time", "observable")
TIMES = 21


@pytest.fixture(scope="module")
def settings():
    smoke = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["overrides"]["rossler"]
    return load_study(ROOT / "config" / "studies" / "rossler.yaml", smoke).model_dump(mode="json")


@pytest.fixture(scope="module")
def moments(settings):
    """Means of independent sites whose densities change."""
    density = (12 + np.linspace(0, 1, TIMES)[:, None] * np.array([6.0, -4.0, 2.0])) / 64
    letters = [[settings["species"].index(letter) for letter in word] for word in settings["observables"]]
    orders = [64 if len(word) == 1 else 144 * (1 + (word[0] != word[1])) for word in letters]  # 144 bonds
    mean = np.stack([number * density[:, word].prod(axis=1) for number, word in zip(orders, letters, strict=True)])
    mean = mean.T[None]
    return xr.Dataset(
        {"mean": (COUNTS, mean), "std": (COUNTS, 0.2 * mean), "sem": (COUNTS, 0.02 * mean)},
        coords={"observable": settings["observables"], "step": ("time", range(TIMES)), "time": 0.01 * np.arange(TIMES)},
    )


@pytest.fixture(scope="module")
def predictions(settings, moments):
    """Trajectories of independent sites, right for these moments."""
    shown = {}
    counts = moments["mean"].sel(observable=settings["species"]).values[:, :13]
    for name, section in settings["models"].items():
        model = build_model(settings, section)
        theta = np.zeros((*counts.shape[:2], len(model.parameters)))
        mixed = section["family"] == "composition"
        theta[..., :3] = counts / 64 if mixed else independent_biases(counts, model.lattice.size)
        shown[name] = xr.Dataset(
            {"theta": (("initial_condition", "time", "parameter"), theta)},
            coords={"parameter": list(model.parameters)},
        )
    return shown


def generator_of(*place):
    return stream(3, "box scripts", *place)


def test_sweeps_make_no_difference_without_couplings(settings, moments, predictions):
    """The mean of nine errors of the lattices is near that of their noise for both laws; false alarms below 1e-6."""
    table = compare_sweeps(settings, moments, predictions, generator_of)
    starts = sum(3 if section["family"] == "composition" else 2 for section in settings["models"].values())
    assert len(table) == 2 * starts * 10  # each model's own number of sweeps and another one
    errors = table.set_index(["model", "start", "sweeps", "observable"]).rmse
    noise = np.sqrt(14 * 50 / 64 / LATTICES)  # binomial
    natural = "pairwise_equilibrium", "empty"
    assert all(0.4 * noise < errors[*natural, sweeps, "A"] < 2 * noise for sweeps in (2, 5))
    wrong = compare_sweeps(settings, moments.assign(mean=1.2 * moments["mean"]), predictions, generator_of)
    assert (wrong[(wrong.model == "pairwise_equilibrium") & (wrong.observable == "A")].rmse > 2 * noise).all()


def test_oracle_keeps_the_start_and_meets_the_moments(settings, moments):
    section = settings["models"]["pairwise_equilibrium"]
    model = build_model(settings, section)
    start = independent(model, section, moments, None, generator_of)
    theta, mean = sampled_match(section, model, moments, start, generator_of, 1)
    assert theta.shape == (1, 13, 9)
    assert mean.shape == (1, 13, 9)
    np.testing.assert_array_equal(theta[:, 0], start)
    assert np.isfinite(mean).all()


def test_sampled_initial_parameters_of_a_hidden_layer(settings, moments):
    """Weights bias the visible sites: matching takes that back. A wide margin."""
    section = settings["models"]["hidden_published"]
    others = dict.fromkeys(("AX", "BY", "CZ"), 1.0) | dict.fromkeys("XYZ", -3.5)
    law = {"lattices": 100, "sweeps": 5, "start": "empty"}
    (layer,) = section["layers"]
    layer = layer | {"offsets": [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], "wrap": False}
    section = section | {"layers": [layer], "sampling": law, "initial": {"others": others}}
    model = build_model(settings, section)
    before = independent(model, section, moments, None, generator_of)
    after = sampled(model, section, moments, None, generator_of)
    assert before[0, model.parameters.index("AX")] == 1
    assert (after[0, :3] < before[0, :3]).all()


def test_composition_is_matched_and_learned(settings, moments):
    """From independent sites: couplings are zero within noise, and trajectories have the densities of the data."""
    shape = (*moments["mean"].shape, moments.sizes["observable"])
    covariance = np.broadcast_to(np.diag([4.0] * shape[-1]), shape)
    variables = {"covariance": ((*COUNTS, "other"), covariance), "runs": ("initial_condition", [100])}
    data = moments.assign(variables).assign_coords(other=moments.observable.values)
    section = settings["models"]["pairwise"] | {"domain": {"parameters": ["A", "AA"]}}
    settings = settings | {"seed": 1, "models": {"pairwise": section}}
    model = build_model(settings, section)
    streams = partial(stream, 1)
    start = at_composition(model, section | {"initial": {"method": "independent", "others": {}}}, data, None, streams)
    np.testing.assert_allclose(start[:, :3], 12 / 64)
    assert np.abs(at_composition(model, section, data, None, streams)[:, 3:]).max() < 0.5
    theta, mean, error = composition_match(section, model, data, streams, 1)
    assert (np.abs(theta[..., 3:]) < 0.5).all() and (error[..., 3:] > 0).all()
    np.testing.assert_allclose(mean[..., :3], data["mean"].values[:, :13, :3], atol=0.51)  # two compositions
    recipe = learn_mixed_coordinates(settings, "rossler", "pairwise", data, start, 1)
    *_, last = recipe.states(None)
    learned = dataset_of(recipe, last)
    assert learned.sizes["function"] == 7 + 6
    np.testing.assert_allclose(learned.theta.values[..., :3], data["mean"].values[:, :13, :3] / 64, atol=0.02)
    predicted = predict_moments(settings, "rossler", "test", "pairwise", learned, start, 1)
    np.testing.assert_allclose(predicted["mean"].values[..., :3], 64 * predicted.theta.values[..., :3], atol=0.51)


@pytest.mark.slow
def test_learning_stays_on_the_grid(settings, moments):
    section = settings["models"]["pairwise_equilibrium"]
    model = build_model(settings, section)
    dynamics = build_dynamics(settings, section, model)
    start = METHODS[section["initial"]["method"]](model, section, moments, None, generator_of)
    run = LearningRun(settings | {"seed": 1}, ("rossler", "pairwise_equilibrium"), model, dynamics, start, moments, {})
    recipe = learn_path_tracking(run, 1)
    *_, last = recipe.states(None)
    assert (dynamics.excess(dynamics.integrate(last["u"], start, 12)) == 0).all()


def test_edges_of_visited_cells():
    domain = {"lower": [0, 0, 0], "upper": [2, 2, 2], "spacing": [1, 1, 1]}
    one = np.array([[0.5, 0.5, 0.5], [0.6, 0.2, 0.9]])
    assert len(visited_edges(domain, one)) == 12
    assert len(visited_edges(domain, np.array([[0.5, 0.5, 0.5], [1.5, 0.5, 0.5]]))) == 20


def test_figures(settings, moments, predictions):
    runs = np.zeros((2, TIMES, 64), np.uint8)
    runs[..., ::5] = 1
    assert plane_counts(runs, (4, 4, 4)).reshape(2, 4).sum(axis=1).tolist() == [13, 13]
    figures = [
        plot_voxels(settings, runs[0], predictions),
        plot_visited_grid(moments, predictions, settings["species"], 64, settings["models"], {}),
        plot_site_selection({"a": moments, "b": moments}, {"a": runs, "b": runs}, (4, 4, 4), 12),
    ]
    assert [len(figure.axes) for figure in figures] == [4, len(settings["models"]) - 1, 12]  # one has four axes
    plt.close("all")
