"""Studies as a newcomer writes them, from the check to the scores: a default model is no worse than free closures."""

import numpy as np
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


def learned_and_predicted(settings, moments):
    """What is learned from the training split, and the predictions for the test split."""
    starts = {
        split: initial_parameters(settings, "small", split, "pairs", data, None) for split, data in moments.items()
    }
    theta, rates = ({split: start[name].values for split, start in starts.items()} for name in ("theta", "rates"))
    train, test = ([field["train"]] for field in (theta, rates)), (field["test"] for field in (theta, rates))
    recipe = learn_matched_trajectories(settings, "small", "pairs", [moments["train"]], *train, 1)
    *_, last = recipe.states(None)
    learned = dataset_of(recipe, last, len(theta["train"]), moments["train"].reaction.values.tolist())
    return learned, predict_moments(settings, "small", "test", "pairs", learned, *test, 1)


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
    predictions = {("pairs", "model"): learned_and_predicted(settings, moments)[1]}
    given = settings | {"initial_condition": start_of(study, "test").model_dump(mode="json")}
    for name in BASELINES:
        predictions[name, "baseline"] = predict_baseline(given, name, moments["test"])
    published = {"published": {}, "published_relative": {}}
    _, summary = evaluate_study(settings | published, moments["test"], predictions)
    scores = summary[summary.observable == "mean"].set_index("model")
    closures = scores.rmse[["mean_field", "pair_approximation"]]
    assert scores.rmse["pairs"] <= closures.min() + 2 * scores.noise["pairs"], scores.rmse.to_string()


DECAY = """
title: A decays and breaks up at rates of its own in every run
species: [A]
reactions:
  - {equation: A -> 0, rate: 0.1}
  - {equation: A + A -> 0, probability: 0.1}
lattice: {shape: [200]}
initial_condition:
  counts: {A: [40, 160]}
  design: sobol
  rates:
    A -> 0: {lower: 0.05, upper: 0.15}
    A + A -> 0: {values: [0.05, 0.1, 0.2]}
models:
  pairs:
    family: mean_composition
    interactions: [A, AA]
    initial: {method: independent}
    learning: {recipe: matched_trajectories, roughness: [1]}
"""


@pytest.mark.slow
def test_rates_that_were_never_simulated(save_study):
    """Learned across rates, from ten conditions: held-out rates are predicted within noise, but not if mixed up."""
    study = load_study(save_study(DECAY + ENSEMBLE))
    settings = study.model_dump(mode="json") | {"seed": 1}
    moments = {split: moments_of(study, settings, split) for split in ("train", "test")}
    assert len(np.unique(moments["test"].rates.values[:, 0])) == 6
    assert set(moments["test"].rates.values[:, 1]) == {0.05, 0.1, 0.2}
    found = moments["test"]["mean"].sel(observable=["A", "AA"]).values
    noise = np.sqrt((moments["test"]["sem"].sel(observable=["A", "AA"]).values ** 2).mean())

    def error(data):
        _, predicted = learned_and_predicted(settings, data)
        return np.sqrt(((predicted["mean"].values - found) ** 2).mean())

    assert error(moments) < 3 * noise
    rates = moments["test"].rates
    mixed_up = moments["test"].assign(rates=(rates.dims, rates.values[::-1]))
    assert error(moments | {"test": mixed_up}) > 6 * noise
