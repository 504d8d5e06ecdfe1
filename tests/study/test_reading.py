"""Reading a study: overrides, parts of the configuration, and the study files of the project."""

import pytest
import yaml

from conftest import ROOT
from dbd.study.lattice_study import Workflow
from dbd.study.reading import (
    ConfigurationError,
    check_compared,
    check_names,
    initial_conditions,
    load_studies,
    load_study,
    overlay,
    parse,
    start_of,
    subtree,
)

STUDY_FILES = sorted((ROOT / "config" / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", STUDY_FILES, ids=lambda path: path.stem)
def test_studies_of_the_project_are_right(path):
    assert load_study(path).title


@pytest.mark.parametrize("preset", [ROOT / "config" / "config.yaml", *(ROOT / "config").glob("smoke*.yaml")], ids=str)
def test_presets_of_the_project_are_right(preset):
    base = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    settings = parse(Workflow, overlay(base, yaml.safe_load(preset.read_text())), str(preset))
    check_names([*settings.overrides, *settings.studies], ROOT / "config" / "studies", str(preset))
    for name in {*settings.studies, *settings.overrides}:
        assert load_study(ROOT / "config" / "studies" / f"{name}.yaml", settings.overrides.get(name))


def test_overlay():
    base = {"a": 1, "b": {"c": 2, "d": [3]}, "e": {"f": 4}}
    changed = overlay(base, {"b": {"c": 5, "g": 6}, "e": None, "h": {"i": 7}, "missing": None})
    assert changed == {"a": 1, "b": {"c": 5, "d": [3], "g": 6}, "h": {"i": 7}}
    assert base == {"a": 1, "b": {"c": 2, "d": [3]}, "e": {"f": 4}}
    assert overlay({"b": 1}, {"b": {"c": 2}}) == {"b": {"c": 2}}
    assert overlay({"b": {"c": 2}}, {"b": 1}) == {"b": 1}


def test_changes_are_laid_over_and_their_origin_is_named(tree, save_study):
    path = save_study(tree)
    assert load_study(path, {"ensemble": {"steps": 3}}).ensemble.steps == 3
    with pytest.raises(ConfigurationError) as error:
        load_study(path, {"ensemble": {"steps": 0}}, "smoke.yaml")
    assert str(error.value) == "study.yaml with smoke.yaml: ensemble.steps: got 0, expected 1 or more"


def test_study_that_does_not_exist(tree, save_study):
    folder = save_study(tree).parent
    check_names(["study"], folder, "smoke.yaml: overrides")
    with pytest.raises(ConfigurationError) as error:
        check_names(["stduy"], folder, "smoke.yaml: overrides")
    assert str(error.value) == "smoke.yaml: overrides: got stduy, expected one of study"


def test_mistakes_matter_in_studies_that_are_needed(tree, save_study):
    path = save_study(tree)
    path.with_name("other.yaml").write_text("title: Nothing else")
    assert list(load_studies(path.parent, {}, "smoke.yaml", ["study"])) == ["study"]
    with pytest.raises(ConfigurationError, match=r"^other\.yaml: species: missing, and there is no default"):
        load_studies(path.parent, {}, "smoke.yaml", ["study", "other"])
    changed = load_studies(path.parent, {"study": {"ensemble": {"steps": 3}}}, "smoke.yaml", ["study"])
    assert changed["study"].ensemble.steps == 3


def test_subtree():
    tree = {"a": {"b": 1, "c": {"d": 2}}, "e": 3, "f": 4}
    assert subtree(tree, "a.c.d", "e") == {"a": {"c": {"d": 2}}, "e": 3}
    assert subtree(tree, "a.b", "a.c") == {"a": {"b": 1, "c": {"d": 2}}}
    with pytest.raises(KeyError):
        subtree(tree, "a.z")


def test_numbers_of_initial_conditions(tree, save_study):
    tree["ensemble"]["splits"] = {
        "train": {"runs": 3, "initial_condition": {"interactions": ["A", "AA"], "parameters": [[0, 0], [1, 1]]}},
        "test": {"runs": 3, "initial_conditions": 3},
        "held": {
            "runs": 3,
            "initial_conditions": 1,
            "initial_condition": {"interactions": ["A", "AA"], "parameters": [[0, 0], [1, 1]]},
        },
    }
    study = load_study(save_study(tree))
    assert [initial_conditions(study, split) for split in ("train", "test", "held")] == [2, 3, 1]
    assert start_of(study, "train").parameters == ((0, 0), (1, 1))
    assert start_of(study, "test").box


def test_own_start_of_a_split_is_checked(tree, save_study):
    start = {"interactions": ["A", "AA"], "parameters": [[0, 3]]}
    tree["ensemble"]["splits"]["far"] = {"runs": 3, "initial_condition": start}
    with pytest.raises(ConfigurationError, match=r"a grid of AA from -2\.0 to 2\.0, expected .* 3\.0 to 3\.0"):
        load_study(save_study(tree))
    start["interactions"] = ["A", "AB"]
    with pytest.raises(ConfigurationError, match=r"ensemble.splits.far.initial_condition.interactions: inter.*'AB'"):
        load_study(save_study(tree))


def test_study_without_models_needs_no_training(tree, save_study):
    tree["models"] = {}
    tree["ensemble"]["splits"] = {"test": {"initial_conditions": 2, "runs": 2}}
    assert load_study(save_study(tree)).models == {}


def test_figures_of_chains_are_for_chains(tree, save_study):
    tree["figures"] = {"draw": ["rmse", "counts"]}
    assert load_study(save_study(tree)).figures.draw == ("rmse", "counts")
    tree["models"] = {}
    tree["lattice"]["shape"] = [5, 4]
    with pytest.raises(
        ConfigurationError, match=r"figures\.draw: got counts, expected no figure that is for chains of one species$"
    ):
        load_study(save_study(tree))


def test_a_study_is_compared_with_one_of_the_studies():
    studies = {path.stem: load_study(path) for path in STUDY_FILES}
    check_compared(studies, "config.yaml")
    del studies["rossler_uniform"]
    with pytest.raises(
        ConfigurationError, match=r"figures\.compare_with of rossler: got rossler_uniform, expected one of "
    ):
        check_compared(studies, "config.yaml")
