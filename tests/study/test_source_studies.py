"""Studies of runs that come from files: what is refused when they are read, and that later jobs cannot tell."""

import copy
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import REMOVED, ROOT, change
from dbd.build.source import Layout
from dbd.evaluation.baselines import BASELINES
from dbd.files.netcdf import StoreError, provenance, read, read_lattices, write
from dbd.study.lattice_checks import exactly_known
from dbd.study.reading import ConfigurationError, load_study

sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from combine_moments import combine_moments, merge_sums
from count_moments import count_moments
from import_ensemble import import_ensemble
from initial_parameters import initial_parameters
from learn_matched_trajectories import dataset_of, learn_matched_trajectories
from predict_baseline import predict_baseline
from predict_moments import predict_moments
from simulate_ensemble import simulate_ensemble

SOURCE = yaml.safe_load("""
title: Somebody else's runs
species: [A, B]
lattice: {shape: [6, 5], boundary: periodic}
source: {files: {train: train.csv, test: test.csv}, lower: [-3, 0], shared: 1}
ensemble:
  dt: 0.5
  steps: 4
  splits: {train: {initial_conditions: 3, runs: 4}, test: {initial_conditions: 2, runs: 3}}
models:
  pairs: {interactions: [A, B, AA, AB]}
""")
GIVEN = {"recipe": "reduced_runs"}
COUNTS = {"counts": {"A": 3, "B": 2}}


def table(conditions, runs):
    """Molecules anywhere in the box, fewer from time to time."""
    generator = np.random.default_rng(1)
    keys = [(c, r, 0.5 * t, k) for c in range(conditions) for r in range(runs) for t in range(5) for k in range(8 - t)]
    frame = pd.DataFrame(keys, columns=["initial_condition", "run", "time", "molecule"])
    size = len(frame)
    return frame.assign(
        species=generator.choice(["A", "B"], size), x=generator.uniform(-3, 3, size), y=generator.uniform(0, 5, size)
    )


