"""The smoke study from end to end: every product, what is in it, and that its bytes depend on the study alone."""

import json
import shutil

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import yaml

from conftest import ROOT
from dbd.evaluation.baselines import BASELINES
from dbd.files.netcdf import file_hash, read, read_lattices

STUDY = yaml.safe_load((ROOT / "config" / "studies" / "annihilation.yaml").read_text())
MODELS = list(STUDY["models"])
ORACLES = [name for name, model in STUDY["models"].items() if model.get("oracle")]
OBSERVABLES = STUDY["observables"]
CONDITIONS, RUNS, STEPS, SITES = {"train": 6, "test": 4}, 10, 20, 100
TRAJECTORY = ("initial_condition", "time", "parameter")
COUNTS = ("initial_condition", "time", "observable")
EVENTS = ("initial_condition", "run", "interval", "reaction")

# Variables of each kind of file with their dimensions.
CONTRACTS = {
    "*/ensemble/*.nc": {
        "packed": ("initial_condition", "run", "byte", "site"),
        "initial_numbers": ("initial_condition", "initial_quantity"),
        "turns": ("initial_condition", "run"),
        "events": EVENTS,
    },
    "*/counts/*.nc": {
        "runs": (),
        "first": COUNTS,
        "second": (*COUNTS, "other_observable"),
        "counts": ("run", *COUNTS),
        "events": EVENTS,
    },
    "*/moments.nc": {
        "mean": COUNTS,
        "std": COUNTS,
        "sem": COUNTS,
        "covariance": (*COUNTS, "other_observable"),
        "runs": ("initial_condition",),
        "initial_numbers": ("initial_condition", "initial_quantity"),
    },
    "models/*/initial.*.nc": {"theta": ("initial_condition", "parameter")},
    "models/*/dynamics.nc": {
        "u": ("parameter", "coefficient"),
        "theta": TRAJECTORY,
        "action": ("optimisation_step",),
        "gradient_norm": ("optimisation_step",),
    },
    "models/*/test.nc": {
        "theta": TRAJECTORY,
        "excess": ("initial_condition", "time"),
        "mean": COUNTS,
        "sem": COUNTS,
        "std": COUNTS,
        "covariance": (*COUNTS, "other_observable"),
    },
    "baselines/*/test.nc": {"mean": COUNTS},
    "models/*/oracle.test.nc": {"theta": TRAJECTORY, "mean": COUNTS},
}
PROVENANCE = {"Conventions", "configuration", "seed", "bit_generator", "versions", "commit", "input_sha256"}


def test_nothing_is_left_to_do(project):
    assert project.jobs() == {}


def test_every_product_exists(project):
    wanted = {f"{split}/moments.nc" for split in CONDITIONS}
    wanted |= {f"models/{model}/initial.{split}.nc" for model in MODELS for split in CONDITIONS}
    wanted |= {f"models/{model}/{name}.nc" for model in MODELS for name in ("dynamics", "test")}
    wanted |= {f"models/{model}/oracle.test.nc" for model in ORACLES}
    wanted |= {f"baselines/{baseline}/test.nc" for baseline in BASELINES}
    wanted |= {"evaluation.csv", "summary.csv", "sweeps.csv"}
    figures = {path.stem for path in (ROOT / "workflow" / "report").glob("*.rst")}
    found = set(project.products())
    drawn = {name for name in found if name.startswith("figures/")}
    assert found - drawn == wanted
    assert drawn == {
        f"figures/{name}.{kind}" for name in {name.split("/")[1][:-4] for name in drawn} for kind in ("pdf", "png")
    }
    assert 8 <= len(drawn) / 2 <= len(figures)


def test_every_job_has_a_log_and_a_benchmark(project):
    folder = project.root / "results" / "smoke"
    logs = {path.relative_to(folder / "logs").with_suffix("") for path in (folder / "logs").rglob("*.log")}
    times = {path.relative_to(folder / "benchmarks").with_suffix("") for path in (folder / "benchmarks").rglob("*.tsv")}
    assert logs == times
    assert len(logs) > 40


@pytest.mark.parametrize("pattern", CONTRACTS)
def test_contract(project, pattern):
    """Dimensions, sizes, coordinates, attributes and provenance of a kind of file."""
    paths = sorted(project.results.glob(pattern))
    assert paths
    sizes = {
        "time": STEPS + 1,
        "observable": len(OBSERVABLES),
        "other_observable": len(OBSERVABLES),
        "site": SITES,
        "initial_quantity": 3,
    }
    for path in paths:
        dataset = read(path)
        for name, dimensions in CONTRACTS[pattern].items():
            variable = dataset[name]
            assert variable.dims == dimensions, f"{path}: {name}"
            assert {"units", "long_name"} <= set(variable.attrs), f"{path}: {name}"
            assert np.isfinite(variable.values).all(), f"{path}: {name}"
        assert {name: size for name, size in dataset.sizes.items() if name in sizes}.items() <= sizes.items()
        if "observable" in dataset.dims:
            assert dataset.observable.values.tolist() == OBSERVABLES
        if "time" in dataset.dims and "dynamics" not in path.name:
            assert dataset.step.values.tolist() == list(range(STEPS + 1))
        if path.name == "test.nc" and "models" in pattern:
            np.testing.assert_allclose(dataset.time, dataset.step * STUDY["ensemble"]["dt"])
        if "models" in pattern:
            model = STUDY["models"][path.parent.name]
            hidden = [name for layer in model.get("layers", []) for name in (*layer["weights"], *layer["species"])]
            assert dataset.parameter.values.tolist() == [*model["interactions"], *hidden]
        assert set(dataset.attrs) == PROVENANCE
        assert dataset.attrs["seed"] == "20190624"
        configuration = json.loads(dataset.attrs["configuration"])
        assert configuration["lattice"]["shape"] == [SITES], "the whole configuration that the file depends on"
        assert configuration["reactions"][0]["equation"] == "A + A -> 0"


