"""The study as a module of another workflow, and one job in a plain Python process."""

import shutil
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT, Project

USER = """
configfile: "closure.yaml"

module closure:
    snakefile: "{snakefile}"
    config: config

use rule * from closure as closure_*

rule table:
    default_target: True
    input: "mine/annihilation/summary.csv"
    output: "table.csv"
    shell: "cp {{input}} {{output}}"
"""


@pytest.fixture
def user(project, tmp_path):
    """Another workflow that uses the project, with the smoke study on fewer models and its kernels compiled."""
    (tmp_path / "Snakefile").write_text(USER.format(snakefile=project.root / "workflow" / "Snakefile"))
    preset = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["overrides"]["annihilation"]
    preset["models"] = {"visible": preset["models"]["visible"]} | dict.fromkeys(set(preset["models"]) - {"visible"})
    preset["ensemble"]["batch"] = {"runs": 10}
    preset["figures"] = {"draw": ["rmse"]}
    config = {"seed": 20190624, "results": "mine", "studies": ["annihilation"], "overrides": {"annihilation": preset}}
    (tmp_path / "closure.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / ".snakemake").mkdir()
    shutil.copytree(project.root / ".snakemake" / "numba", tmp_path / ".snakemake" / "numba")
    return tmp_path


def snakemake(folder, *arguments):
    """Run Snakemake in a folder; return code and everything it said."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False
    )
    return done.returncode, done.stdout


def test_ten_lines_plan_the_whole_study(user):
    code, said = snakemake(user, "--dry-run", "closure_all")
    assert code == 0, said
    for name in ("closure_simulate_ensemble", "closure_learn_gauss_newton", "closure_plot_rmse", "closure_make_report"):
        assert name in said
    assert len([line for line in USER.splitlines() if line.strip()]) == 10


def test_same_numbers_as_the_study_by_itself(project, user):
    code, said = snakemake(user)
    assert code == 0, said
    name = "models/visible/test.nc"
    assert (user / "table.csv").read_text().startswith("model,")
    assert (user / "mine" / "annihilation" / name).exists()
    rows = [line for line in (project.results / "summary.csv").read_text().splitlines() if line.startswith("visible,")]
    assert rows and set(rows) <= set((user / "table.csv").read_text().splitlines())


def test_one_job_in_one_process(project):
    """Its file made by hand has the bytes of the one that Snakemake made."""
    target = project.results / "models" / "visible" / "test.nc"
    before = target.read_bytes()
    target.unlink()
    words = [str(Project.RESULTS / "models" / "visible" / "test.nc"), "config/smoke.yaml"]
    command = [sys.executable, "workflow/tools/run_job.py", *words]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert target.read_bytes() == before


def test_file_that_no_rule_makes(project):
    command = [sys.executable, "workflow/tools/run_job.py", "nothing.nc"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "Error: nothing.nc: got 0 rules that make it, expected one" in done.stderr


def test_report_of_snakemake(project):
    """It has the text of the study, its figures and its tables."""
    code, said = project.run("--report", "report.html")
    assert code == 0, said
    text = (project.root / "report.html").read_text()
    for words in ("Dynamic Boltzmann distributions", "summary.csv", "rmse.png"):
        assert words in text, words
