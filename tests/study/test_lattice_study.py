"""Every mistake in a study is told in one line: file, key, value found, what is allowed."""

import pytest
from pydantic import ValidationError

from conftest import REMOVED, change
from dbd.study.lattice_study import Study, Workflow
from dbd.study.model import DomainSection
from dbd.study.reading import ConfigurationError, load_study, parse
from dbd.study.values import PATTERNS


def row(*numbers):
    """An initial condition that lists parameters."""
    return {"interactions": ["A", "AA"], "parameters": [list(each) for each in numbers]}


# Key that is changed, its new value, and the line that must be told, without "study.yaml: ".
MISTAKES = [
    # unknown keys
    ("obsrvables", ["A"], "unknown key 'obsrvables' (did you mean 'observables'?); allowed are title, species, "),
    ("cores", 4, "unknown key 'cores'; allowed are title, species, reactions, lattice, initial_condition, "),
    ("ensemble.step", 5, "ensemble: unknown key 'step' (did you mean 'steps'?); allowed are dt, steps, splits, batch"),
    ("models.visible.learning.rate", {"A": 1}, "models.visible.learning: unknown key 'rate'; allowed are recipe, "),
    ("models.hidden.layers.0.ofsets", [[0]], "models.hidden.layers.0: unknown key 'ofsets' (did you mean 'offsets'?)"),
    # missing keys
    ("title", REMOVED, "title: missing, and there is no default"),
    ("ensemble.splits.train.runs", REMOVED, "ensemble.splits.train.runs: missing, and there is no default"),
    (
        "models.visible.learning.recipe",
        REMOVED,
        "models.visible.learning.recipe: null: allowed is 'gauss_newton', 'path_tracking' or ",
    ),
    # wrong types
    ("title", 7, "title: 7: allowed is text"),
    ("lattice", 20, "lattice: 20: allowed is a mapping"),
    ("lattice.shape", 20, "lattice.shape: 20: allowed is a list"),
    ("lattice.shape", [20.5], "lattice.shape.0: 20.5: allowed is a whole number"),
    ("ensemble.splits.train.runs", "fifty", 'ensemble.splits.train.runs: "fifty": allowed is a whole number'),
    ("ensemble.splits.train.runs", True, "ensemble.splits.train.runs: true: allowed is a whole number"),
    ("ensemble.dt", "short", 'ensemble.dt: "short": allowed is a number'),
    ("ensemble.dt", True, "ensemble.dt: true: allowed is a number"),
    ("ensemble.dt", float("nan"), "ensemble.dt: NaN: allowed is a finite number"),
    ("models.visible.oracle", "perhaps", 'models.visible.oracle: "perhaps": allowed is true or false'),
    # out of range
    ("ensemble.splits.train.runs", 0, "ensemble.splits.train.runs: 0: allowed is 1 or more"),
    ("ensemble.dt", -0.01, "ensemble.dt: -0.01: allowed is more than 0.0"),
    ("ensemble.steps", 0, "ensemble.steps: 0: allowed is 1 or more"),
    ("ensemble.batch", {"runs": 0}, "ensemble.batch.runs: 0: allowed is 1 or more"),
    ("ensemble.splits", {}, "ensemble.splits: allowed is at least 1"),
    ("models.visible.learning.roughness", [], "models.visible.learning.roughness: []: allowed is at least 1"),
    ("models.hidden.sampling.lattices", 1, "models.hidden.sampling.lattices: 1: allowed is 2 or more"),
    ("models.visible.domain.spacing.0", 0, "models.visible.domain.spacing.0: 0: allowed is more than 0.0"),
    # no such choice
    ("lattice.boundary", "closed", "lattice.boundary: \"closed\": allowed is 'open' or 'periodic'"),
    ("lattice.site_selection", "all", "lattice.site_selection: \"all\": allowed is 'uniform' or 'axis_scan'"),
    ("models.visible.learning.recipe", "adam", "models.visible.learning.recipe: \"adam\": allowed is 'gauss_newton', "),
    ("models.visible.initial.method", "guess", "models.visible.initial.method: \"guess\": allowed is 'given', "),
    ("evaluation", {"average": "median"}, "evaluation.average: \"median\": allowed is 'mean' or 'root_mean_square'"),
    ("figures", {"colors": {"visible": "red"}}, "figures.colors.visible: \"red\": allowed is a colour as '#rrggbb'"),
    # names
    ("species", ["a"], 'species.0: "a": allowed is one upper-case letter'),
    ("species", [], "species: []: allowed is at least 1"),
    ("species", ["A", "A"], "species: species 'A' is declared twice"),
    ("ensemble.splits.Big", {"initial_conditions": 1, "runs": 2}, 'ensemble.splits.Big: "Big": allowed is a lower-'),
    # reactions
    ("reactions.0.equation", "A + B -> 0", "reactions.0: reaction 'A + B -> 0': unknown species 'B'; allowed: A"),
    ("reactions.0.equation", "A + A = 0", "reactions.0: reaction 'A + A = 0': not one arrow; allowed: reactants -> "),
    ("reactions.0.equation", "A + + A -> 0", "reactions.0: reaction 'A + + A -> 0': cannot read '' in the reactants"),
    ("reactions.0.equation", "A + A + A -> 0", "reactions.0: reaction 'A + A + A -> 0': more than two reactants"),
    ("reactions.0.probability", 1.5, "reactions.0: reaction 'A + A -> 0': probability 1.5; allowed: probability from "),
    ("reactions.0.probability", "often", 'reactions.0.probability: "often": allowed is a number'),
    ("reactions.1.rate", -2, "reactions.1: reaction 'A -> 0': rate -2.0; allowed: rate of 0 or more"),
    ("reactions.1.rate", REMOVED, "reactions.1: reaction 'A -> 0': given neither rate nor probability; allowed: rate "),
    # lattice
    ("lattice.shape", [0], "lattice.shape.0: 0: allowed is 1 or more"),
    ("lattice.shape", [2, 2, 2, 2], "lattice: lattice shape (2, 2, 2, 2): allowed are one to three axes"),
    ("lattice", {"shape": [2], "boundary": "periodic"}, "lattice: periodic lattice of shape (2,): every axis needs "),
    # initial conditions
    ("initial_condition.box", REMOVED, "initial_condition: found none; give exactly one of box, parameters, counts"),
    ("initial_condition.counts", {"A": 3}, "initial_condition: found box and counts; give exactly one of "),
    (
        "initial_condition.interactions",
        ["A", "AB"],
        "initial_condition.interactions: interaction 'AB': unknown species",
    ),
    ("initial_condition.interactions", [], "initial_condition: interactions: empty; name the statistics"),
    ("initial_condition.box.lower", [-1], "initial_condition: box: row 0 has length 1; allowed is 2, one number for "),
    ("initial_condition.box.lower", [-1, 2], "initial_condition: box: AA from 2.0 to 1.0; allowed is a lower corner "),
    ("initial_condition.box.upper", [1, "x"], 'initial_condition.box.upper.1: "x": allowed is a number'),
    ("initial_condition", row([0, 0], [0]), "initial_condition: parameters: row 1 has length 1; allowed is 2, one "),
    (
        "initial_condition",
        row(*[[0, 0]] * 3),
        "ensemble.splits.train.initial_conditions: 4; allowed are at most the 3 ",
    ),
    (
        "initial_condition",
        row(*[[0, 9]] * 4),
        "models.visible.domain: grid of AA from -2.0 to 2.0; allowed is one that ",
    ),
    ("initial_condition", {"counts": {"B": 1}}, "initial_condition.counts.B: unknown species; allowed are A"),
    ("initial_condition", {"counts": {"A": 21}}, "initial_condition.counts: 21 molecules in all; allowed are at most "),
    ("initial_condition", {"counts": {"A": -1}}, "initial_condition.counts.A: -1: allowed is a number from 0, or a "),
    ("initial_condition", {"counts": {"A": [5, 1]}}, "initial_condition.counts.A: [5, 1]: allowed is a number from 0"),
    ("initial_condition", {"counts": {"A": "many"}}, 'initial_condition.counts.A: "many": allowed is a number from 0'),
    ("initial_condition", {"counts": {"A": 3}}, "models.visible.initial.method: 'given', but the initial lattices of "),
    # splits
    ("ensemble.splits.train.initial_conditions", REMOVED, "ensemble.splits.train.initial_conditions: missing; needed "),
    ("ensemble.splits.train", REMOVED, "ensemble.splits: test; to learn models, one must be called train"),
    ("ensemble.splits.test", REMOVED, "evaluation.split: 'test'; allowed are train"),
    ("evaluation", {"split": "tset"}, "evaluation.split: 'tset'; allowed are train, test"),
    ("evaluation", {"last_step": 11}, "evaluation.last_step: 11; allowed are 1 to 10, the simulated steps"),
    # observables
    ("observables", ["A", "AA", "AB"], "observables: observable 'AB': unknown species 'B'; allowed: A"),
    ("observables", ["A", "AA", "AAAAA"], "observables: observable 'AAAAA': allowed are words of 1 to 4 "),
    ("observables", ["A", "AA", "AA"], "observables: observable 'AA' is given twice"),
    ("observables", ["AA", "AAA"], "observables: missing A; every species is counted, for the closures to compare "),
    ("observables", ["A", "AAA"], "observables: missing AA, which models.visible is matched to"),
    ("observables", ["A", "AA"], "models.visible.published: 'AAA'; allowed are A, AA"),
    # models
    ("models.visible.interactions", ["A", "AB"], "models.visible: interaction 'AB': unknown species 'B', allowed are "),
    ("models.visible.interactions", ["A"], "models.visible.domain.parameters: 'AA' is not a parameter of this model"),
    ("models.hidden.layers.0.weights", ["BX"], "models.hidden: weight 'BX': allowed is a species of the layer below"),
    ("models.hidden.layers.0.species", ["A"], "models.hidden: species 'A': named twice"),
    ("models.hidden.layers.0.offsets", [[0, 1]], "models.hidden: offset (0, 1): needs 1 integers, one for every axis"),
    ("models.hidden.layers.0.offsets", [[0], [0]], "models.hidden: offset (0,): named twice"),
    ("models.hidden.layers.0.offsets", [[0], 1], "models.hidden.layers.0.offsets.1: 1: allowed is a list"),
    ("models.hidden.layers.0.offsets", [[99]], "models.hidden: hidden layer ['X']: no unit has all its connections "),
    ("models.hidden.initial.method", "given", "models.hidden.initial.method: 'given', but the initial lattices of "),
    (
        "models.visible.domain.parameters",
        ["A"],
        "models.visible.domain: lower: 2 numbers; allowed is one for each of A",
    ),
    (
        "models.visible.domain.parameters",
        ["A", "X"],
        "models.visible.domain.parameters: 'X' is not a parameter of this ",
    ),
    ("models.visible.domain.parameters", ["A", "A"], "models.visible.domain: parameters: 'A' twice; allowed is each "),
    ("models.visible.domain.lower.0", -0.5, "models.visible.domain: grid of A from -0.5 to 2.0; allowed is one that "),
    ("models.visible.domain.spacing.0", 0.7, "models.visible.domain: grid -2.0 .. 2.0 with spacing 0.7: allowed is a "),
    ("models.visible.domain.upper.0", -3, "models.visible.domain: grid -2.0 .. -3.0 with spacing 0.5: allowed is a "),
    ("models.hidden.learning.rate", {"A": 1}, "models.hidden.learning.rate: missing AX, X; every parameter needs a "),
    (
        "models.hidden.learning.rate.AA",
        1,
        "models.hidden.learning.rate: 'AA' is not a parameter of this model; allowed",
    ),
    ("models.hidden.learning.window", 10, "models.hidden.learning.window: 10, which reaches time step 11; allowed is "),
    (
        "models.hidden.learning.batch",
        7,
        "models.hidden.learning.batch: 7; allowed are 1 to 6, the training runs of an ",
    ),
    ("models.hidden.initial.contrastive.batch", 7, "models.hidden.initial.contrastive.batch: 7; allowed are 1 to 6"),
    (
        "models.hidden.initial.contrastive.average",
        1001,
        "models.hidden.initial.contrastive: average: 1001; allowed is ",
    ),
    ("models.visible.published", {"AB": 1}, "models.visible.published: 'AB'; allowed are A, AA, AAA"),
    ("figures", {"colors": {"visble": "#ff0000"}}, "figures.colors.visble: no such model; allowed are visible, hidden"),
]


