"""What `make benchmark` says of the last run: time per rule, overhead, storage."""

import os
import sys

import pandas as pd
import pytest

from conftest import ROOT
from dbd.files.benchmarks import costs_of_rules, read_runtimes

sys.path.insert(0, str(ROOT / "workflow"))

from benchmark import finished_run, overhead, storage

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
FILES = {
    "decay/train/simulate_ensemble/ic0-3_run0-5.tsv": 4.0,
    "decay/train/combine_moments.tsv": 1.0,
    "decay/models/pairs_published/learn_dynamics.tsv": 10.0,
    "decay/models/pairs_published/predict_moments.test.tsv": 2.0,
    "decay/figures/plot_rmse.tsv": 3.0,
}


@pytest.fixture
def folder(tmp_path):
    """Benchmark files of five jobs."""
    for name, wall in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEAD}{wall}\t0:00:0{wall:.0f}\t200.5\t400\t-\t-\t0\t0\t90\t{wall / 2}\n")
    return tmp_path


def test_jobs_of_every_form(folder):
    jobs = read_runtimes(folder).set_index("rule")
    assert set(jobs.study) == {"decay"}
    assert jobs.wall.to_dict() == {
        "simulate_ensemble": 4.0,
        "combine_moments": 1.0,
        "learn_dynamics": 10.0,
        "predict_moments": 2.0,
        "plot_rmse": 3.0,
    }
    assert jobs.wildcards["simulate_ensemble"] == {"part": "ic0-3_run0-5", "split": "train", "model": ""}
    assert jobs.wildcards["predict_moments"]["split"] == "test"
    assert jobs.wildcards["predict_moments"]["model"] == "pairs_published"
    assert costs_of_rules(read_runtimes(folder)).index[0] == "learn_dynamics"


def test_overhead(tmp_path):
    """Jobs from 10 to 30, 20 to 40, 60 to 70 s in a run of 100 s: 40 s are busy. Earlier jobs do not count."""
    log = tmp_path / "2026-01-01T120000.000000.snakemake.log"
    log.write_text("3 of 3 steps (100%) done\n")
    start = pd.Timestamp("2026-01-01 12:00").to_pydatetime().timestamp()
    os.utime(log, (start + 100, start + 100))
    jobs = pd.DataFrame({"ended": [30, 40, 70, -50], "wall": [20, 20, 10, 20]})
    jobs["ended"] += start
    assert overhead(log, jobs) == pytest.approx((100, 0.6))


def test_largest_finished_run(tmp_path):
    logs = tmp_path / ".snakemake" / "log"
    logs.mkdir(parents=True)
    assert finished_run(tmp_path) is None
    for name, text in {
        "a.log": "52 of 52 steps (100%) done",
        "b.log": "3 of 3 steps (100%) done",
        "c.log": "9 of 90",
    }.items():
        (logs / name).write_text(text)
    assert finished_run(tmp_path).name == "a.log"


def test_storage(tmp_path):
    for name, size in {"decay/train/ensemble/part.nc": 2_000_000, "decay/summary.csv": 500_000}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    assert storage(tmp_path).to_dict() == {"decay, lattices": 2.0, "decay, all else": 0.5}
