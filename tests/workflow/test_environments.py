"""Every rule is complete, and names a pinned environment that has what its script imports, as the lock file has it."""

import contextlib
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.iocontainers import Wildcards

from conftest import ROOT
from dbd.study.imports import library_files, walk

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

from run_job import load

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
SCRIPTS = ROOT / "workflow" / "scripts"
PYPI = {"matplotlib-base": "matplotlib"}  # where the conda name is another one
PACKAGES = {
    "yaml": "pyyaml",
    "PIL": "pillow",
    "mpl_toolkits": "matplotlib",
}  # where the name that is imported is another one
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.-]*) =(?P<version>[0-9][0-9.]*(?:post[0-9]+)?)")


def rules():
    """Every rule that has a script, by name."""
    caches = os.environ.get("NUMBA_CACHE_DIR")
    with contextlib.chdir(ROOT):
        found = {rule.name: rule for rule in load().rules if rule.script}
    os.environ.pop("NUMBA_CACHE_DIR")
    if caches:
        os.environ["NUMBA_CACHE_DIR"] = caches
    return found


RULES = rules()


def path_of(rule, path):
    """A path that a rule gives, from the folder of its file."""
    figure = rule.name.removeprefix("plot_")
    return Path(os.path.normpath(str(rule.basedir.join(path.replace("{wildcards.figure}", figure)))))


def pins(path):
    """Versions by name in an environment file, which must be of the simplest form there is."""
    environment = yaml.safe_load(path.read_text())
    assert set(environment) == {"channels", "dependencies"}
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    *lines, last = environment["dependencies"]
    lines += [line.replace("==", " =") for line in last["pip"]] if isinstance(last, dict) else [last]  # on PyPI alone
    matches = [PIN.fullmatch(line) for line in lines]
    assert all(matches), f"{path}: a package without an exact version"
    return {match["name"]: match["version"] for match in matches}


def normal(name):
    """A package name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(*files):
    """Versions by name in lock files."""
    text = "".join((ROOT / "envs" / f"{file}.lock").read_text() for file in files)
    return {normal(name): version for name, version in re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE)}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_versions_are_those_of_the_lock_file(path):
    lock = locked("requirements", "outside")
    for name, version in pins(path).items():
        if name == "python":
            assert version == "3.11"
        elif name != "pip":
            assert lock[normal(PYPI.get(name, name))] == version, name


def test_every_environment_is_used():
    assert {path_of(rule, rule.conda_env) for rule in RULES.values()} == set(ENVIRONMENTS)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_environment_has_what_the_script_imports(rule):
    script, environment = path_of(rule, rule.script), path_of(rule, rule.conda_env)
    has = {normal(PYPI.get(package, package)) for package in pins(environment)}
    needs = {normal(PACKAGES.get(package, package)) for package in walk(script, SCRIPTS).packages}
    assert needs <= has, f"{script.name} is run in {environment.name}"
    if "xarray" in needs:
        assert {"netcdf4", "scipy"} <= has, "xarray reads netCDF files with netCDF4"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_is_complete(rule):
    """One script a rule, named like it; log, benchmark, message, environment, and the code as inputs."""
    script = path_of(rule, rule.script)
    assert script.stem == rule.name.replace("temporary_", "")
    assert rule.output and len(rule.log) == 1 and rule.benchmark and rule.message and rule.conda_env
    inputs = {(ROOT / str(path)).resolve() for path in rule.input if isinstance(path, str)}
    assert library_files(script) <= inputs, "the files that a result depends on are inputs"


def test_every_script_belongs_to_a_rule():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == {path_of(rule, rule.script).stem for rule in RULES.values()}


def test_memory_and_time_of_every_rule_grow_with_each_attempt():
    """By functions of its own, or by the default of the cluster's profile."""
    for rule in RULES.values():
        asked = {"mem_mb", "runtime"} & set(rule.resources)
        assert asked in (set(), {"mem_mb", "runtime"}), rule.name
        if asked:
            names = {"study": "annihilation", "split": "train", "part": "ic0-10_run0-10", "model": "visible"}
            once, twice = (rule.expand_resources(Wildcards(fromdict=names), [], attempt) for attempt in (1, 2))
            assert all(twice[name] == 2 * once[name] > 0 for name in asked), rule.name
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())
    assert profile["default-resources"] == ["mem_mb=1000 * attempt", "runtime=30 * attempt"]


def test_requirements_are_locked():
    """What is asked for is what is locked."""
    asked = re.findall(r"^([A-Za-z0-9_.-]+) == (\S+)", (ROOT / "envs" / "requirements.in").read_text(), re.MULTILINE)
    assert len(asked) > 10
    lock = locked("requirements")
    assert {name: lock[normal(name)] for name, _ in asked} == dict(asked)


@pytest.mark.parametrize("name", ["export", "outside"])
def test_packages_beside_the_environment_are_locked(name):
    """With a hash for every file, on their own: make installs them without what they depend on."""
    asked = re.findall(r"^([a-z0-9]+) == (\S+)", (ROOT / "envs" / f"{name}.in").read_text(), re.MULTILINE)
    lock = (ROOT / "envs" / f"{name}.lock").read_text()
    assert sorted(re.findall(r"^([a-z0-9]+)==([^ ;\\]+)", lock, re.MULTILINE)) == sorted(asked)
    assert lock.count("--hash=sha256:") > len(asked)


def test_groups_of_tests_are_known(request):
    """Names end with them; without groups every process would run the smoke study."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    assert alone or request.node.nodeid.endswith("@tests/workflow/test_environments.py")