@pytest.mark.parametrize(("key", "value", "line"), MISTAKES, ids=[f"{key}-{line[:40]}" for key, _, line in MISTAKES])
def test_mistake_is_told_in_one_line(tree, save_study, key, value, line):
    change(tree, key, value)
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(tree))
    assert str(error.value).startswith(f"study.yaml: {line}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: [", "study.yaml, line 1: not YAML: expected the node content, but found '<stream end>'"),
        ("title: a\n\tspecies: [A]", "study.yaml, line 2: not YAML: found character '\\t' that cannot start any token"),
        ("title: a\ntitle: b", "study.yaml, line 2: not YAML: key 'title' is given twice"),
        ("- title", "study.yaml: found list; allowed is a mapping of keys to values"),
        ("", "study.yaml: found NoneType; allowed is a mapping of keys to values"),
    ],
)
def test_what_is_no_mapping_is_told_in_one_line(save_study, text, line):
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(text))
    assert str(error.value) == line


def test_file_that_is_not_text(save_study):
    path = save_study("")
    path.write_bytes(b"title: \xff\xfe")
    with pytest.raises(ConfigurationError, match=r"^study.yaml: not YAML: .*invalid start byte$"):
        load_study(path)


def test_missing_file_names_the_files_there_are(save_study, tree):
    path = save_study(tree)
    with pytest.raises(ConfigurationError) as error:
        load_study(path.with_name("stduy.yaml"))
    assert str(error.value) == "stduy.yaml: no such file; allowed are study"


