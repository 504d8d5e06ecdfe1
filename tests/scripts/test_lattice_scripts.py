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
from dbd.build.model import build_family
from dbd.build.system import build_network
from dbd.numerics.random_streams import stream
from dbd.study.reading import load_study
from initial_parameters import independent, sampled
from learn_matched_trajectories import dataset_of, held_out, learn_matched_trajectories
from match_oracle import match_oracle
from plot_moments import plot_moments
from plot_parameters import plot_parameters
from plot_right_hand_sides import plot_right_hand_sides
from plot_site_selection import plane_counts, plot_site_selection
from plot_visited_grid import plot_visited_grid, visited_edges
from plot_voxels import plot_voxels
from predict_moments import predict_moments

COUNTS = ("initial_condition", "time", "observable")
TIMES = 21


@pytest.fixture(scope="module")
def settings():
    smoke = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["overrides"]
    study, other = (
        load_study(ROOT / "config" / "studies" / f"{name}.yaml", smoke[name]).model_dump(mode="json")
        for name in ("rossler", "rossler_uniform")
    )
    return study | {"seed": 1, "models": study["models"] | {"natural": other["models"]["natural"]}}


@pytest.fixture(scope="module")
def moments(settings):
    """Means of independent sites whose densities change."""
    density = (12 + np.linspace(0, 1, TIMES)[:, None] * np.array([6.0, -4.0, 2.0])) / 64
    letters = [[settings["species"].index(letter) for letter in word] for word in settings["observables"]]
    orders = [64 if len(word) == 1 else 144 * (1 + (word[0] != word[1])) for word in letters]  # 144 bonds
    mean = np.stack([number * density[:, word].prod(axis=1) for number, word in zip(orders, letters, strict=True)])
    mean = mean.T[None]
    covariance = np.broadcast_to(np.diag([4.0] * len(letters)), (*mean.shape, len(letters)))
    return xr.Dataset(
        {
            "mean": (COUNTS, mean),
            "std": (COUNTS, 0.2 * mean),
            "sem": (COUNTS, 0.02 * mean),
            "covariance": ((*COUNTS, "other_observable"), covariance),
            "runs": ("initial_condition", [100]),
        },
        coords={
            "observable": settings["observables"],
            "other_observable": settings["observables"],
            "step": ("time", range(TIMES)),
            "time": 0.01 * np.arange(TIMES),
        },
    )


@pytest.fixture(scope="module")
def predictions(settings, moments):
    """Trajectories of independent sites, right for these moments."""
    shown = {}
    counts = moments["mean"].sel(observable=settings["species"]).values[:, :13]
    for name, section in settings["models"].items():
        model = build_family(settings, section).model
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
    natural = "natural", "empty"
    assert all(0.4 * noise < errors[*natural, sweeps, "A"] < 2 * noise for sweeps in (2, 5))
    wrong = compare_sweeps(settings, moments.assign(mean=1.2 * moments["mean"]), predictions, generator_of)
    assert (wrong[(wrong.model == "natural") & (wrong.observable == "A")].rmse > 2 * noise).all()


def test_oracle_meets_the_moments(settings, moments):
    """Independent sites: couplings near zero, numbers as in the data within a wide margin."""
    family = build_family(settings, settings["models"]["natural"])
    start = independent(family, settings["models"]["natural"], moments, None, generator_of)
    matched = match_oracle(settings, "rossler", "test", "natural", moments, start, 1)
    assert (matched.error > 0).all()
    np.testing.assert_allclose(matched["mean"].values[..., :3], moments["mean"].values[:, :13, :3], atol=6)


