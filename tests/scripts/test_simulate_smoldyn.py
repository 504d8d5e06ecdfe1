"""The runs of Smoldyn that a study of the repository learns from."""

import numpy as np
import pytest

from conftest import ROOT
from dbd.build.source import Layout, read_source
from dbd.files.outside import FOLDER
from dbd.lattice.geometry import Lattice
from simulate_smoldyn import simulate_smoldyn

MODEL = (ROOT / "config" / "outside" / "annihilation.txt").read_text()
SETTINGS = {
    "seed": 1,
    "lattice": {"shape": [32, 32]},
    "ensemble": {"dt": 0.25, "steps": 12, "splits": {"test": {"initial_conditions": 1, "runs": 3}}},
}


@pytest.mark.skipif(not (FOLDER / "installed").exists(), reason="make .venv/outside/installed")
def test_simulate_smoldyn(tmp_path):
    """Runs start from the stated number, lose molecules in pairs, differ, and are the same again."""
    table = simulate_smoldyn(SETTINGS, "study", "test", MODEL)
    table.to_csv(tmp_path / "table.csv", index=False)
    layout = Layout(("A",), Lattice((32, 32), "periodic"), np.zeros(2), 1.0, 0.1, 1, 3, 12, 0.25)
    molecules = read_source(tmp_path / "table.csv", layout)
    numbers = (molecules.occupancy(layout, 0, range(3)) == 1).sum(axis=2)
    assert (numbers[:, 0] == 130).all()
    assert set(range(-60, 1, 2)) >= set((numbers[:, 1:] - numbers[:, :-1]).ravel().tolist())
    assert len({tuple(run) for run in numbers.tolist()}) == 3
    assert table.equals(simulate_smoldyn(SETTINGS, "study", "test", MODEL))