def test_every_independent_mistake_has_its_line(tree, save_study):
    """Also no line twice: where runs start is checked for each split, but told once."""
    change(tree, "initial_condition.interactions", ["A", "AA", "AB"])
    tree["initial_condition"]["box"] = {"lower": [0, 0, 0], "upper": [1, 1, 1]}
    change(tree, "evaluation", {"split": "validation"})
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(tree))
    lines = str(error.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["initial_condition.interactions", "evaluation.split"]


def test_long_values_are_cut(tree, save_study):
    change(tree, "lattice.boundary", "x" * 1000)
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(tree))
    assert len(str(error.value)) < 200


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"studies": ["a"]}, "seed: missing, and there is no default"),
        ({"studies": ["a"], "seed": -1}, "seed: -1: allowed is 0 or more"),
        ({"studies": ["a"], "seed": "now"}, 'seed: "now": allowed is a whole number'),
        ({"studies": [], "seed": 1}, "studies: []: allowed is at least 1"),
        ({"studies": ["A"], "seed": 1}, 'studies.0: "A": allowed is a lower-case letter and then lower-case letters, '),
        ({"studies": ["a"], "seed": 1, "result": "x"}, "unknown key 'result' (did you mean 'results'?)"),
    ],
)
def test_mistakes_in_the_settings(settings, line):
    with pytest.raises(ConfigurationError) as error:
        parse(Workflow, settings, "config.yaml")
    assert str(error.value).startswith(f"config.yaml: {line}")
    assert "\n" not in str(error.value)


