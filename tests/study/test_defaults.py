"""Defaults that follow from the rest of a study."""

import pytest
import yaml

from conftest import ROOT
from dbd.study.defaults import complete
from dbd.study.lattice_study import Study
from dbd.study.reading import ConfigurationError, load_study

SMALL = yaml.safe_load("""
title: As little as possible
species: [A, B]
reactions: [{equation: A + B -> 2B, probability: 0.5}]
lattice: {shape: [6, 6]}
initial_condition: {counts: {A: 10, B: 3}}
ensemble: {dt: 1}
models: {pairs_of_two: {interactions: [A, B, AB, AAB]}}
""")
CHAIN = SMALL | {
    "species": ["A"],
    "reactions": [],
    "lattice": {"shape": [9]},
    "initial_condition": {"counts": {"A": 3}},
}


def test_template_is_short():
    """Thirty lines are enough for a study."""
    lines = (ROOT / "config" / "studies" / "template.yaml").read_text().splitlines()
    assert sum(bool(line.strip()) and not line.startswith("#") for line in lines) <= 30


def test_little_is_enough(save_study):
    study = load_study(save_study(SMALL))
    model = study.models["pairs_of_two"]
    assert study.observables == ("A", "B", "AA", "AB", "BB", "AAB")
    assert (study.ensemble.steps, list(study.ensemble.splits)) == (100, ["train", "test"])
    assert (model.title, model.initial.method) == ("pairs of two", "independent")
    assert (model.family, model.learning.recipe) == ("composition", "matched_trajectories")
    assert (model.sampling.lattices, model.sampling.start) == (64, "random")
    assert (model.domain.parameters, model.domain.lower) == (("A", "B", "AB", "AAB"), ())


def test_natural_parameters_and_hidden_layers(save_study):
    natural = {"interactions": ["A", "B", "AB"], "family": "natural"}
    model = load_study(save_study(SMALL | {"models": {"m": natural}})).models["m"]
    assert model.learning.recipe == "matched_trajectories" and model.sampling.lattices == 100
    assert (model.domain.parameters, model.domain.lower) == (("A", "B", "AB"), ())
    layer = {"species": ["X"], "weights": ["AX"], "offsets": [[0, 0], [0, 1]]}
    others = {"AX": 1.0}
    hidden = {"interactions": ["A", "B"], "layers": [layer], "initial": {"method": "independent", "others": others}}
    model = load_study(save_study(SMALL | {"models": {"m": hidden}})).models["m"]
    assert (model.family, model.domain.parameters) == ("composition", ("A", "B", "AX", "X"))


@pytest.mark.parametrize("method", [None, "given", "exact"])
def test_composition_starts_from_lattices_that_were_drawn(tree, save_study, method):
    """Lattices drawn from a model of natural parameters: couplings at their composition have to be found."""
    model = {"interactions": ["A", "AA"], "family": "composition"}
    tree["models"] = {"m": model | ({"initial": {"method": method}} if method else {})}
    if method is None:
        assert load_study(save_study(tree)).models["m"].initial.method == "sampled"
    else:
        with pytest.raises(ConfigurationError, match=f"got .?{method}.*expected independent or sampled"):
            load_study(save_study(tree))


REDUCED = {"interactions": ["A", "B", "AA", "AB", "BB"], "learning": {"recipe": "reduced_runs"}}


def test_reduced_runs(save_study):
    """In a box and on a chain: at composition, without sampling, learned from all steps."""
    model = load_study(save_study(SMALL | {"models": {"m": REDUCED}})).models["m"]
    assert (model.family, model.initial.method, model.sampling, model.runs) == (
        "composition",
        "independent",
        None,
        4000,
    )
    assert (model.domain.parameters, model.learning.last_step) == (("A", "B", "AA", "BB"), 100)
    chain = {"interactions": ["A", "AA"], "learning": {"recipe": "reduced_runs"}}
    model = load_study(save_study(CHAIN | {"models": {"m": chain}})).models["m"]
    assert (model.family, model.sampling, model.domain.parameters) == ("composition", None, ("A", "AA"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"interactions": ["A", "B", "AA", "BB"]},
            "interactions: got A, B, AA, BB, expected species and pairs, A, AB, B",
        ),
        ({"interactions": ["A", "B", "AB"]}, "interactions: got A, B, AB, expected the observables, not AA"),
        ({"oracle": True}, "oracle: got True, expected False for recipe reduced_runs"),
        ({"spread": True}, "spread: got True, expected False for recipe reduced_runs"),
        (
            {"learning": {"recipe": "matched_trajectories"}, "runs": 9},
            "runs: got 9, expected none but for recipe reduced",
        ),
    ],
)
def test_what_does_not_fit_reduced_runs(save_study, change, message):
    study = SMALL | {"observables": ["A", "B", "AA", "AB", "BB"], "models": {"m": REDUCED | change}}
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(study))
    assert message in str(error.value)


def test_chain_of_one_species_is_exact(save_study):
    model = load_study(save_study(CHAIN | {"models": {"m": {"interactions": ["A", "AA"]}}})).models["m"]
    assert (model.initial.method, model.learning.recipe, model.sampling) == ("exact", "gauss_newton", None)
    assert model.domain.vertices == (13, 9)


def test_start_of_the_same_interactions_is_given(save_study):
    start = {"interactions": ["A", "AA"], "box": {"lower": [-1, -1], "upper": [1, 1]}}
    tree = CHAIN | {"initial_condition": start, "models": {"m": {"interactions": ["A", "AA"]}}}
    assert load_study(save_study(tree)).models["m"].initial.method == "given"
    tree["models"] = {"m": {"interactions": ["A", "AA", "AAA"]}}
    assert load_study(save_study(tree)).models["m"].initial.method == "exact"


def test_hidden_parameters_are_in_the_domain_too():
    layer = {"species": ["X"], "weights": ["AX"], "offsets": [[0], [1]]}
    model = Study.model_validate(CHAIN | {"models": {"m": {"interactions": ["A"], "layers": [layer]}}}).models["m"]
    assert model.domain.parameters == ("A", "AX", "X")
    assert model.domain.lower == (-6, -3, -3)


def test_what_is_given_stays():
    model = {
        "title": "mine",
        "family": "natural",
        "interactions": ["B", "A"],
        "domain": {"parameters": ["A"], "lower": [-1], "upper": [1], "spacing": [0.5]},
        "initial": {"method": "exact"},
        "learning": {"recipe": "gauss_newton"},
        "sampling": None,
    }
    given = SMALL | {
        "models": {"m": model},
        "observables": ["A", "B"],
        "evaluation": {"last_step": 3, "extrapolate_to": 3},
    }
    assert complete(given) == given
    assert complete(given)["models"]["m"] is not model, "what is read is not changed"


def test_study_without_models_has_figures_of_baselines():
    assert Study.model_validate(SMALL | {"models": {}}).figures.draw == ("moments", "rmse")
    tree = SMALL | {"models": {}, "figures": {"draw": ["moments"]}}
    assert Study.model_validate(tree).figures.draw == ("moments",)


@pytest.mark.parametrize(
    "key", ["title", "species", "reactions", "lattice", "initial_condition", "ensemble", "models", "figures"]
)
@pytest.mark.parametrize("value", [None, 7, "text", [], [[1]], {}, {"a": None}, {"a": {"layers": [1], "domain": 2}}])
def test_nonsense_is_left_to_the_checks(key, value):
    complete(SMALL | {key: value})
