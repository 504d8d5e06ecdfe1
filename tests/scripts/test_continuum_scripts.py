"""From simulated densities to learned models, tables and figures, for tiny studies in continuous space."""

import logging
import re
import subprocess
import sys

import numpy as np
import pytest

from combine_densities import combine_densities, merge_counts
from conftest import ROOT
from continuum_studies import DENSITY, PAIRS
from dbd.study.continuum_study import ContinuumStudy
from dbd.study.reading import parse
from evaluate_densities import evaluate_densities
from evaluate_pairs import evaluate_matching, evaluate_pairs
from learn_densities import learn_densities
from learn_pairs import learn_pairs
from match_pairs import match_pairs
from plot_closure import plot_closure
from plot_densities import plot_densities
from plot_functions import plot_functions
from plot_pair_density import plot_pair_density
from plot_space_time import plot_space_time
from predict_densities import predict_densities
from predict_pairs import predict_pairs
from simulate_particles import simulate_particles


def settings_and_densities(tree):
    """Params with the starts of both splits, and their simulated densities."""
    study = parse(ContinuumStudy, tree, "").model_dump(mode="json") | {"seed": 5, "first": 0}
    settings, densities = {}, {}
    for split, section in study["ensemble"]["splits"].items():
        settings[split] = study | {"starts": section["starts"]}
        counts = merge_counts([simulate_particles(settings[split], "small", split, range(section["runs"]))])
        densities[split] = combine_densities(counts, settings[split])
    return settings, densities


@pytest.fixture(scope="module")
def of_density():
    settings, densities = settings_and_densities(DENSITY)
    models = list(settings["train"]["models"])
    log = logging.getLogger("test")
    dynamics = {name: learn_densities(settings["train"], "small", name, densities["train"], log) for name in models}
    predictions = {name: predict_densities(settings["test"], one.u.values) for name, one in dynamics.items()}
    training = predict_densities(settings["train"], dynamics["learned"].u.values)
    tables = evaluate_densities(settings["test"], densities["test"], dynamics, training, predictions)
    return settings["test"], densities["test"], dynamics, predictions, tables


def test_density_models_are_scored(of_density):
    """Errors hold what noise they have, mean field is itself, and every function says where it was seen."""
    *_, dynamics, predictions, tables = of_density
    assert list(tables["summary"].model) == ["learned", "mean_field", "rate_law"]
    assert tables["summary"].times_first[0] == 1 or tables["summary"].of_model[0] == 0
    assert len(tables["evaluation"]) == 3 * 3
    np.testing.assert_allclose(tables["functions"].groupby("model").F1_evidence.sum(), 1)
    assert tables["functions"].F0_sem.notna().sum() == len(tables["functions"]) / 3
    assert float(dynamics["learned"].chosen) in dynamics["learned"].roughness.values
    assert (dynamics["mean_field"].u.values != dynamics["rate_law"].u.values).any()
    for one in (of_density[1], *predictions.values()):
        np.testing.assert_allclose(one.time, one.step * DENSITY["ensemble"]["dt"])
    for one in predictions.values():
        np.testing.assert_allclose(one.density[:, 0], 7)  # the start is the one that was configured


def test_learning_is_the_same_again(of_density):
    settings, densities = settings_and_densities(DENSITY)
    again = learn_densities(settings["train"], "small", "learned", densities["train"], logging.getLogger("test"))
    assert again.identical(of_density[2]["learned"])


def test_figures_of_densities(of_density):
    settings, densities, _, predictions, tables = of_density
    titles = {name: model["title"] for name, model in settings["models"].items()}
    functions = plot_functions(tables["functions"], titles, {})
    assert [axes.get_title() for axes in functions.axes[:3]] == ["$F_0$", "$F_1$", "$F_2$"]
    assert len(plot_densities(densities, predictions, titles, {}, 8).axes) == 3
    assert len(plot_space_time(densities, predictions, titles, 8).axes) == 6


