"""Prediction and export from the command line: what they print and write, and one line for what they cannot do."""

import re
import subprocess
import sys

import pytest

from conftest import ROOT
from dbd.files.netcdf import StoreError
from learned_models import write_model

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

import export
import predict

CASE = ["epidemic", "pairs"]
COUNTS = ["--counts", "A=25 S=170 R=20"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with the results of a study."""
    write_model(tmp_path / "results", "pairs")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results" / "epidemic"


def test_prediction(folder, capsys):
    predict.main([*CASE, *COUNTS, "--steps", "4", "--rates", "A -> R = 0.25, A + S -> 2A=0.4"])
    table, _, rest = capsys.readouterr().out.partition("In this model all runs have the mean numbers of molecules")
    lines = table.splitlines()
    assert lines[0].split()[:3] == ["observable", "A", "S"] and len(lines) == 3 + 5
    assert lines[3].split()[:6] == ["0.0", "25.0", "0.0", "170.0", "0.0", "20.0"]
    assert rest.splitlines()[-1] == "results/epidemic/predictions/pairs.png"
    assert (folder / "predictions" / "pairs.png").stat().st_size > 10_000


def test_leaving_the_grid_is_printed(capsys):
    predict.main([*CASE, "--counts", "A=200 S=180", "--steps", "3"])
    assert "From step 0 on outside the grid" in capsys.readouterr().out


def test_export(folder, capsys):
    export.main([*CASE, "python", *COUNTS])
    said = capsys.readouterr().out.splitlines()
    assert said[1:] == ["results/epidemic/exports/pairs.py"]
    assert 0 < float(re.search(r"differs by (\S+) of its range", said[0])[1]) < 1e-2
    assert "START = [0.0625, 0.425, 0.05, 0.0" in (folder / "exports" / "pairs.py").read_text()
    export.main([*CASE, "julia"])
    assert (folder / "exports" / "pairs.jl").exists()


WRONG = {
    "no equals sign": (predict, ["--counts", "A300"], "counts: got 'A300', expected a name, = and a number"),
    "no number": (predict, ["--counts", "A=many"], "counts: got 'A=many', expected a name, = and a number"),
    "species": (predict, ["--counts", "A=3 X=2"], "counts: got X, expected one of A, S, R"),
    "nothing": (predict, ["--counts", ""], "start: got neither, expected either counts or parameters"),
    "too many": (predict, ["--counts", "A=401"], "counts: got {'A': 401.0}, expected 0 or more, at most 400 in all"),
    "steps": (predict, [*COUNTS, "--steps", "-3"], "steps: got -3, expected a whole number, 1 or more"),
    "no step": (predict, [*COUNTS, "--steps", "0"], "steps: got 0, expected a whole number, 1 or more"),
    "reaction": (predict, [*COUNTS, "--rates", "A -> 0 = 1"], "rates: got A -> 0, expected one of A + S -> 2A, A -> R"),
    "rate": (predict, [*COUNTS, "--rates", "A -> R"], "rates: got 'A -> R', expected a name, = and a number"),
    "negative": (predict, [*COUNTS, "--rates", "A -> R=-1"], "rate -1.0, expected rate of 0 or more"),
    "format": (export, ["matlab"], "format: got matlab, expected one of python, sbml, julia"),
    "suffix": (export, [".py"], "format: got .py, expected one of python, sbml, julia"),
    "Format": (export, ["Python"], "format: got Python, expected one of python, sbml, julia"),
    "counts": (export, ["python", "--counts", "B=1"], "counts: got B, expected one of A, S, R"),
    "no name": (export, ["python", "--counts", "=5"], "counts: got '=5', expected a name, = and a number"),
    "no equals": (export, ["julia", "--counts", "A300"], "counts: got 'A300', expected a name, = and a number"),
    "word": (export, ["julia", "--counts", "A=many"], "counts: got 'A=many', expected a name, = and a number"),
    "crowded": (export, ["python", "--counts", "A=401"], "expected 0 or more, at most 400 in all"),
    "below zero": (export, ["python", "--counts", "A=-1"], "expected 0 or more, at most 400 in all"),
    "nan": (export, ["python", "--counts", "A=nan"], "counts: A: got nan, expected a finite number"),
}


@pytest.mark.parametrize(("tool", "arguments", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input(tool, arguments, message):
    with pytest.raises(ValueError) as raised:
        tool.main([*CASE, *arguments])
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.slow
def test_wrong_model_is_one_line():
    with pytest.raises(StoreError, match="no such file"):
        predict.main(["epidemic", "nothing", *COUNTS])
    command = [sys.executable, ROOT / "workflow" / "tools" / "export.py", "nowhere", "pairs", "julia"]
    done = subprocess.run(command, capture_output=True, text=True)
    expected = "Error: results/nowhere/models/pairs/dynamics.nc: no such file\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)
