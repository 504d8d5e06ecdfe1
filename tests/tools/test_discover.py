"""Proposed statistics from the command line: which runs are looked at, the table, and lines that a study file takes."""

import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from conftest import ROOT
from dbd.boltzmann.chain import Chain
from dbd.boltzmann.patterns import Pattern
from dbd.files.netcdf import provenance, variable, write
from dbd.lattice.packing import pack
from dbd.learning.statistics_search import NUMBERS, Proposal
from dbd.numerics.random_streams import stream
from dbd.study.reading import load_study

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

import discover

SITES, RUNS, TIMES = 30, 60, 3
STUDY = ROOT / "config" / "studies" / "annihilation.yaml"


@pytest.fixture
def folder(tmp_path):
    """Runs of two initial conditions, in two files; every lattice is drawn afresh from a chain with pairs."""
    for part, index in enumerate((0, 1)):
        drawn = Chain(SITES, ("A", "AA")).sample(np.array([-1.0, 1.0]), RUNS * TIMES, stream(1, "discover", index))
        packed = pack(drawn.reshape(1, RUNS, TIMES, SITES), 2)
        dataset = xr.Dataset(
            {"packed": variable("initial_condition run byte site", packed, "states", states=2)},
            {"initial_condition": [index], "run": np.arange(RUNS), "step": variable("time", np.arange(TIMES), "step")},
        )
        settings = {"seed": 1, "species": ["A"], "lattice": {"shape": [SITES], "boundary": "open"}}
        write(dataset, tmp_path / "chain" / "train" / "ensemble" / f"{part}.nc", provenance(settings))
    return tmp_path


def test_every_run_is_looked_at_once(folder):
    files = list(folder.glob("chain/train/ensemble/*.nc"))
    points = discover.points_of(files, 4, stream(1, "times"))
    assert [len(point.lattices) for point in points] == [RUNS // 2] * 4
    assert [len(point.lattices) for point in discover.points_of(files, 1, stream(1, "times"))] == [RUNS]


@pytest.mark.slow
def test_table_and_lines(folder, capsys):
    discover.main(["chain", "--results", str(folder), "--threads", "1"])
    table = pd.read_csv(folder / "chain" / "statistics.csv")
    assert table[table.chosen].statistic.tolist() == ["AA"]
    assert (table.p_value[~table.chosen] > 0.01).all()
    printed = yaml.safe_load(capsys.readouterr().out.partition("\n\n")[2])
    assert printed == {"models": {"discovered": {"interactions": ["A", "AA"], "family": "natural"}}}


def test_lines_are_models_of_a_study():
    patterns = [NUMBERS, Pattern("AA"), Pattern("AA", " at 2"), Pattern("AAA")]
    rows = [Proposal(pattern, 1.0, 9.0, 1, 0.0, 1.0, True) for pattern in patterns]
    for some in (rows, rows[1:]):
        text = discover.lines(["A"], some)
        assert "AA at 2" in text
        model = yaml.safe_load(text)["discovered"]
        assert model["interactions"] == ["A", "AA", "AAA"]
        initial = {"initial": {"method": "independent"}} if some is rows else {}
        study = load_study(STUDY, {"models": {"discovered": model | initial}})
        assert study.models["discovered"].family == ("composition" if some is rows else "natural")


def test_no_runs_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="no training runs, expected those of a study on a lattice; run it first"):
        discover.main(["nothing", "--results", str(tmp_path)])
