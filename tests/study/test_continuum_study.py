"""A study in continuous space is read and checked; mistakes are reported in one line."""

import copy
from pathlib import Path

import pytest
import yaml

from conftest import REMOVED, ROOT, change
from continuum_studies import DENSITY, PAIRS
from dbd.study.continuum_study import ContinuumStudy
from dbd.study.reading import ConfigurationError, initial_conditions, load_study

START = "ensemble.splits.train.starts.0.A"
MISTAKES = [
    (DENSITY, "space.lengths", [1, 1, 1], "space.lengths: got [1, 1, 1], expected at most 2"),
    (DENSITY, "space.diffusion", {}, "space.diffusion: missing A; every species needs"),
    (DENSITY, "space.diffusion.B", 1, "space.diffusion.B: got B, expected one of A"),
    (DENSITY, "space.diffusion.A", -1, "space.diffusion.A: got -1, expected 0 or more"),
    (DENSITY, "space.reaction_radius", 2, "reactions.0: radius: got 2.0, expected above 0 and up to 1.0"),
    (DENSITY, "space.radius", 2, "space: unknown key 'radius', expected one of lengths"),
    (DENSITY, "reactions.1.equation", "B -> 0", "reactions.1: reaction 'B -> 0': got species 'B'"),
    (DENSITY, "reactions.1.rate", "fast", 'reactions.1.rate: got "fast", expected a number'),
    (DENSITY, START, {}, f"{START}: found none; give exactly one of poisson, regular, clustered"),
    (DENSITY, f"{START}.poisson.background", 0, f"{START}.poisson.background: got 0, expected more than 0"),
    (DENSITY, START, {"regular": {"density": 5, "spread": 0}}, f"{START}: got regular, expected poisson or"),
    (
        DENSITY,
        "ensemble.splits.train.starts.0",
        {"B": {"poisson": {"background": 1}}},
        "starts.0.B: got B, expected one of A",
    ),
    (DENSITY, "ensemble.splits.test.runs", 1, "ensemble.splits.test.runs: got 1, expected 2 or more, one for each"),
    (DENSITY, "observables.cells", [16, 16], "observables.cells: got 2 numbers, expected one for each axis, 1"),
    (DENSITY | {"evaluation": {}}, "observables.cells", [4], "observables.cells: got 4, expected 5 or more"),
    (
        DENSITY,
        "observables.pairs",
        {"reach": 0.1, "bins": 2},
        "pairs.reach: got 0.1, expected a periodic box",
    ),
    (DENSITY, "density_equation", REMOVED, "density_equation: missing; needed for models of the density"),
    (DENSITY, "density_equation.upper", -4, "density_equation: grid: got -4.0 to -4.0, expected a lower end below"),
    (DENSITY, "space.diffusion.A", 1, "density_equation.substeps: got 2, expected 50 or more, to be stable"),
    (DENSITY, "models.learned.mean_field", {}, "models.learned: found functions and mean_field; give exactly one of"),
    (DENSITY, "models.learned.functions.held_out", [0, 1], "functions.held_out: got [0, 1], expected some, not all"),
    (DENSITY, "models.kirkwood", {"title": "K", "kirkwood": {}}, "models: got both kinds, expected models"),
    (DENSITY, "evaluation.split", "tset", "evaluation.split: got tset, expected one of train, test"),
    (DENSITY, "evaluation.cells", 5, "evaluation.cells: got 5, expected divisors of 16"),
    (DENSITY, "figures.draw", ["closure"], "figures.draw: got closure, expected one for models of the density"),
    (DENSITY, "figures.colors.best", "#000000", "figures.colors.best: got best, expected one of learned, mean_field"),
    (
        PAIRS,
        "reactions.0.equation",
        "A + A -> A",
        "reactions: got others, expected A + A -> 0 alone, for models of pairs",
    ),
    (
        PAIRS,
        "observables.pairs.bins",
        52,
        "observables.pairs.bins: radius: got 0.02, expected a multiple of the bin 0.0096",
    ),
    (PAIRS, "observables.gaps", REMOVED, "observables.gaps: missing; needed for models of pairs"),
    (PAIRS, "matching.steps", [2, 4], "matching.steps: got 4, expected 1 to 3"),
    (PAIRS, "matching.initial_condition", 1, "matching.initial_condition: got 1, expected 0 to 0"),
    (PAIRS, "matching.reach", 0.255, "matching.reach: got 0.255, expected a whole number of the bins"),
    (PAIRS, "figures.draw", ["functions"], "figures.draw: got functions, expected one for models of pairs"),
]


@pytest.mark.parametrize(("tree", "key", "value", "line"), MISTAKES)
def test_mistake_is_reported_in_one_line(save_study, tree, key, value, line):
    wrong = copy.deepcopy(tree)
    change(wrong, key, value)
    with pytest.raises(ConfigurationError) as error:
        load_study(save_study(wrong))
    lines = str(error.value).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("study.yaml: ")
    assert line in lines[0]


@pytest.mark.parametrize("tree", [DENSITY, PAIRS])
def test_right_study_is_accepted(save_study, tree):
    study = load_study(save_study(tree))
    assert isinstance(study, ContinuumStudy)
    assert initial_conditions(study, "train") == 2


def test_studies_of_the_project_are_right():
    """All study files, with and without the overrides for tests."""
    overrides = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["overrides"]
    for path in sorted(Path(ROOT, "config", "studies").glob("*.yaml")):
        load_study(path)
        load_study(path, overrides.get(path.stem))
