"""Killed runs end with the bytes of an undisturbed one; damaged files and full disks are reported in one line."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from random import Random

import psutil
import pytest
import yaml


@pytest.fixture
def start(project):
    """Start Snakemake as `make reproduce` does, in a process group of its own that is gone when the test ends."""
    started = []

    def start(*targets):
        command = [sys.executable, "workflow/tools/progress.py", *project.command(*targets)]
        with said(project).open("wb") as file:
            words = {"stdout": file, "stderr": subprocess.STDOUT}
            started.append(subprocess.Popen(command, cwd=project.root, start_new_session=True, **words))
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def said(project):
    """Where there is what the last run has said."""
    return project.root / "said.txt"


def finish(project, start, *targets):
    """Run to the end what a killed run has left."""
    process = start(*targets)
    assert process.wait(timeout=900) == 0, said(project).read_text()
    assert not list(project.results.rglob(".partial*"))


def kill_snakemake(process):
    """Kill Snakemake alone; its jobs and what started it live on."""
    for child in psutil.Process(process.pid).children():
        child.kill()


def kill_everything(process):
    """Kill all at once, as when a machine goes down."""
    os.killpg(process.pid, signal.SIGKILL)


def kill_job(process):
    """Kill a job, as the kernel does when memory runs out; wait for one if there is none."""
    while process.poll() is None:
        children = psutil.Process(process.pid).children(recursive=True)
        with contextlib.suppress(psutil.Error):
            for child in children:
                if any(".snakemake/scripts/" in word for word in child.cmdline()):
                    child.kill()
                    return
        time.sleep(0.01)


def wait_for(process, ready):
    """Wait until `ready()`, or until the process ends; whether it still runs."""
    while process.poll() is None and not ready():
        time.sleep(0.01)
    return process.poll() is None


@pytest.mark.faults
def test_killed_run_ends_with_the_same_bytes(project, start):
    """Snakemake is killed while it simulates and leaves its jobs behind; then all of it while it learns."""
    wanted = project.products()
    model = project.results / "models" / "hidden_published"
    target = str(project.RESULTS / "models" / "hidden_published" / "test.nc")
    shutil.rmtree(project.results)
    ensemble = project.results / "train" / "ensemble"
    process = start(target)
    assert wait_for(process, lambda: len(list(ensemble.glob("*.nc"))) >= 2)
    kill_snakemake(process)
    assert process.wait(timeout=60) != 0
    process = start(target)
    assert wait_for(process, (model / "dynamics.checkpoint").exists)
    kill_everything(process)
    process.wait()
    assert not (model / "dynamics.nc").exists()
    finish(project, start, target)
    assert not (model / "dynamics.checkpoint").exists()
    found = project.products()
    assert "models/hidden_published/test.nc" in found
    assert [name for name in found if found[name] != wanted[name]] == []


KILLS = 24


@pytest.mark.kills
def test_killed_again_and_again(project, start):
    """Two dozen kills at random moments between the first job and the last: Snakemake, a job, or everything, in turn.

    A moment is when so many jobs are done and then up to a second more, so that it does not depend on the machine.
    """
    wanted = project.products()
    benchmarks = project.root / "results" / "smoke" / "benchmarks"
    jobs = len(list(benchmarks.rglob("*.tsv")))
    shutil.rmtree(project.root / "results")
    random = Random("kills")
    moments = sorted(random.sample(range(jobs - 1), KILLS))
    killers = random.sample([kill_snakemake, kill_job, kill_everything] * (KILLS // 3), KILLS)
    for killer, moment in zip(killers, moments, strict=True):
        process = start()
        ready = wait_for(process, lambda moment=moment: len(list(benchmarks.rglob("*.tsv"))) >= moment)
        assert ready, said(project).read_text()
        time.sleep(random.random())
        killer(process)
        assert process.wait(timeout=300) != 0, "it ended before it could be killed"
    finish(project, start)
    found = project.products()
    assert set(found) == set(wanted)
    assert [name for name in found if found[name] != wanted[name]] == []


# What is damaged, and what is made from it: each kind of file that a job reads. Those tried together do not depend on
# one another.
DAMAGED = {
    "ensembles": {
        "train/ensemble/ic0-3_run0-5.nc": "train/counts/ic0-3_run0-5.nc",
        "test/counts/ic0-3_run0-5.nc": "test/moments.nc",
    },
    "models": {
        "train/moments.nc": "models/visible_published/initial.train.nc",
        "models/visible/initial.test.nc": "models/visible/test.nc",
        "models/hidden/dynamics.nc": "models/hidden/test.nc",
    },
    "predictions": {
        "models/visible/test.nc": "figures/parameters.png",
        "evaluation.csv": "figures/rmse.png",
    },
    "oracles": {"models/hidden/oracle.test.nc": "summary.csv"},
}


@pytest.mark.faults
@pytest.mark.parametrize("damaged", DAMAGED.values(), ids=DAMAGED)
def test_damaged_file_is_reported_and_nothing_else_is_lost(project, damaged):
    """Half a file, as old as the whole one was, is reported in one line when it is read; deleted, it is made again."""
    before = project.products()
    for name, product in damaged.items():
        path = project.results / name
        times = path.stat()
        path.write_bytes(path.read_bytes()[: times.st_size // 2])
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
        (project.results / product).unlink()
    targets = [str(project.RESULTS / product) for product in damaged.values()]
    code, said = project.run(*targets, "--keep-going")
    assert code == 1
    for name in damaged:
        assert len(set(re.findall(rf"Error: {project.RESULTS / name}: .*delete it and run again.*", said))) == 1, said
    assert "Traceback" not in said
    after = project.products()
    touched = {*damaged, *damaged.values(), "evaluation.csv", "figures/parameters.pdf", "figures/rmse.pdf"}
    assert [name for name in before if before[name] != after.get(name) and name not in touched] == []
    for name in damaged:
        (project.results / name).unlink()
    code, said = project.run(*targets)
    assert code == 0, said
    after = project.products()
    assert [name for name in after if before[name] != after[name]] == []
    assert {*damaged.values()} - set(after) <= {"train/counts/ic0-3_run0-5.nc"}


def test_job_without_enough_memory_is_reported_in_one_line(project):
    """A part of 4.7 GB, where a process may have 3 GB; with a part that fits, the next run goes on."""
    before = project.products()
    part = project.RESULTS / "train" / "ensemble" / "ic0-3_run0-524288.nc"
    override = {
        "ensemble": {"splits": {"train": {"runs": 524288}}, "batch": {"runs": 524288}},
        "lattice": {"shape": [1000]},
    }
    (project.root / "mine.yaml").write_text(yaml.safe_dump({"overrides": {"annihilation": override}}))

    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))

    code, said = project.run(str(part), config=["mine.yaml"], preexec_fn=limit)
    assert code == 1
    assert len(set(re.findall(r"Error: .*(?:[Uu]nable to allocate|out of memory).*", said))) == 1, said
    assert "Traceback" not in said
    assert not (project.root / part).exists()
    assert project.products() == before
    assert project.jobs() == {}


@pytest.mark.parametrize(
    ("product", "largest"), [("train/ensemble/ic0-3_run0-5.nc", 40_000), ("figures/right_hand_sides.pdf", 100_000)]
)
def test_full_disk_is_reported_in_one_line(project, product, largest):
    """Files may not grow beyond a size, in place of a disk that is full; Snakemake's own are smaller."""
    (project.results / product).unlink()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    code, said = project.run(str(project.RESULTS / product), preexec_fn=limit)
    assert code == 1
    name = (project.RESULTS / product).with_suffix("")
    assert re.search(rf"Error: {name}\.\w+: cannot be written \(", said), said
    assert "Traceback" not in said
    assert not list((project.results / product).parent.glob(".partial*"))
