"""Thirty wrong versions of the template: each gives one clear line, and no job starts."""

import shutil
import subprocess
import sys

import pytest

from conftest import ROOT, copy_tree
from dbd.study.reading import ConfigurationError, load_studies

TEMPLATE = ROOT / "config" / "studies" / "template.yaml"

# What stands in the template, what is written instead, and the line that is reported.
WRONG = [
    ("species: [A]", "specie: [A]", "unknown key 'specie' (did you mean 'species'?)"),
    ("species: [A]", "species: [Fox]", 'species.0: got "Fox", expected one upper-case letter'),
    ("A -> 2A,", "A -> A + B,", "reactions.0: reaction 'A -> A + B': got species 'B', expected one of A"),
    ("A -> 2A,", "A => 2A,", "reactions.0: reaction 'A => 2A': got 0 arrows, expected reactants -> products"),
    ("A -> 2A,", "A -> 3A,", "reactions.0: reaction 'A -> 3A': got more than two products"),
    ("A + A -> 0", "A + A + A -> 0", "reactions.2: reaction 'A + A + A -> 0': got more than two reactants"),
    ("A + A -> 0", "A + A -> A + A", "reactions.2: reaction 'A + A -> A + A': got products equal to the reactants"),
    ("rate: 0.2", "rate: -0.2", "reactions.1: reaction 'A -> 0': got rate -0.2, expected rate of 0 or more"),
    ("rate: 0.2", "rate: slow", 'reactions.1.rate: got "slow", expected a number'),
    (", rate: 0.2", "", "reactions.1: reaction 'A -> 0': got neither rate nor probability, expected rate alone"),
    (
        "probability: 0.1",
        "probability: 10",
        "reactions.2: reaction 'A + A -> 0': got probability 10.0, expected probability",
    ),
    ("probability: 0.1", "rate: 0.1", "reactions.2: reaction 'A + A -> 0': got rate, expected probability alone"),
    ("shape: [200]", "shape: [0]", "lattice.shape.0: got 0, expected 1 or more"),
    ("shape: [200]", "shape: [9, 9, 9, 9]", "lattice: lattice shape: got (9, 9, 9, 9), expected one to three axes"),
    (
        "shape: [200]",
        "shape: [200]\n  boundary: round",
        "lattice.boundary: got \"round\", expected 'open' or 'periodic'",
    ),
    (
        "shape: [200]",
        "shape: [1000, 1000, 1000]",
        "lattice.shape: got 1000000000 sites, expected at most 42735992 for 100 time steps; a job holds the lattic",
    ),
    (
        "shape: [200]",
        "shape: [3, 70]\n  boundary: periodic\nobservables: [A, AA, AAA, AAAA]",
        "observables: word 'AAAA': got 4 letters, expected at most 3, the sites of the shortest periodic axis",
    ),
    (
        "rate: 1.0",
        "rate: 300",
        "reactions.0.rate: got 30 events per molecule in a time step of 0.1, expected at most 2; a shorter ensemble.dt",
    ),
    (
        "test: {initial_conditions: 10, runs: 50}",
        "test: {initial_conditions: 10, runs: 1}",
        "ensemble.splits.test.runs: got 1, expected 2 or more; one run has no standard error",
    ),
    (
        "{A: [20, 160]}",
        "{A: [20, 1600]}",
        "initial_condition.counts: got 1600 molecules, expected at most 200, one per site",
    ),
    (
        "{A: [20, 160]}",
        "{A: [160, 20]}",
        "initial_condition.counts.A: got [160, 20], expected a number from 0, or a range [lea",
    ),
    ("{A: [20, 160]}", "{A: 90, B: 9}", "initial_condition.counts.B: got B, expected one of A"),
    ("dt: 0.1", "dt: 0", "ensemble.dt: got 0, expected more than 0.0"),
    ("dt: 0.1\n", "\n", "ensemble.dt: missing, and there is no default"),
    ("[A, AA]", "[A, AB]", "models.pairs: interaction 'AB': species: got 'B', expected one o"),
    ("[A, AA]", "[A, AAAAA]", "models.pairs: interaction: got 'AAAAA', expected one to 4 species in a row along an "),
    ("pairs:", "mean_field:", "models.mean_field: got the name of a baseline, expected another one than mean_field,"),
    (
        "pairs: {",
        "pairs: {recipe: adam, ",
        "models.pairs: unknown key 'recipe', expected one of title, interactions, layers, family",
    ),
    (
        "[A, AA]}",
        "[A, AA], domain: {spacing: [1, 0.7]}}",
        "models.pairs.domain: grid: got -3.0 .. 3.0 with spacing 0.7, expected a whole number",
    ),
    (
        "[A, AA]}",
        "[A], layers: [{species: [X], weights: [AX], offsets: [[0], [1]]}], family: composition}",
        "models.pairs.initial.others: got no weight, expected some other than zero, where learning can begin",
    ),
    (
        "[A, AA]}",
        "[A, AA], layers: [{species: [X], weights: [AX]}]}",
        "models.pairs: hidden layer ['X']: needs either offsets or a unit on every bond",
    ),
]


@pytest.fixture
def wrong(tmp_path, monkeypatch):
    """Write a wrong version of the template; return its folder."""
    monkeypatch.chdir(tmp_path)

    def write(text, instead):
        right = TEMPLATE.read_text()
        assert right.count(text) == 1, text
        (tmp_path / "wrong.yaml").write_text(right.replace(text, instead))
        return (tmp_path / "wrong.yaml").relative_to(tmp_path).parent

    return write


@pytest.mark.parametrize(("text", "instead", "line"), WRONG, ids=[instead for _, instead, _ in WRONG])
def test_wrong_study_is_reported_in_one_line(wrong, text, instead, line):
    with pytest.raises(ConfigurationError) as error:
        load_studies(wrong(text, instead), {}, "", ["wrong"])
    assert str(error.value).startswith(f"wrong.yaml: {line}")
    assert "\n" not in str(error.value)


def test_thirty():
    assert len({(text, instead) for text, instead, _ in WRONG}) >= 30


@pytest.mark.slow
def test_snakemake_reports_it_before_any_job(tmp_path):
    """Asked for by name: exit code 1, the line, nothing done. Not asked for: in nobody's way."""
    for name in ("config", "workflow", "profiles", "envs"):
        copy_tree(ROOT / name, tmp_path / name)
    shutil.copy2(ROOT / "Snakefile", tmp_path)
    text, instead, line = WRONG[2]
    (tmp_path / "config" / "studies" / "wrong.yaml").write_text(TEMPLATE.read_text().replace(text, instead))

    def snakemake(target):
        command = [sys.executable, "-m", "snakemake", "--cores", "1", target]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    done = snakemake("wrong")
    assert done.returncode == 1 and not (tmp_path / "results").exists()
    assert f"config/studies/wrong.yaml: {line}" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert snakemake("--list-rules").returncode == 0
    shutil.copy2(TEMPLATE, tmp_path / "config" / "studies" / "make_report.yaml")
    done = snakemake("--list-rules")
    assert done.returncode == 1
    assert "config/studies/make_report.yaml: got the name of a rule, expected another\n" in done.stdout + done.stderr