def test_input_hashes_are_those_of_the_files(project):
    path = project.results / "models" / "visible" / "test.nc"
    hashes = json.loads(read(path).attrs["input_sha256"])
    assert hashes == {name: file_hash(path.with_name(name)) for name in ("dynamics.nc", "initial.test.nc")}


def test_moments_are_those_of_the_lattices(project):
    """Counted again from the lattices, in the plainest way."""
    occupied = np.array(read_lattices((project.results / "test" / "ensemble").glob("*.nc"))).astype(bool)
    moments = read(project.results / "test" / "moments.nc")
    assert occupied.shape == (CONDITIONS["test"], RUNS, STEPS + 1, SITES)
    assert (moments.runs == RUNS).all()
    for length, observable in enumerate(OBSERVABLES, start=1):
        windows = np.lib.stride_tricks.sliding_window_view(occupied, length, axis=-1)
        counts = windows.all(axis=-1).sum(axis=-1)
        found = moments.sel(observable=observable)
        np.testing.assert_array_equal(found["mean"], counts.sum(axis=1) / RUNS)
        np.testing.assert_allclose(found["std"], counts.std(axis=1, ddof=1), rtol=1e-12, atol=1e-12)


def test_tables(project):
    evaluation = pd.read_csv(project.results / "evaluation.csv")
    summary = pd.read_csv(project.results / "summary.csv")
    kinds = {"model": MODELS, "oracle": ORACLES, "baseline": BASELINES, "floor": ["noise"]}
    models = {(name, kind) for kind, names in kinds.items() for name in names}
    for table in (evaluation, summary):
        assert set(zip(table.model, table.kind, strict=True)) == models
    assert list(evaluation.columns) == [
        "model",
        "kind",
        "split",
        "observable",
        "step",
        "time",
        "rmse",
        "noise",
        "range",
    ]
    assert len(evaluation) == len(models) * len(OBSERVABLES) * (STEPS + 1)
    columns = {"steps", "rmse", "relative_rmse", "worst", "relative_noise", "published", "off_grid", "drift"}
    assert columns <= set(summary.columns)
    assert len(summary) == len(models) * (len(OBSERVABLES) + 1)
    summary = summary[summary.observable != "mean"]
    assert np.isfinite(evaluation[["rmse", "noise", "range"]]).all(axis=None)
    key = ["model", "kind", "observable"]
    means = evaluation.groupby(key).rmse.mean()
    errors = summary.set_index(key).rmse
    np.testing.assert_allclose(errors, means[errors.index], rtol=1e-3)
    shown = summary.set_index(["model", "observable"]).published.dropna().to_dict()
    assert shown == {
        (name, observable): value
        for name, model in STUDY["models"].items()
        for observable, value in model.get("published", {}).items()
    }


def test_figures_are_images(project):
    for path in project.results.glob("figures/*.png"):
        image = matplotlib.image.imread(path)
        assert min(image.shape[:2]) > 300
        assert image[..., :3].std() > 0.01, f"{path.name} is blank"
    for path in project.results.glob("figures/*.pdf"):
        content = path.read_bytes()
        assert content.startswith(b"%PDF") and b"/CreationDate" not in content


@pytest.mark.parametrize(
    ("override", "line"),
    [
        (
            {"ensemble": {"splits": {"train": {"runs": 0}}}},
            "config/studies/annihilation.yaml with the overrides of ",
        ),
        (
            {"reactions": [{"equation": "A + B -> 0", "probability": 0.01}]},
            "config/studies/annihilation.yaml with the ",
        ),
    ],
)
def test_mistake_stops_everything_and_loses_nothing(project, override, line):
    """Exit code 1, one line, no traceback, and all results still there."""
    before = project.products()
    (project.root / "mine.yaml").write_text(yaml.safe_dump({"overrides": {"annihilation": override}}))
    code, said = project.run(config=["mine.yaml"])
    assert code == 1
    assert "Traceback" not in said
    lines = [
        text for text in said.partition("Error in the configuration:\n")[2].splitlines() if "Config file" not in text
    ]
    assert len(lines) == 1 and lines[0].startswith(line)
    assert project.products() == before
    assert project.jobs() == {}


def test_same_bytes_on_one_core_and_from_another_cut(project):
    """All data and two figures anew on one core, not two, and with the ensemble in two parts a split, not four."""
    before = project.products()
    shutil.rmtree(project.root / "results")
    batch = {"batch": {"initial_conditions": 4, "runs": 10}}
    (project.root / "mine.yaml").write_text(yaml.safe_dump({"overrides": {"annihilation": {"ensemble": batch}}}))
    targets = ["evaluation.csv", "figures/lattices.png", "figures/rmse.png"]
    code, said = project.run(*(str(project.RESULTS / name) for name in targets), cores=1, config=["mine.yaml"])
    assert code == 0, said
    assert len(list((project.results / "train" / "ensemble").iterdir())) == 2
    after = project.products()
    other_figures = {name for name in before if name.startswith("figures/")} - set(after)
    assert set(after) == set(before) - other_figures and len(after) > 20
    assert [name for name in after if before[name] != after[name]] == []
