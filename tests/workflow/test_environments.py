"""Every rule names a pinned environment that has what its script imports, in the versions of the lock file."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from conftest import ROOT

ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))
SCRIPTS = ROOT / "workflow" / "scripts"
PYPI = {"matplotlib-base": "matplotlib"}  # where the conda name is another one
PACKAGES = {"yaml": "pyyaml", "mpl_toolkits": "matplotlib"}  # where the name that is imported is another one
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.-]*) =(?P<version>[0-9][0-9.]*(?:post[0-9]+)?)")


def pins(path):
    """Versions by name in an environment file, which must be of the simplest form there is."""
    environment = yaml.safe_load(path.read_text())
    assert set(environment) == {"channels", "dependencies"}
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    matches = [PIN.fullmatch(line) for line in environment["dependencies"]]
    assert all(matches), f"{path}: a package without an exact version"
    return {match["name"]: match["version"] for match in matches}


def normal(name):
    """A package name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked():
    """Versions by name in the lock file."""
    lines = re.findall(
        r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", (ROOT / "envs" / "requirements.lock").read_text(), re.MULTILINE
    )
    return {normal(name): version for name, version in lines}


def rules():
    """Body of every rule that has a script, by name."""
    texts = [(ROOT / "Snakefile").read_text(), *(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))]
    return {name: body for text in texts for name, body in RULE.findall(text) if name != "all"}


def value(body, key):
    """The text given to a keyword of a rule."""
    found = re.search(rf'^    {key}:\n        "([^"]+)"', body, re.MULTILINE)
    return found and found[1]


def imported(path, seen=None):
    """Packages that a script imports, also through the library."""
    seen = set() if seen is None else seen
    packages = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            file = SCRIPTS / Path(*name.split(".")).with_suffix(".py")
            if file.exists():
                if file not in seen:
                    seen.add(file)
                    packages |= imported(file, seen)
            elif name.split(".")[0] not in sys.stdlib_module_names:
                packages.add(name.split(".")[0])
    return packages


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_versions_are_those_of_the_lock_file(path):
    lock = locked()
    for name, version in pins(path).items():
        if name == "python":
            assert version == "3.11"
        else:
            assert lock[normal(PYPI.get(name, name))] == version, name


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_every_environment_is_used(path):
    assert any(value(body, "conda") == f"../../envs/{path.name}" for body in rules().values())


@pytest.mark.parametrize(("name", "body"), rules().items(), ids=rules())
def test_environment_has_what_the_script_imports(name, body):
    script = SCRIPTS / Path(value(body, "script")).name
    environment = ROOT / "workflow" / "rules" / value(body, "conda")
    has = {normal(PYPI.get(package, package)) for package in pins(environment)}
    needs = {normal(PACKAGES.get(package, package)) for package in imported(script)}
    assert needs - {"dbd"} <= has, f"{script.name} is run in {environment.name}"
    if "xarray" in needs:
        assert {"netcdf4", "scipy"} <= has, "xarray reads netCDF files with netCDF4"


@pytest.mark.parametrize(("name", "body"), rules().items(), ids=rules())
def test_every_rule_is_complete(name, body):
    """One script a rule, named like it; log, benchmark, threads, resources, message and environment."""
    assert Path(value(body, "script")).stem == name
    keys = set(re.findall(r"^    (\w+):", body, re.MULTILINE))
    assert {"input", "output", "log", "benchmark", "conda", "threads", "resources", "message", "script"} <= keys
    assert re.search(r"mem_mb=", body) and re.search(r"runtime=", body)
    assert f'library("{name}.py")' in body, "the library files that a script imports are inputs of its rule"


def test_every_script_belongs_to_a_rule():
    assert {path.stem for path in SCRIPTS.glob("*.py")} == set(rules())


def test_requirements_are_locked():
    """What is asked for is what is locked."""
    asked = re.findall(r"^([A-Za-z0-9_.-]+) == (\S+)", (ROOT / "envs" / "requirements.in").read_text(), re.MULTILINE)
    assert len(asked) > 10
    lock = locked()
    assert {name: lock[normal(name)] for name, _ in asked} == dict(asked)
