"""The Dockerfile is in step with the lock file, the environments and what the workflow consists of.

Images cannot be built here, so its text is compared with what it must say.
"""

import re

import yaml

from conftest import ROOT, Project

TEXT = (ROOT / "Dockerfile").read_text()
STEPS = [line.split(maxsplit=1) for line in TEXT.splitlines() if line and not line.startswith("#")]


def steps(kind):
    """Arguments of the instructions of a kind, in their order."""
    return [words for instruction, words in STEPS if instruction == kind]


def test_python_is_that_of_the_environments():
    version = re.fullmatch(r"python:([\d.]+)-slim-bookworm", steps("FROM")[0])[1]
    for path in (ROOT / "envs").glob("*.yaml"):
        assert f"python ={version}" in yaml.safe_load(path.read_text())["dependencies"]


def test_only_what_is_locked_is_installed():
    installs = [step for step in steps("RUN") if "install" in step]
    assert len(installs) == 2
    for install, lock in zip(installs, ("envs/requirements.lock", "envs/outside.lock"), strict=True):
        assert install.startswith("pip install ")
        assert install.endswith(f"--require-hashes -r {lock}")
        assert STEPS.index(["COPY", f"{lock} {lock}"]) < STEPS.index(["RUN", install])


def test_what_the_smoke_study_runs_from_is_copied():
    copied = {step.split()[0] for step in steps("COPY")}
    assert copied == {*Project.COPIED} - {"README.md"} | {"envs/requirements.lock", "envs/outside.lock"}
    assert all((ROOT / name).exists() for name in copied)


def test_it_runs_snakemake():
    assert steps("ENTRYPOINT") == ['["snakemake"]']


def test_results_stay_out_of_the_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"results", ".snakemake", ".venv", ".git"} <= set(ignored)