@pytest.fixture
def source(tmp_path, monkeypatch):
    """The study in plain mappings, its files in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name, sizes in (("train", (3, 4)), ("test", (2, 3))):
        table(*sizes).to_csv(f"{name}.csv", index=False)
    return copy.deepcopy(SOURCE)


@pytest.mark.parametrize("reactions", [None, [{"equation": "A + B -> 0", "probability": 1}]])
def test_right_study(source, save_study, reactions):
    if reactions:
        source["reactions"] = reactions
    study = load_study(save_study(source))
    assert study.models["pairs"].family == "composition"
    assert study.models["pairs"].initial.method == "independent"
    assert not exactly_known(study)


WRONG = [
    ("source", REMOVED, ["reactions: missing, and there is no default", "initial_condition: missing, and there"]),
    ("initial_condition", COUNTS, ["initial_condition: got one, expected none: runs come from source"]),
    (
        "ensemble.splits.test.initial_condition",
        COUNTS,
        ["ensemble.splits.test.initial_condition: got one, expected no"],
    ),
    (
        "ensemble.splits.test.initial_conditions",
        REMOVED,
        ["ensemble.splits.test.initial_conditions: missing, and there"],
    ),
    ("source.made_by", "simulate_smoldyn", ["source: got both, expected either files or made_by"]),
    ("source.files", {}, ["source: got neither, expected either files or made_by"]),
    ("source.files.test", REMOVED, ["source.files: got train, expected a file for each of train, test, not test"]),
    (
        "source.files.more",
        "more.csv",
        ["source.files: got train, test, more, expected a file for each of train, test, no"],
    ),
    ("source.files.test", "gone.csv", ["source.files.test: gone.csv: no such file"]),
    (
        "source.files.test",
        "train.xls",
        ["source.files.test: train.xls: got .xls, expected one of .csv, .csv.gz, .parqu"],
    ),
    ("source.lower", [0], ["source.lower: got 1 numbers, expected 2, one for each axis of the lattice"]),
    ("source.lower", [0, 0], [f"source.files.{name}: {name}.csv: x: got -" for name in ("train", "test")]),
    ("source.spacing", 0, ["source.spacing: got 0, expected more than 0"]),
    ("source.shared", 2, ["source.shared: got 2, expected 1 or less"]),
    ("species", ["A"], [f"source.files.{name}: {name}.csv: species: got B in row" for name in ("train", "test")]),
    ("lattice.shape", [6, 5, 4], ["source.lower: got 2 numbers, expected 3"]),
    ("ensemble.steps", 3, [f"source.files.{name}: {name}.csv: time: got 2.0 in row" for name in ("train", "test")]),
    (
        "models.pairs.learning",
        GIVEN,
        ["models.pairs.learning.recipe: got reduced_runs, expected another one: a source"],
    ),
    ("models.pairs.initial", {"method": "given"}, ["models.pairs.initial.method: got given, expected "]),
    ("figures", {"draw": ["control"]}, ["figures.draw: got control, expected molecules that react alone and start"]),
]


@pytest.mark.parametrize(("key", "value", "lines"), WRONG, ids=[f"{key} {lines[0]}"[:60] for key, _, lines in WRONG])
def test_wrong_studies(source, save_study, key, value, lines):
    """The lines that are reported after the name of the study file, and no others."""
    change(source, key, value)
    with pytest.raises(ConfigurationError) as found:
        load_study(save_study(source))
    said = str(found.value).splitlines()
    assert len(said) == len(lines)
    for one, line in zip(said, lines, strict=True):
        assert one.startswith(f"study.yaml: {line}")


def test_files_that_a_rule_makes(source, save_study):
    """They need not be there."""
    source["source"] = {"made_by": "simulate_smoldyn"}
    assert load_study(save_study(source)).source.made_by == "simulate_smoldyn"


def test_import_is_what_a_simulation_writes(source, save_study, tmp_path):
    """Variables, dimensions, types and attributes; nothing but events and hop attempts, which nobody knows, is less."""
    settings = load_study(save_study(source)).model_dump(mode="json") | {"seed": 1}
    whole = import_ensemble(settings, "train", "train.csv", range(3), range(4))
    numbers = {"counts": {"A": 3, "B": 2}, "parameters": None, "box": None, "design": "random", "rates": {}}
    simulated = simulate_ensemble(
        settings | {"reactions": [], "initial_condition": numbers}, "s", "train", range(3), range(4), 1
    )
    assert set(simulated.variables) - set(whole.variables) == {"turns"}
    for name, values in whole.variables.items():
        assert (values.dims, values.shape, values.dtype) == (
            simulated[name].dims,
            simulated[name].shape,
            simulated[name].dtype,
        ), name
        assert values.attrs == simulated[name].attrs
    files = [tmp_path / f"{k}.nc" for k in range(4)]
    cuts = [(range(2), range(3)), (range(2), range(3, 4)), (range(2, 3), range(3)), (range(2, 3), range(3, 4))]
    for file, cut in zip(files, cuts, strict=True):
        write(import_ensemble(settings, "train", "train.csv", *cut), file, provenance(settings))
    write(whole, tmp_path / "whole.nc", provenance(settings))
    for one, other in zip(read_lattices(files), read_lattices([tmp_path / "whole.nc"]), strict=True):
        np.testing.assert_array_equal(one, other)
    moments = [
        combine_moments(merge_sums([count_moments(settings, part) for part in parts]))
        for parts in ([read(file) for file in files], [whole])
    ]
    assert moments[0].drop_vars("initial_numbers").equals(moments[1].drop_vars("initial_numbers"))
    np.testing.assert_array_equal(moments[0].initial_numbers, moments[1].initial_numbers)
    counts = table(3, 4).groupby(["initial_condition", "time", "species"]).size().unstack("species") / 4
    found = moments[0]["mean"].sel(observable=["A", "B"]).values.reshape(-1, 2)
    np.testing.assert_allclose(found, counts.values)
    predicted = predict_baseline(settings, "independent_sites", moments[0])
    np.testing.assert_allclose(predicted["mean"].sel(observable=["A", "B"]).values.reshape(-1, 2), counts.values)


def test_reactions_that_the_study_says(source, save_study):
    """Files know no rates: those of the study are what baselines and models take."""
    source["reactions"] = [{"equation": "A + B -> 0", "probability": 0.5}, {"equation": "A -> 0", "rate": 0.2}]
    settings = load_study(save_study(source)).model_dump(mode="json") | {"seed": 1}
    parts = {"train": (range(3), range(4)), "test": (range(2), range(3))}
    moments, starts = {}, {}
    for split, part in parts.items():
        ensemble = import_ensemble(settings, split, f"{split}.csv", *part)
        moments[split] = combine_moments(merge_sums([count_moments(settings, ensemble)]))
        initial = initial_parameters(settings, "s", split, "pairs", moments[split], None)
        starts[split] = initial.theta.values, initial.rates.values
    for name in BASELINES:
        assert np.isfinite(predict_baseline(settings, name, moments["test"])["mean"]).all(), name
    training = ([part] for part in starts["train"])
    recipe = learn_matched_trajectories(settings, "s", "pairs", [moments["train"]], *training, 1)
    (*_, state) = recipe.states(None)
    learned = dataset_of(recipe, state, 3, [])
    predicted = predict_moments(settings, "s", "test", "pairs", learned, *starts["test"], 1)
    assert np.isfinite(predicted["mean"]).all()


def test_what_is_only_seen_by_the_job(source, save_study):
    """It stops with one line and writes nothing; the file of the other split is not looked at."""
    source["source"]["shared"] = 0.1
    settings = load_study(save_study(source)).model_dump(mode="json")
    assert Layout.of(settings, "test").conditions == 2
    with pytest.raises(
        StoreError, match=r"^train\.csv: sites: got \d+ of 360 molecules \(0\.\d+\) in a site that anot"
    ):
        import_ensemble(settings, "train", "train.csv", range(3), range(4))