def test_sampled_initial_parameters_of_a_hidden_layer(settings, moments):
    """Weights bias the visible sites: matching takes that back. A wide margin."""
    others = dict.fromkeys(("AX", "BY", "CZ"), 1.0) | dict.fromkeys("XYZ", -3.5)
    section = settings["models"]["hidden_published"]
    (layer,) = section["layers"]
    layer = layer | {"offsets": [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]], "wrap": False}
    section = section | {"layers": [layer], "initial": {"others": others}}
    family = build_family(settings, section)
    before = independent(family, section, moments, None, generator_of)
    after = sampled(family, section, moments, None, generator_of)
    assert before[0, family.names.index("AX")] == 1
    assert (after[0, :3] < before[0, :3]).all()


def figures_with_bands(settings, moments, learned, predicted):
    """Every panel of what is predicted has its band, and right-hand sides are hatched where they are not known."""
    models, dynamics, predictions = settings["models"], {"pairwise": learned}, {"pairwise": predicted}
    style = {"pairwise": {"color": "blue"}}
    parameters, means = (
        plot_parameters(predictions, dynamics, models, 1.0),
        plot_moments(moments, predictions, style, [], predicted.sizes["time"]),
    )
    for figure, bands in (parameters, 1), (means, 2):
        assert all(len(axes.collections) >= bands for axes in figure.axes if axes.get_visible())
    hatched = plot_right_hand_sides(dynamics, predictions, models).axes
    assert any(one.get_hatch() or getattr(one, "hatches", None) for axes in hatched for one in axes.collections)
    plt.close("all")


@pytest.mark.slow
def test_composition_is_matched_and_learned(settings, moments):
    """From independent sites: couplings are zero within noise, and trajectories have the densities of the data."""
    section = settings["models"]["pairwise"] | {"domain": {"parameters": ["A", "AA"]}}
    settings = settings | {"models": {"pairwise": section}}
    family, streams = build_family(settings, section), partial(stream, 1)
    start = independent(family, section, moments, None, streams)
    np.testing.assert_allclose(start[:, :3], 12 / 64)
    assert np.abs(sampled(family, section, moments, None, streams)[:, 3:]).max() < 0.5
    oracle = match_oracle(settings, "rossler", "test", "pairwise", moments, start, 1)
    assert (np.abs(oracle.theta[..., 3:]) < 0.5).all() and (oracle.error[..., 3:] > 0).all()
    np.testing.assert_allclose(oracle["mean"].values[..., :3], moments["mean"].values[:, :13, :3], atol=0.51)
    network = build_network(settings)
    rates, equations = network.constants[None], [reaction.equation for reaction in network.reactions]
    recipe = learn_matched_trajectories(settings, "rossler", "pairwise", [moments] * 2, [start] * 2, [rates] * 2, 1)
    *_, last = recipe.states(None)
    assert len(last["scores"]) > 3  # the roughness is chosen by the second split
    learned = dataset_of(recipe, last, 1, equations)
    assert (learned.sizes["function"], learned.sizes["initial_condition"]) == (7 + 6, 1)
    np.testing.assert_allclose(learned.theta.values[..., :3], moments["mean"].values[:, :13, :3] / 64, atol=0.02)
    predicted = predict_moments(settings, "rossler", "test", "pairwise", learned, start, rates, 1)
    assert (predicted.theta_error[:, 1:] > 0).any() and (predicted.mean_error[:, 1:] > 0).any()
    figures_with_bands(settings, moments, learned, predicted)
    np.testing.assert_allclose(predicted["mean"].values[..., :3], 64 * predicted.theta.values[..., :3], atol=0.51)


def test_initial_conditions_that_choose_the_roughness():
    """A split of its own, or a quarter of the training conditions, drawn at random."""
    assert held_out([np.zeros((3, 2)), np.zeros((2, 2))], None).tolist() == [False] * 3 + [True] * 2
    alone = held_out([np.zeros((16, 2))], np.random.default_rng(1))
    assert alone.sum() == 4 and not alone[::4].all()
    assert not held_out([np.zeros((1, 2))], np.random.default_rng(1)).any()


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
    assert [len(figure.axes) for figure in figures] == [2, 1, 12]
    plt.close("all")
