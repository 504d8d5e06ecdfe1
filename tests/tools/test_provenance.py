"""Every product tells how it was made, and whether the configuration and the code of now would make the same."""

import subprocess
import sys

import pytest

MODEL = "models/visible_published/test.nc"
SAME = "The configuration and the code of now would make the same."


@pytest.fixture
def tell(project):
    """Run the command for a product; exit code, how it was made, and what differs line by line."""

    def tell(name):
        command = [sys.executable, "workflow/tools/provenance.py", str(project.RESULTS / name)]
        preset = ["--configfile", "config/smoke.yaml"]
        done = subprocess.run([*command, *preset], cwd=project.root, capture_output=True, text=True, timeout=120)
        made, _, differing = done.stdout.partition("\n\n")
        return done.returncode, made, differing.splitlines()

    return tell


def test_netcdf_file(tell):
    code, made, differing = tell(MODEL)
    assert (code, differing) == (0, [SAME])
    for text in (
        "rule: predict_moments",
        "equation: A + A -> 0",
        "seed: '20190624'",
        "PCG64DXSM",
        "numba: ",
        "commit: ",
    ):
        assert text in made


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("summary.csv", ["rule: evaluate_study", "models/hidden/oracle.test.nc", "seed: 20190624"]),
        ("figures/rmse.pdf", ["rule: plot_rmse", "evaluation.csv", "interactions: [A, AA, AAA]"]),
    ],
)
def test_table_and_figure(tell, name, texts):
    code, made, differing = tell(name)
    assert (code, differing) == (0, [SAME])
    for text in texts:
        assert text in made


def test_changes_are_named(project, tell):
    """A learning rate, code and an input: named for what depends on them, directly or through others, and no more."""
    published = "visible_published: {learning: {steps: 8}}"
    project.edit("config/smoke.yaml", published, "visible_published: {learning: {steps: 8, rate: {AA: 2}}}")
    rate = "configuration: models.visible_published.learning.rate.AA: was 1.0, is 2.0"
    assert tell(MODEL)[2] == [rate]
    assert tell("figures/rmse.png")[2] == [rate]
    assert tell("models/visible/test.nc")[2] == [SAME]
    kernel = "workflow/scripts/dbd/boltzmann/gibbs.py"
    (project.root / kernel).write_text((project.root / kernel).read_text() + "\n# A remark.\n")
    initial = project.results / "models" / "visible_published" / "initial.test.nc"
    initial.unlink()
    code, _, differing = tell(MODEL)
    assert code == 1
    assert f"Updated input files: {kernel}" in differing
    assert f"Missing output files: {initial.relative_to(project.root)}" in differing


def test_file_from_elsewhere(project, tell):
    (project.results / "mine.csv").write_text("1,2\n")
    assert tell("mine.csv")[0] == 2
