"""Every block of code on the pages for readers: Python is run, YAML is checked, commands are planned or run."""

import re
import shlex
import shutil
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT, copy_tree
from dbd.files.netcdf import read
from dbd.study.lattice_study import Workflow
from dbd.study.reading import ConfigurationError, load_study, overlay, parse, read_yaml
from learned_models import write_model

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

from pages import python_of

PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "config/README.md", ROOT / "results/README.md")
}
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ {4,6}((?:make|cp|python|\.venv/bin/\w+) .+?)(?:  +#.*)?$", re.MULTILINE)
COMMANDS = list(dict.fromkeys(command for text in PAGES.values() for command in COMMAND.findall(text)))
YAML = [
    block
    for page, text in PAGES.items()
    for _, language, block in FENCED.findall(text)
    if language == "yaml" and page != "docs/your_data.md"  # which a test of its own runs
]


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """A project with its environment and results of two studies: those of the smoke study, and models of full size."""
    root = tmp_path_factory.mktemp("pages") / "project"
    copy_tree(finished / "pristine", root)
    shutil.copy2(ROOT / "Makefile", root)
    (root / ".venv").symlink_to(ROOT / ".venv")
    (root / "docs" / "figures").mkdir(parents=True)
    results = root / "results"
    shutil.copytree(results / "smoke" / "annihilation", results / "annihilation")
    write_model(results, "pairs")
    full = write_model(root / "full", "visible")
    shutil.copy2(full / "dynamics.nc", results / "annihilation" / "models" / "visible")
    for block in YAML:
        if name := re.match(r"\s*# (\w+\.yaml)\n", block):
            (root / name[1]).write_text(block)
    return root


def test_no_block_is_left_out():
    """What is fenced is in a language that the tests below run or check; pages that need blocks have some."""
    for page, text in PAGES.items():
        languages = {language for _, language, _ in FENCED.findall(text)}
        assert languages <= {"python", "yaml"}, page
        assert text.count("```") == 2 * len(FENCED.findall(text)), page
    assert {"README.md", "docs/use.md", "docs/after_the_run.md", "results/README.md"} <= set(filter(uses_python, PAGES))
    assert len(COMMANDS) > 15 and len(YAML) > 1


def uses_python(page):
    return bool(python_of(PAGES[page]))


@pytest.mark.parametrize("page", [page for page in PAGES if uses_python(page)])
def test_python(page, folder, monkeypatch, capsys):
    """All blocks of a page in one go; they print something."""
    monkeypatch.chdir(folder)
    names = {}
    for block in python_of(PAGES[page]):
        exec(block, names)
    assert capsys.readouterr().out
    for figure in re.findall(r"figures/after_the_run_\w+\.png", PAGES[page]):
        assert (folder / "docs" / figure).stat().st_size < 60_000


def pictures(page):
    return re.findall(r"!\[[^\]]+\]\((\S+)\)", PAGES[page])


@pytest.mark.parametrize("page", [page for page in PAGES if pictures(page)])
def test_pictures(page):
    for picture in pictures(page):
        assert ((ROOT / page).parent / picture).stat().st_size < 60_000, picture
    assert len(pictures(page)) <= 8


@pytest.mark.parametrize("block", YAML)
def test_yaml(block):
    """It is right laid over the configuration, over a study, or over a model of one."""
    tree = yaml.safe_load(block)

    def right(reading, *arguments):
        try:
            reading(*arguments)
        except ConfigurationError:
            return False
        return True

    studies = sorted((ROOT / "config" / "studies").glob("*.yaml"))
    names = {study: yaml.safe_load(study.read_text()).get("models", {}) for study in studies}
    laid = [(study, {"models": {name: tree}}) for study in studies for name in names[study]]
    laid += [(study, tree) for study in studies]
    whole = overlay(read_yaml(ROOT / "config" / "config.yaml"), tree)
    assert right(parse, Workflow, whole, "block") or any(right(load_study, *pair) for pair in laid)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command, folder):
    """Planned, and run where that is quick."""
    words = shlex.split(command)

    def run(*words):
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    if words[0] == "make":
        said = run(*words, "-n", "--no-print-directory")
        tool = [line for line in said.splitlines() if re.search("workflow/(tools|witness)/|pytest", line)][-1]
        if re.match("make (predict|export) STUDY=epidemic", command):
            assert (folder / run("bash", "-c", tool).splitlines()[-1]).exists()
    elif words[0] == "cp":
        run(*words)
    elif words[0].endswith("snakemake"):
        jobs = dict(re.findall(r"^(\w+) +(\d+)$", run(*words, "-n").partition("Job stats:")[2], re.M))
        assert jobs.keys() >= {"plot_rmse", "simulate_ensemble"} or "simulate_particles" in jobs
    else:
        assert (ROOT / next(word for word in words if word.endswith(".py"))).exists()


def test_keys_that_the_guide_names():
    """Every key in backquotes that looks like one of a study is one."""
    pattern = r"`((?:domain|learning|ensemble)\.\w+|counts|dt|runs|oracle|sweeps|initial_conditions)`"
    named = set(re.findall(pattern, PAGES["docs/guide.md"]))
    assert len(named) >= 8
    for key in named:
        assert re.search(rf"[.`]{re.escape(key)}`", PAGES["config/README.md"]), key


def test_dimensions_are_explained(folder):
    """The list of dimensions has all of those of the files of a study; whatever has times says them."""
    files = [*folder.glob("results/smoke/annihilation/**/*.nc")]
    assert len(files) > 20
    for file in files:
        dataset = read(file)
        for name in dataset.dims:
            assert f"`{name}`" in PAGES["results/README.md"], f"{file}: {name}"
        assert "time" not in dataset.dims or {"time", "step"} <= set(dataset.coords), file
