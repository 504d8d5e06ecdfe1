"""What `make benchmark` says of the last run: time per rule and storage; and `make resources`."""

import subprocess
import sys

import pytest

from conftest import ROOT
from dbd.files.benchmarks import costs_of_rules, read_runtimes

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

from benchmark import storage
from check_resources import shares

HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
FILES = {
    "decay/train/simulate_ensemble/ic0-3_run0-5.tsv": 4.0,
    "decay/train/combine_moments.tsv": 1.0,
    "decay/models/pairs_published/learn_gauss_newton.tsv": 10.0,
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
        "learn_gauss_newton": 10.0,
        "predict_moments": 2.0,
        "plot_rmse": 3.0,
    }
    assert jobs.wildcards["simulate_ensemble"] == {"part": "ic0-3_run0-5", "split": "train", "model": ""}
    assert jobs.wildcards["predict_moments"]["split"] == "test"
    assert jobs.wildcards["predict_moments"]["model"] == "pairs_published"
    assert costs_of_rules(read_runtimes(folder)).index[0] == "learn_gauss_newton"


def test_storage(tmp_path):
    for name, size in {"decay/train/ensemble/part.nc": 2_000_000, "decay/summary.csv": 500_000}.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
    assert storage(tmp_path).to_dict() == {"decay, lattices": 2.0, "decay, all else": 0.5}


def test_jobs_that_use_more_than_they_ask_for(folder):
    """One job asks for 100 MB and 30 s and uses 200.5 MB and 12 s; one asks for nothing and gets the default."""
    for path in folder.rglob("*.tsv"):
        path.unlink()
    head, resources = f"{HEAD[:-1]}\trule_name\tresources\n", {"mem_mb": 100, "runtime": 0.5, "tmpdir": "/tmp"}
    for name, asked in {"a": resources, "b": {}}.items():
        (folder / f"{name}.tsv").write_text(f"{head}12\t-\t200.5\t-\t-\t-\t0\t0\t9\t9\tplot_{name}\t{asked}\n")
    jobs = shares(folder).set_index("rule")
    assert jobs.memory.to_dict() == pytest.approx({"plot_a": 2.005, "plot_b": 0.2005})
    assert jobs.time.to_dict() == pytest.approx({"plot_a": 0.4, "plot_b": 0.2 / 30})
    tool = ROOT / "workflow" / "tools" / "check_resources.py"
    done = subprocess.run([sys.executable, tool, folder], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and f"{folder}/a.tsv: memory 2.00, time 0.40 of" in done.stdout
    assert "b.tsv" not in done.stdout


def test_files_that_do_not_say_what_was_asked_for(folder):
    with pytest.raises(ValueError, match="got no column 'resources', expected a run with --benchmark-extended"):
        shares(folder)