def test_right_study_is_accepted(tree, save_study):
    study = load_study(save_study(tree))
    assert study.models["visible"].domain.vertices == (9, 9)
    assert study.models["visible"].integrator.scheme == "rk4"
    assert study.evaluation.last_step is None
    assert study.models["hidden"].initial.contrastive.average == 50


def test_numbers_written_without_a_point_are_read(tree, save_study):
    """YAML takes 1e-4 for text; it is a number all the same."""
    change(tree, "models.visible.learning.roughness", "REPLACED")
    text = save_study(tree).read_text().replace("REPLACED", "[1e-4]")
    assert load_study(save_study(text)).models["visible"].learning.roughness == (1e-4,)


def test_study_is_frozen(tree):
    study = Study.model_validate(tree)
    with pytest.raises(ValidationError):
        study.title = "another"


@pytest.mark.parametrize("cells", [1, 7, 20])
def test_vertices_despite_rounding(cells):
    spacing = 0.1
    domain = DomainSection(parameters=["A"], lower=[-0.3], upper=[-0.3 + cells * spacing], spacing=[spacing])
    assert domain.vertices == (cells + 1,)


def test_every_pattern_has_words(tree):
    """Every pattern in the schema is explained to those who miss it."""
    assert set(patterns(Study.model_json_schema())) | set(patterns(Workflow.model_json_schema())) == set(PATTERNS)


def patterns(node):
    """Yield the patterns of a JSON schema."""
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        yield from node.get("patternProperties", {})
        for value in node.values():
            yield from patterns(value)
    elif isinstance(node, list):
        for value in node:
            yield from patterns(value)
