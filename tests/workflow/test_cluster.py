"""The smoke study on a real Slurm, two nodes on this machine: ``make test-cluster`` starts it."""

import shutil
import subprocess
import time

import pytest

pytestmark = pytest.mark.cluster

JOBS = ("scontrol", "show", "jobs", "--oneliner")
TABLES = ("evaluation.csv", "summary.csv", "figures/lattices.png", "figures/rmse.png")


def jobs():
    """Jobs that Slurm knows, finished ones too: what it says of each, as a mapping."""
    said = subprocess.run(JOBS, capture_output=True, text=True, check=True, timeout=60).stdout
    return [dict(word.partition("=")[::2] for word in line.split()) for line in said.splitlines() if "JobId=" in line]


def learn(project, *arguments, cancel=True):
    """Learn and predict a model on the cluster, and cancel the first job that runs; exit code and what was said."""
    target = str(project.RESULTS / "models" / "visible_published" / "test.nc")
    before = {job["JobId"] for job in jobs()}
    command = ["timeout", "-k", "5", "600", *project.command(target, *arguments, profile="slurm")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, cwd=project.root, **pipes) as process:
        while cancel:
            assert process.poll() is None, "it ended before a job could be cancelled"
            running = [job["JobId"] for job in jobs() if job["JobState"] == "RUNNING" and job["JobId"] not in before]
            if running:
                subprocess.run(["scancel", running[0]], check=True, timeout=60)
                break
            time.sleep(0.2)
        said = process.communicate()[0]
    return process.returncode, said


@pytest.fixture
def forgotten(project):
    """The project with one model's learning gone, and the products as they were."""
    products = project.products()
    for name in ("dynamics.nc", "test.nc"):
        (project.results / "models" / "visible_published" / name).unlink()
    return products


def test_same_bytes_as_a_local_run(project):
    wanted = project.products()
    shutil.rmtree(project.results)
    code, said = project.run(*(str(project.RESULTS / name) for name in TABLES), profile="slurm")
    assert code == 0, said
    done = [job for job in jobs() if job["JobState"] == "COMPLETED"]
    assert len(done) > 25
    assert {job["NodeList"] for job in done} == {"n1", "n2"}
    found = project.products()
    figures = {name for name in wanted if name.startswith("figures/")}
    assert set(found) >= set(wanted) - figures and len(found) > 20
    assert [name for name in found if found[name] != wanted[name]] == []


def test_cancelled_job_is_submitted_again(project, forgotten):
    code, said = learn(project)
    assert code == 0, said
    assert project.products() == forgotten


def test_cancelled_for_good_is_reported_and_goes_on_later(project, forgotten):
    """Without another try the cancelled job is an error that names the rule; the next run ends as if nothing was."""
    code, said = learn(project, "--retries", "0")
    assert code == 1
    assert "Error in rule learn_contrastive" in said and "Traceback" not in said, said
    assert not (project.results / "models" / "visible_published" / "dynamics.nc").exists()
    code, said = learn(project, cancel=False)
    assert code == 0, said
    assert project.products() == forgotten
