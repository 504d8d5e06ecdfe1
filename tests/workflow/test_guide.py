"""The commands of the guide, one after another; what they would run is planned, not run."""

import re
import shlex
import subprocess

import pytest

from conftest import ROOT, Project, copy_tree

COMMANDS = re.findall(r"^    ((?:make|cp|\.venv/bin/snakemake) .+)$", (ROOT / "docs" / "guide.md").read_text(), re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fresh copy of the project with its environment."""
    root = tmp_path_factory.mktemp("guide")
    for name in (*Project.COPIED, "Makefile"):
        if (ROOT / name).is_dir():
            copy_tree(ROOT / name, root / name)
        else:
            (root / name).write_bytes((ROOT / name).read_bytes())
    (root / ".venv").symlink_to(ROOT / ".venv")
    return root


def test_commands_of_the_guide(folder):
    """Each is understood; what it plans is the whole study, from simulations to figures."""
    assert len(COMMANDS) == 5
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] != "cp":
            words.append("-n")
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
        said = done.stdout + done.stderr
        assert done.returncode == 0, f"{command}\n{said}"
        if words[0] == "make":
            assert "snakemake" in said and "template" in said
        elif words[0] != "cp":
            jobs = dict(re.findall(r"^(\w+) +(\d+)$", said.partition("Job stats:")[2].partition("\n\n")[0], re.M))
            assert jobs.keys() >= {"simulate_ensemble", "predict_baseline", "learn_gauss_newton", "plot_rmse"}, command
            assert not any("annihilation" in line for line in said.splitlines() if "output" in line)


def test_tables_of_the_guide_name_what_there_is():
    """Every key in backquotes that looks like one of a study is one."""
    text = (ROOT / "docs" / "guide.md").read_text()
    keys = (ROOT / "config" / "README.md").read_text()
    named = set(
        re.findall(r"`((?:domain|learning|ensemble)\.\w+|counts|dt|runs|oracle|sweeps|initial_conditions)`", text)
    )
    assert len(named) >= 8
    for key in named:
        assert re.search(rf"[.`]{re.escape(key)}`", keys), key
