"""A lock that a killed run has left goes away by itself; one that is held stays."""

import socket
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow"))

from locks import Locked, holding, only_run


@pytest.fixture
def folder(tmp_path):
    """A folder with the lock of a killed run of this machine."""
    (tmp_path / ".snakemake" / "locks").mkdir(parents=True)
    (tmp_path / ".snakemake" / "locks" / "0.input.lock").write_text("data.nc\n")
    (tmp_path / ".snakemake" / "run").write_text(socket.gethostname())
    return tmp_path


@pytest.fixture
def at_work(folder):
    """Start something that looks like Snakemake, in the folder; `words` are the rest of its command line."""
    (folder / "snakemake").write_text("import sys\nprint('ready', flush=True)\nsys.stdin.read()\n")
    started = []

    def start(*words, cwd=folder):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen([sys.executable, folder / "snakemake", *words], cwd=cwd, **pipes))
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def unlocked(folder):
    """Whether a run that begins in the folder takes the lock away."""
    calls = []
    with only_run(folder, lambda: calls.append("unlock")):
        pass
    return calls == ["unlock"]


def test_stale_lock_is_taken_away(folder):
    assert unlocked(folder)


def test_nothing_to_take_away(folder):
    (folder / ".snakemake" / "locks" / "0.input.lock").unlink()
    assert not unlocked(folder)


def test_never_under_a_live_run(folder, at_work):
    process = at_work("--cores", "2")
    assert holding(folder) == [process.pid]
    with pytest.raises(Locked, match=rf"Snakemake is at work here \(process {process.pid}\)"):
        unlocked(folder)
    process.kill()
    process.wait()
    assert unlocked(folder)


def test_jobs_and_runs_elsewhere_hold_no_lock(folder, at_work, tmp_path_factory):
    at_work("--nolock")
    at_work("--cores", "2", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert holding(folder) == []
    assert unlocked(folder)


def test_one_run_at_a_time(folder):
    with only_run(folder, lambda: None), pytest.raises(Locked, match="another run is at work here"):
        unlocked(folder)


@pytest.mark.parametrize("machine", ["elsewhere", ""])
def test_run_on_another_machine_may_be_alive(folder, machine):
    (folder / ".snakemake" / "run").write_text(machine)
    with pytest.raises(Locked, match="snakemake --unlock"):
        unlocked(folder)
