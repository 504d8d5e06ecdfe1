"""Mistakes in a study are reported in one line: file, key, value and what is expected."""

import pytest
from pydantic import ValidationError

from conftest import change
from dbd.study.lattice_study import Study, Workflow
from dbd.study.model import DomainSection
from dbd.study.reading import ConfigurationError, load_study, parse
from dbd.study.values import PATTERNS


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("title: [", "study.yaml, line 1: not YAML: expected the node content, but found '<stream end>'"),
        ("title: a\n\tspecies: [A]", "study.yaml, line 2: not YAML: found character '\\t' that cannot start any token"),
        ("title: a\ntitle: b", "study.yaml, line 2: not YAML: key 'title' is given twice"),
        ("- title", "study.yaml: got list, expected a mapping of keys to values"),
        ("", "study.yaml: got NoneType, expected a mapping of keys to values"),
    ],
)
def test_what_is_no_mapping_is_reported_in_one_line(save_study, text, line):
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
    assert str(error.value) == "stduy.yaml: no such file, expected one of study"


def test_every_independent_mistake_has_its_line(tree, save_study):
    """Also no line twice: where runs start is checked for each split, but reported once."""
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
        ({"studies": ["a"], "seed": -1}, "seed: got -1, expected 0 or more"),
        ({"studies": ["a"], "seed": "now"}, 'seed: got "now", expected a whole number'),
        ({"studies": [], "seed": 1}, "studies: got [], expected at least 1"),
        (
            {"studies": ["A"], "seed": 1},
            'studies.0: got "A", expected a lower-case letter and then lower-case letters, digits',
        ),
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
    assert study.evaluation.last_step == study.ensemble.steps
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


def test_only_models_that_learn_across_rates_may_have_them(tree, save_study):
    tree["ensemble"]["splits"]["test"]["initial_condition"] = {
        **tree["initial_condition"],
        "rates": {"A -> 0": {"values": [1, 2]}},
    }
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(tree))
    expected = "expected matched_trajectories, as test has rates of its own"
    assert f"models.visible.learning.recipe: got gauss_newton, {expected}" in str(error.value)
