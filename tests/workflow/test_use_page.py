"""The page on using what was learned: its Python and its commands, one after another, on models of the right form."""

import re
import shlex
import subprocess

import pytest

from conftest import ROOT, Project, copy_tree
from learned_models import write_model

PAGES = {name: (ROOT / name).read_text() for name in ("docs/use.md", "README.md")}
BLOCKS = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fresh copy of the project with its environment and results of two studies."""
    root = tmp_path_factory.mktemp("use")
    for name in (*Project.COPIED, "Makefile"):
        (copy_tree if (ROOT / name).is_dir() else lambda source, target: target.write_bytes(source.read_bytes()))(
            ROOT / name, root / name
        )
    (root / ".venv").symlink_to(ROOT / ".venv")
    for which in ("pairs", "visible"):
        write_model(root / "results", which)
    return root


@pytest.mark.parametrize("page", PAGES)
def test_python(page, folder, monkeypatch, capsys):
    """All blocks of a page in one go; the first is what a reader starts with."""
    blocks = BLOCKS.findall(PAGES[page])
    assert blocks and "from dbd.closure.model import load" in blocks[0]
    monkeypatch.chdir(folder)
    names = {}
    for block in blocks:
        exec(block, names)
    assert "time" in capsys.readouterr().out


def test_commands(folder):
    """Each `make` line of the page runs the tool that the Makefile says."""
    commands = re.findall(r"^    (make (?:predict|export) .+)$", PAGES["docs/use.md"], re.MULTILINE)
    assert len(commands) >= 4
    for command in commands:
        planned = subprocess.run([*shlex.split(command), "-n"], cwd=folder, capture_output=True, text=True, check=True)
        tools = [line for line in planned.stdout.splitlines() if "workflow/tools/" in line]
        assert len(tools) == 1, command
        if "FORMAT=sbml" not in command:
            done = subprocess.run(tools[0], cwd=folder, shell=True, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert (folder / done.stdout.splitlines()[-1]).exists()