@pytest.fixture(scope="module")
def of_pairs():
    settings, densities = settings_and_densities(PAIRS)
    dynamics = {name: learn_pairs(settings["train"], name, densities["train"]) for name in settings["train"]["models"]}
    predictions = {name: predict_pairs(settings["test"], name, one.u.values) for name, one in dynamics.items()}
    return settings, densities["test"], dynamics, predictions


def test_pair_models_are_scored(of_pairs):
    settings, densities, dynamics, predictions = of_pairs
    assert dynamics["learned"].action[-1] < dynamics["learned"].action[0]
    assert dynamics["kirkwood"].sizes["coefficient"] == 0
    assert all("time" in one.coords for one in (densities, *predictions.values()))
    evaluation, summary = evaluate_pairs(settings["test"], densities, predictions)
    assert list(summary.start) == ["clustered 5 2 0.02"] * 2
    kept = evaluation[(evaluation.model == "kirkwood") & (evaluation.step > 0)]
    assert summary.worst[1] == np.abs(kept.predicted / kept.simulated - 1).max()
    np.testing.assert_allclose(predictions["learned"].density[0, 0], 5)


def test_closures_are_scored_on_pairs(of_pairs):
    """Nothing is missing where the prediction is the simulation; one that is a tenth too large is off by a tenth."""
    settings, densities, _, predictions = of_pairs
    simulated = densities.isel(species=0, other_species=0).pair_density
    for factor in (1, 1.1):
        exact = predictions["kirkwood"].assign(pair_density=factor * simulated)
        evaluation, summary = evaluate_pairs(settings["test"], densities, {"exact": exact})
        np.testing.assert_allclose(evaluation.pair_error[1:], factor - 1, atol=1e-12)
        np.testing.assert_allclose(summary.pair_error, factor - 1, atol=1e-12)
        assert (summary.pair_noise > 0).all()


def test_matching_and_figures_of_pairs(of_pairs):
    settings, densities, dynamics, predictions = of_pairs
    short = {"iterations": 3, "samples": 50, "final_samples": 100}
    test = settings["test"] | {"matching": settings["test"]["matching"] | short}
    matching = match_pairs(test, "small", densities)
    table = evaluate_matching(test, densities, matching)
    assert list(table.step) == [2]
    assert (0 < table.gap_l1).all() and (table.gap_l1 < 2).all()
    assert len(plot_pair_density(densities, matching, 0, 4.0).axes) == 3
    evaluation, summary = evaluate_pairs(test, densities, predictions)
    titles = {name: model["title"] for name, model in test["models"].items()}
    training = {name: predict_pairs(settings["train"], name, one.u.values) for name, one in dynamics.items()}
    figure = plot_closure(test, evaluation, summary.start[:1].tolist(), dynamics, training, titles)
    assert [axes.get_ylabel() for axes in figure.axes[:2]] == ["exponent $A$", r"density $\rho$"]


@pytest.mark.slow
def test_workflow_of_studies_in_continuous_space():
    """Every study has the jobs it should: parts on a grid of starts and runs, one learning for each model."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--configfile", "config/smoke.yaml"]
    chosen = ["--config", "studies=[diffusion_decay,pair_annihilation]", "results=results/none"]
    done = subprocess.run([*command, *chosen], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    table = (done.stdout + done.stderr).partition("Job stats:")[2].partition("\n\n")[0]
    jobs = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
    assert {name: count for name, count in jobs.items() if name not in ("reproduce", "total", "make_report")} == {
        "simulate_particles": (2 + 1) * 1 + (1 + 1) * 2,
        "combine_densities": 4,
        "learn_densities": 2,
        "learn_pairs": 2,
        "predict_densities": 3,
        "predict_pairs": 4,
        "match_pairs": 1,
        "evaluate_densities": 1,
        "evaluate_pairs": 1,
        "plot_functions": 1,
        "plot_densities": 1,
        "plot_space_time": 1,
        "plot_pair_density": 1,
        "plot_closure": 1,
    }
