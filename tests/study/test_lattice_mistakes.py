"""Mistakes in a study on a lattice: one line each."""

import pytest

from conftest import REMOVED, change
from dbd.study.reading import ConfigurationError, load_study


def row(*numbers):
    """An initial condition that lists parameters."""
    return {"interactions": ["A", "AA"], "parameters": [list(each) for each in numbers]}


# Key that is changed, its new value, and the line that must be reported, without "study.yaml: ".
MISTAKES = [
    # unknown keys
    ("obsrvables", ["A"], "unknown key 'obsrvables' (did you mean 'observables'?), expected one of title, speci"),
    ("cores", 4, "unknown key 'cores', expected one of title, species, reactions, lattice, initial_con"),
    ("ensemble.step", 5, "ensemble: unknown key 'step' (did you mean 'steps'?), expected one of dt, steps, spl"),
    (
        "models.visible.learning.rate",
        {"A": 1},
        "models.visible.learning: unknown key 'rate', expected one of recipe, roughness, fold",
    ),
    ("models.hidden.layers.0.ofsets", [[0]], "models.hidden.layers.0: unknown key 'ofsets' (did you mean 'offsets'?)"),
    # missing keys
    ("title", REMOVED, "title: missing, and there is no default"),
    ("ensemble.splits.train.runs", REMOVED, "ensemble.splits.train.runs: missing, and there is no default"),
    (
        "models.visible.learning.recipe",
        REMOVED,
        "models.visible.learning.recipe: got null, expected 'gauss_newton', 'matched_trajectories', 'reduced_runs'",
    ),
    # wrong types
    ("title", 7, "title: got 7, expected text"),
    ("lattice", 20, "lattice: got 20, expected a mapping"),
    ("lattice.shape", 20, "lattice.shape: got 20, expected a list"),
    ("lattice.shape", [20.5], "lattice.shape.0: got 20.5, expected a whole number"),
    ("ensemble.splits.train.runs", "fifty", 'ensemble.splits.train.runs: got "fifty", expected a whole number'),
    ("ensemble.splits.train.runs", True, "ensemble.splits.train.runs: got true, expected a whole number"),
    ("ensemble.dt", "short", 'ensemble.dt: got "short", expected a number'),
    ("ensemble.dt", True, "ensemble.dt: got true, expected a number"),
    ("ensemble.dt", float("nan"), "ensemble.dt: got NaN, expected a finite number"),
    ("models.visible.oracle", "perhaps", 'models.visible.oracle: got "perhaps", expected true or false'),
    # out of range
    ("ensemble.splits.train.runs", 0, "ensemble.splits.train.runs: got 0, expected 1 or more"),
    ("ensemble.dt", -0.01, "ensemble.dt: got -0.01, expected more than 0.0"),
    ("ensemble.steps", 0, "ensemble.steps: got 0, expected 1 or more"),
    ("ensemble.batch", {"runs": 0}, "ensemble.batch.runs: got 0, expected 1 or more"),
    ("ensemble.splits", {}, "ensemble.splits: got {}, expected at least 1"),
    ("models.visible.learning.roughness", [], "models.visible.learning.roughness: got [], expected at least 1"),
    ("models.hidden.sampling.lattices", 1, "models.hidden.sampling.lattices: got 1, expected 2 or more"),
    ("models.visible.domain.spacing.0", 0, "models.visible.domain.spacing.0: got 0, expected more than 0.0"),
    # no such choice
    ("lattice.boundary", "closed", "lattice.boundary: got \"closed\", expected 'open' or 'periodic'"),
    ("lattice.site_selection", "all", "lattice.site_selection: got \"all\", expected 'uniform' or 'axis_scan'"),
    (
        "models.visible.learning.recipe",
        "adam",
        "models.visible.learning.recipe: got \"adam\", expected 'gauss_newton', 'matched_trajectories'",
    ),
    (
        "models.visible.initial.method",
        "guess",
        "models.visible.initial.method: got \"guess\", expected 'given', 'exact', 'independent'",
    ),
    ("evaluation", {"average": "median"}, "evaluation.average: got \"median\", expected 'mean' or 'root_mean_square'"),
    ("figures", {"colors": {"visible": "red"}}, "figures.colors.visible: got \"red\", expected a colour as '#rrggbb'"),
    # names
    ("species", ["a"], 'species.0: got "a", expected one upper-case letter'),
    ("species", [], "species: got [], expected at least 1"),
    ("species", ["A", "A"], "species: species 'A' is declared twice"),
    (
        "ensemble.splits.Big",
        {"initial_conditions": 1, "runs": 2},
        'ensemble.splits.Big: got "Big", expected a lower-case letter and then lower-case let',
    ),
    # reactions
    ("reactions.0.equation", "A + B -> 0", "reactions.0: reaction 'A + B -> 0': got species 'B', expected one of A"),
    ("reactions.0.equation", "A + A = 0", "reactions.0: reaction 'A + A = 0': got 0 arrows, expected reactants -> "),
    ("reactions.0.equation", "A + + A -> 0", "reactions.0: reaction 'A + + A -> 0': got '' in the reactants"),
    ("reactions.0.equation", "A + A + A -> 0", "reactions.0: reaction 'A + A + A -> 0': got more than two reactants"),
    (
        "reactions.0.probability",
        1.5,
        "reactions.0: reaction 'A + A -> 0': got probability 1.5, expected prob",
    ),
    ("reactions.0.probability", "often", 'reactions.0.probability: got "often", expected a number'),
    ("reactions.1.rate", -2, "reactions.1: reaction 'A -> 0': got rate -2.0, expected rate of 0 or more"),
    ("reactions.1.rate", REMOVED, "reactions.1: reaction 'A -> 0': got neither rate nor probability, expected rate "),
    # lattice
    ("lattice.shape", [0], "lattice.shape.0: got 0, expected 1 or more"),
    ("lattice.shape", [2, 2, 2, 2], "lattice: lattice shape: got (2, 2, 2, 2), expected one to three axes"),
    (
        "lattice",
        {"shape": [2], "boundary": "periodic"},
        "lattice: periodic lattice shape: got (2,), expected three sites",
    ),
    # initial conditions
    ("initial_condition.box", REMOVED, "initial_condition: got none, expected exactly one of box, parameters, counts"),
    (
        "initial_condition.counts",
        {"A": 3},
        "initial_condition: got box and counts, expected exactly one of box, parameters, coun",
    ),
    (
        "initial_condition.interactions",
        ["A", "AB"],
        "initial_condition.interactions: interaction 'AB': species: got 'B', expected one of ",
    ),
    (
        "initial_condition.interactions",
        [],
        "initial_condition: interactions: got none, expected the statistics that the paramete",
    ),
    (
        "initial_condition.box.lower",
        [-1],
        "initial_condition: box: row 0: got 1 numbers, expected 2, one for each of A, AA",
    ),
    (
        "initial_condition.box.lower",
        [-1, 2],
        "initial_condition: box: got AA from 2.0 to 1.0, expected lower below upper",
    ),
    ("initial_condition.box.upper", [1, "x"], 'initial_condition.box.upper.1: got "x", expected a number'),
    (
        "initial_condition",
        row([0, 0], [0]),
        "initial_condition: parameters: row 1: got 1 numbers, expected 2, one for each of A, ",
    ),
    (
        "initial_condition",
        row(*[[0, 0]] * 3),
        "ensemble.splits.train.initial_conditions: got 4, expected at most the 3 that initial",
    ),
    (
        "initial_condition",
        row(*[[0, 9]] * 4),
        "models.visible.domain: got a grid of AA from -2.0 to 2.0, expected one that holds th",
    ),
    ("initial_condition", {"counts": {"B": 1}}, "initial_condition.counts.B: got B, expected one of A"),
    (
        "initial_condition",
        {"counts": {"A": 21}},
        "initial_condition.counts: got 21 molecules, expected at most 20, one per site",
    ),
    (
        "initial_condition",
        {"counts": {"A": -1}},
        "initial_condition.counts.A: got -1, expected a number from 0, or a range [least, mos",
    ),
    (
        "initial_condition",
        {"counts": {"A": [5, 1]}},
        "initial_condition.counts.A: got [5, 1], expected a number from 0, or a range [least,",
    ),
    (
        "initial_condition",
        {"counts": {"A": "many"}},
        'initial_condition.counts.A: got "many", expected a number from 0, or a range [least,',
    ),
    (
        "initial_condition",
        {"counts": {"A": 3}},
        "models.visible.initial.method: got given, expected exact, independent, sampled or co",
    ),
    # splits
    ("ensemble.splits.train.initial_conditions", REMOVED, "ensemble.splits.train.initial_conditions: missing; needed "),
    ("ensemble.splits.train", REMOVED, "ensemble.splits: test; to learn models, one must be called train"),
    ("ensemble.splits.test", REMOVED, "evaluation.split: got test, expected one of train"),
    ("evaluation", {"split": "tset"}, "evaluation.split: got tset, expected one of train, test"),
    ("evaluation", {"last_step": 11}, "evaluation.last_step: got 11, expected 1 to 10, the simulated steps"),
    # observables
    ("observables", ["A", "AA", "AB"], "observables: observable 'AB': species: got 'B', expected one of A"),
    ("observables", ["A", "AA", "AAAAA"], "observables: observable: got 'AAAAA', expected a word of 1 to 4 "),
    ("observables", ["A", "AA", "AA"], "observables: observable 'AA' is given twice"),
    ("observables", ["AA", "AAA"], "observables: missing A; every species is counted, for the closures to compare "),
    ("observables", ["A", "AAA"], "observables: missing AA, which models.visible is matched to"),
    ("observables", ["A", "AA"], "models.visible.published: got AAA, expected one of A, AA"),
    # models
    (
        "models.visible.interactions",
        ["A", "AB"],
        "models.visible: interaction 'AB': species: got 'B', expected one",
    ),
    ("models.visible.interactions", ["A"], "models.visible.domain.parameters: got AA, expected one of A"),
    (
        "models.hidden.layers.0.weights",
        ["BX"],
        "models.hidden: weight: got 'BX', expected a species of the layer below, one of ['A']",
    ),
    ("models.hidden.layers.0.species", ["A"], "models.hidden: species 'A': named twice"),
    ("models.hidden.layers.0.offsets", [[0, 1]], "models.hidden: offset (0, 1): needs 1 integers, one for every axis"),
    ("models.hidden.layers.0.offsets", [[0], [0]], "models.hidden: offset (0,): named twice"),
    ("models.hidden.layers.0.offsets", [[0], 1], "models.hidden.layers.0.offsets.1: got 1, expected a list"),
    ("models.hidden.layers.0.offsets", [[99]], "models.hidden: hidden layer ['X']: no unit has all its connections "),
    (
        "models.hidden.initial.method",
        "given",
        "models.hidden.initial.method: got given, expected exact, independent, sampled or con",
    ),
    (
        "models.visible.domain.parameters",
        ["A"],
        "models.visible.domain: lower: got 2 numbers, expected one for each of A",
    ),
    (
        "models.visible.domain.parameters",
        ["A", "X"],
        "models.visible.domain.parameters: got X, expected one of A, AA",
    ),
    (
        "models.visible.domain.parameters",
        ["A", "A"],
        "models.visible.domain: parameters: got A twice, expected each once",
    ),
    (
        "models.visible.domain.lower.0",
        -0.5,
        "models.visible.domain: got a grid of A from -0.5 to 2.0, expected one that holds the",
    ),
    (
        "models.visible.domain.spacing.0",
        0.7,
        "models.visible.domain: grid: got -2.0 .. 2.0 with spacing 0.7, expected a whole numb",
    ),
    (
        "models.visible.domain.upper.0",
        -3,
        "models.visible.domain: grid: got -2.0 .. -3.0 with spacing 0.5, expected a whole num",
    ),
    ("models.hidden.learning.rate", {"A": 1}, "models.hidden.learning.rate: missing AX, X; every parameter needs a "),
    (
        "models.hidden.learning.rate.AA",
        1,
        "models.hidden.learning.rate: got AA, expected one of A, AX, X",
    ),
    (
        "models.hidden.learning.window",
        10,
        "models.hidden.learning.window: got 10, which reaches time step 11, expected one that",
    ),
    (
        "models.hidden.learning.batch",
        7,
        "models.hidden.learning.batch: got 7, expected 1 to 6, the training runs of an initia",
    ),
    (
        "models.hidden.initial.contrastive.batch",
        7,
        "models.hidden.initial.contrastive.batch: got 7, expected 1 to 6, the training runs o",
    ),
    (
        "models.hidden.initial.contrastive.average",
        1001,
        "models.hidden.initial.contrastive: average: got 1001, expected 1 to 1000, the number",
    ),
    ("models.visible.published", {"AB": 1}, "models.visible.published: got AB, expected one of A, AA, AAA"),
    (
        "initial_condition.rates",
        {"A -> B": {"values": [1]}},
        "initial_condition.rates: got A -> B, expected one of A + A -> 0, A -> 0",
    ),
    (
        "initial_condition.rates",
        {"A + A -> 0": {"values": [0.5, 2]}},
        "initial_condition.rates: reaction 'A + A -> 0': got probability 2.0, expected probability from 0",
    ),
    (
        "initial_condition.rates",
        {"A -> 0": {"lower": 2, "upper": 1}},
        "initial_condition.rates.A -> 0: got 2.0 to 1.0, expected lower below upper",
    ),
    (
        "models.visible.family",
        "mean_composition",
        "models.visible.learning.recipe: got gauss_newton, expected matched_trajectories or",
    ),
    (
        "figures",
        {"colors": {"visble": "#ff0000"}},
        "figures.colors.visble: got visble, expected one of visible, hidd",
    ),
]


@pytest.mark.parametrize(("key", "value", "line"), MISTAKES, ids=[f"{key}-{line[:40]}" for key, _, line in MISTAKES])
def test_mistake_is_reported_in_one_line(tree, save_study, key, value, line):
    change(tree, key, value)
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(tree))
    assert str(error.value).startswith(f"study.yaml: {line}")
    assert "\n" not in str(error.value)
