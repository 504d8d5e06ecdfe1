"""Studies as a newcomer writes them, from the check to the scores: a default model is no worse than free closures."""

import pytest

from combine_moments import combine_moments, merge_sums
from count_moments import count_moments
from dbd.evaluation.baselines import BASELINES
from dbd.study.reading import load_study, start_of
from evaluate_study import evaluate_study
from initial_parameters import initial_parameters
from learn_matched_trajectories import dataset_of, learn_matched_trajectories
from predict_baseline import predict_baseline
from predict_moments import predict_moments
from simulate_ensemble import simulate_ensemble

ENSEMBLE = """
ensemble:
  dt: 1.0
  steps: 16
  splits:
    train: {initial_conditions: 10, runs: 50}
    test: {initial_conditions: 6, runs: 200}
"""

# The product of the enzyme, and its complex, are absent at the start.
ENZYME = """
title: An enzyme E binds its substrate S and makes a product P
species: [S, E, C, P]
reactions:
  - {equation: S + E -> C, probability: 0.5}
  - {equation: C -> S + E, rate: 0.1}
  - {equation: C -> P + E, rate: 0.2}
lattice: {shape: [9, 9]}
initial_condition: {counts: {S: [10, 40], E: [4, 12]}, design: sobol}
models:
  pairs: {interactions: [S, E, C, P, SS, SE, SP, EP, PP]}
"""

# Births fill the lattice but for a few per cent: there, it relaxes faster than in a time step.
CONTACT_PROCESS = """
title: A contact process with diffusion
species: [A]
reactions:
  - {equation: A -> 2A, rate: 0.4}
  - {equation: A -> 0, rate: 0.2}
lattice: {shape: [10, 10], boundary: periodic}
initial_condition: {counts: {A: [10, 90]}, design: sobol}
models:
  pairs: {interactions: [A, AA]}
"""

ANNIHILATION = """
title: A and B annihilate each other
species: [A, B]
reactions:
  - {equation: A + B -> 0, probability: 0.5}
lattice: {shape: [10, 10], boundary: periodic}
initial_condition: {counts: {A: [10, 45], B: [10, 45]}, design: sobol}
models:
  pairs: {interactions: [A, B, AA, AB, BB]}
"""


def moments_of(study, settings, split):
    """Simulated moments of a split."""
    section = study.ensemble.splits[split]
    starts = settings | {"initial_condition": start_of(study, split).model_dump(mode="json")}
    runs = range(section.initial_conditions), range(section.runs)
    counted = count_moments(settings, simulate_ensemble(starts, "small", split, *runs, 1))
    return combine_moments(merge_sums([counted]))


@pytest.mark.slow
@pytest.mark.parametrize("text", [ENZYME, CONTACT_PROCESS, ANNIHILATION], ids=["enzyme", "contact", "annihilation"])
def test_the_default_model_is_not_worse_than_the_best_closure(text, save_study):
    """In mean counts of held-out compositions, by more than twice the noise.

    That is the standard error of the simulated means, root mean square over initial conditions, averaged over
    observables and time steps, as the column ``noise`` of the summary. The seed is fixed.
    """
    study = load_study(save_study(text + ENSEMBLE))
    settings = study.model_dump(mode="json") | {"seed": 1}
    moments = {split: moments_of(study, settings, split) for split in ("train", "test")}
    starts = {
        split: initial_parameters(settings, "small", split, "pairs", data, None).theta.values
        for split, data in moments.items()
    }
    recipe = learn_matched_trajectories(settings, "small", "pairs", [moments["train"]], [starts["train"]], 1)
    *_, last = recipe.states(None)
    learned = dataset_of(recipe, last, len(starts["train"]))
    predictions = {("pairs", "model"): predict_moments(settings, "small", "test", "pairs", learned, starts["test"], 1)}
    given = settings | {"initial_condition": start_of(study, "test").model_dump(mode="json")}
    for name in BASELINES:
        predictions[name, "baseline"] = predict_baseline(given, name, moments["test"])
    published = {"published": {}, "published_relative": {}}
    _, summary = evaluate_study(settings | published, moments["test"], predictions)
    scores = summary[summary.observable == "mean"].set_index("model")
    closures = scores.rmse[["mean_field", "pair_approximation"]]
    assert scores.rmse["pairs"] <= closures.min() + 2 * scores.noise["pairs"], scores.rmse.to_string()
