"""Killed runs end with the bytes of an undisturbed one; damaged files and full disks are told in one line."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import time

import pytest


@pytest.fixture
def start(project):
    """Start Snakemake in a process group of its own, all of which is gone when the test ends."""
    started = []

    def start(target):
        command = project.command(target, "--rerun-incomplete", "--quiet", "all")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, cwd=project.root, start_new_session=True, **quiet))
        return started[-1]

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def wait_for(process, ready):
    """Wait until `ready()`, which must be before the process ends."""
    while not ready():
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)


def test_killed_run_ends_with_the_same_bytes(project, start):
    """Snakemake is killed while it simulates and leaves its jobs behind; then it and its jobs while they learn."""
    wanted = project.products()
    model = project.results / "models" / "hidden_published"
    target = str(project.RESULTS / "models" / "hidden_published" / "test.nc")
    shutil.rmtree(project.results)
    ensemble = project.results / "train" / "ensemble"
    process = start(target)
    wait_for(process, lambda: len(list(ensemble.glob("*.nc"))) >= 2)
    process.kill()
    process.wait()
    project.run("--unlock")
    process = start(target)
    wait_for(process, (model / "dynamics.checkpoint").exists)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (model / "dynamics.nc").exists()
    project.run("--unlock")
    code, said = project.run(target, "--rerun-incomplete")
    assert code == 0, said
    assert not (model / "dynamics.checkpoint").exists()
    found = project.products()
    assert "models/hidden_published/test.nc" in found
    assert [name for name in found if found[name] != wanted[name]] == []
    assert not list(project.results.rglob(".partial*"))


@pytest.mark.parametrize(
    ("damaged", "made_from_it"),
    [
        ("train/ensemble/ic0-3_run0-5.nc", "train/counts/ic0-3_run0-5.nc"),
        ("train/moments.nc", "models/visible/initial.train.nc"),
        ("models/visible/dynamics.nc", "models/visible/test.nc"),
    ],
)
def test_damaged_file_is_told_and_nothing_else_is_lost(project, damaged, made_from_it):
    """Half a file, as old as the whole one was, is told in one line when it is read; deleted, it is made anew."""
    before = project.products()
    path, product = project.results / damaged, project.results / made_from_it
    times = path.stat()
    path.write_bytes(path.read_bytes()[: times.st_size // 2])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    product.unlink()
    code, said = project.run(str(project.RESULTS / made_from_it))
    assert code == 1
    assert said.count(f"Error: {project.RESULTS / damaged}: truncated or corrupt netCDF file") >= 1, said
    assert "Traceback" not in said
    after = project.products()
    assert [name for name in before if before[name] != after.get(name) and name not in (damaged, made_from_it)] == []
    path.unlink()
    again = project.jobs(str(project.RESULTS / made_from_it))
    assert sum(again.values()) <= 3, "the damaged file, what it is for, and what lies between"


@pytest.mark.parametrize("product", ["train/ensemble/ic0-3_run0-5.nc", "figures/rmse.png"])
def test_full_disk_is_told_in_one_line(project, product):
    """Files may not grow beyond 20 kB, in place of a disk that is full."""
    (project.results / product).unlink()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    code, said = project.run(str(project.RESULTS / product), preexec_fn=limit)
    assert code == 1
    name = (project.RESULTS / product).with_suffix("")
    assert re.search(rf"Error: {name}\.\w+: cannot be written \(", said), said
    assert "Traceback" not in said
    assert not list((project.results / product).parent.glob(".partial*"))
