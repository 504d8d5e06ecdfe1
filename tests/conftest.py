"""Shared by all tests."""

import copy
import itertools
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]

STUDY = yaml.safe_load("""
title: A small study
species: [A]
reactions:
  - {equation: A + A -> 0, probability: 0.1}
  - {equation: A -> 0, rate: 2}
lattice: {shape: [20], boundary: open}
initial_condition:
  interactions: [A, AA]
  box: {lower: [-1, -1], upper: [1, 1]}
  sweeps: 5
ensemble:
  dt: 0.01
  steps: 10
  splits:
    train: {initial_conditions: 4, runs: 6}
    test: {initial_conditions: 3, runs: 5}
observables: [A, AA, AAA]
models:
  visible:
    title: visible
    interactions: [A, AA]
    domain: {parameters: [A, AA], lower: [-2, -2], upper: [2, 2], spacing: [0.5, 0.5]}
    initial: {method: given}
    learning: {recipe: gauss_newton, roughness: [1.0e-4]}
    published: {AAA: 5.0}
  hidden:
    title: hidden
    interactions: [A]
    layers:
      - {species: [X], weights: [AX], offsets: [[0], [1]]}
    domain: {parameters: [A, AX, X], lower: [-2, -2, -2], upper: [2, 2, 2], spacing: [1, 1, 1]}
    initial: {method: contrastive, contrastive: {batch: 3}}
    learning: {recipe: contrastive, steps: 4, rate: {A: 1, AX: 1, X: 1}, window: 2, steps_per_shift: 2, batch: 3}
    sampling: {lattices: 4}
""")


REMOVED = object()


def change(tree, key, value):
    """Set (or remove) the value at a dotted key; numbers are places in lists."""
    *parents, last = [int(part) if part.isdigit() else part for part in key.split(".")]
    for parent in parents:
        tree = tree[parent]
    if value is REMOVED:
        del tree[last]
    else:
        tree[last] = value


@pytest.fixture
def tree():
    """A right study in plain mappings, with a model of each recipe, to be changed at will."""
    return copy.deepcopy(STUDY)


@pytest.fixture
def save_study(tmp_path, monkeypatch):
    """Write plain mappings, or text, as a study file and return its path, which is short and relative."""
    monkeypatch.chdir(tmp_path)

    def save(study):
        path = Path("study.yaml")
        path.write_text(study if isinstance(study, str) else yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
        return path

    return save


SLOW = {"finished", "project", "project_without_kernels"}  # fixtures that run Snakemake


@pytest.hookimpl(tryfirst=True)  # before the groups are read
def pytest_collection_modifyitems(items):
    """Mark as slow what runs Snakemake; other tests that take seconds are marked where they are.

    Of several processes one does all that needs the smoke study, first; the others share the other files.
    """
    for item in items:
        slow = bool(SLOW & set(item.fixturenames))
        if slow:
            item.add_marker(pytest.mark.slow)
        item.add_marker(pytest.mark.xdist_group("smoke study" if slow else item.nodeid.partition("::")[0]))
    items.sort(key=lambda item: not SLOW & set(item.fixturenames))


class Project:
    """A copy of the project in which the workflow is run; always at the same place, so that kernels stay compiled."""

    RESULTS = Path("results", "smoke", "annihilation")
    COPIED = ("Snakefile", "config", "profiles", "envs", "workflow", "README.md")

    def __init__(self, root):
        self.root = root
        self.results = root / self.RESULTS

    def command(self, *arguments, cores=2, profile=None, config=()):
        """Command line of Snakemake for the smoke study, on cores of this machine or by a profile."""
        files = ["config/smoke.yaml", *config]
        where = ["--profile", f"profiles/{profile}"] if profile else ["--cores", str(cores)]
        start = [sys.executable, "-m", "snakemake", *where, *arguments]
        return [*start, "--configfile", *files, "--config", "studies=[annihilation]"]

    def run(self, *arguments, **options):
        """Run Snakemake; return code and everything it said."""
        process = {name: options.pop(name) for name in ("preexec_fn",) if name in options}
        command = ["timeout", "-k", "5", "890", *self.command(*arguments, **options)]  # one that hangs ignores SIGTERM
        done = subprocess.run(
            command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, **process
        )
        return done.returncode, done.stdout

    def jobs(self, *arguments, **options):
        """Number of jobs by rule that Snakemake would run."""
        code, said = self.run("--dry-run", *arguments, **options)
        assert code == 0, said
        table = said.partition("Job stats:")[2].partition("\n\n")[0]
        counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)}
        return {name: count for name, count in counts.items() if name not in ("reproduce", "total", "job")}

    def edit(self, file, text, new):
        """Replace a text in a file of the project, which must be there once."""
        path = self.root / file
        content = path.read_text()
        assert content.count(text) == 1, f"{file}: {text}"
        path.write_text(content.replace(text, new))

    def products(self):
        """Bytes of all data products by name: everything but the ensemble's parts and the sums over them."""
        files = [path for path in self.results.rglob("*") if path.suffix in (".nc", ".csv", ".png", ".pdf")]
        names = {path.relative_to(self.results): path for path in files}
        return {str(name): path.read_bytes() for name, path in names.items() if name.parent.name not in PARTS}


PARTS = ("ensemble", "counts")


def copy_tree(source, target, *ignored):
    """Copy files and folders with their times."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "log", *ignored))


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Folder that holds a project after the smoke study, and what Snakemake said."""
    base = tmp_path_factory.mktemp("workflow")
    project = Project(base / "project")
    project.root.mkdir()
    for name in Project.COPIED:
        copy = copy_tree if (ROOT / name).is_dir() else shutil.copy2
        copy(ROOT / name, project.root / name)
    code, said = project.run()
    assert code == 0, said
    copy_tree(project.root, base / "pristine")
    return base


@pytest.fixture
def project(finished):
    """The project as the smoke study left it, to be changed at will."""
    shutil.rmtree(finished / "project")
    copy_tree(finished / "pristine", finished / "project")
    return Project(finished / "project")


@pytest.fixture(scope="module")
def project_without_kernels(finished):
    """Make copies of the project for dry runs: jobs would have to compile their kernels anew there."""
    numbers = itertools.count()

    def copy():
        folder = finished / f"copy{next(numbers)}"
        copy_tree(finished / "pristine", folder, "numba")
        return Project(folder)

    return copy
