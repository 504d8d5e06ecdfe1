"""What Smoldyn and ReaDDy themselves write becomes the table that a study reads."""

import re
import shlex
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from conftest import ROOT
from dbd.build.source import Layout, check_source, read_source
from dbd.files.netcdf import StoreError
from dbd.files.outside import FOLDER, outside
from dbd.lattice.geometry import Lattice

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

from import_trajectories import main

pytestmark = pytest.mark.skipif(not (FOLDER / "installed").exists(), reason="make .venv/outside/installed")

COMMANDS = re.findall(
    r"^    \.venv/bin/python workflow/tools/import_trajectories\.py (.+)$",
    (ROOT / "docs" / "your_data.md").read_text(),
    re.MULTILINE,
)
# Red molecules annihilate, often to the last; green ones turn blue.
SMOLDYN = """
dim 2
boundaries x 0 8 p
boundaries y 0 8 p
species red green blue
difc red 4
difc green 1
difc blue 1
time_start 0
time_stop 2
time_step 0.05
reaction annihilation red + red -> 0
binding_radius annihilation 1
reaction turning green -> blue 1
mol 6 red u u
mol GREEN green u u
output_files runs/RUN.count runs/RUN.mols runs/RUN.mols2
cmd N 10 molcount runs/RUN.count
cmd N 10 molcount runs/RUN.mols
cmd N 10 listmols runs/RUN.mols
cmd N 10 listmols2 runs/RUN.mols2
end_file
"""
TIMES = 5


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder of runs of Smoldyn: two initial conditions, one of them without what turns, and two runs of each."""
    smoldyn, folder = outside("smoldyn"), tmp_path_factory.mktemp("smoldyn")
    (folder / "runs").mkdir()
    for green in (0, 4):
        for run in (1, 2):
            text = SMOLDYN.replace("GREEN", str(green)).replace("RUN", f"{green}_{run}")
            model = folder / f"{green}_{run}.model"
            model.write_text(f"random_seed {10 * green + run}\n{text}")
            simulation = smoldyn.Simulation.fromFile(model, "q")
            simulation.runSim()
            del simulation
    return folder


def counted(table, letters):
    """Molecules by initial condition, run and time, and species."""
    keys = ["initial_condition", "run", "time"]
    counts = table.groupby([*keys, "species"], dropna=False).size().unstack("species", fill_value=0)
    return counts.reindex(columns=letters, fill_value=0)


def test_smoldyn(runs, monkeypatch):
    """Both forms say the same, have the numbers that Smoldyn itself counts, and make a source without more ado."""
    monkeypatch.chdir(runs)
    tables = {}
    for command in COMMANDS[:2]:
        form, *words = shlex.split(command)
        main([form, *words])
        tables[form] = pd.read_csv("train.csv")
    one = tables["listmols"]
    pd.testing.assert_frame_equal(one, tables["listmols2"])
    counts = counted(one, list("ABC"))
    for (condition, run), some in counts.groupby(["initial_condition", "run"]):
        expected = np.loadtxt(f"runs/{condition}_{run}.count")
        np.testing.assert_array_equal(some.reset_index("time")[["time", *"ABC"]], expected)
    assert (counts.sum(axis=1) == 0).any(), "one run is empty at the end"
    layout = Layout(tuple("ABC"), Lattice((32, 32)), np.zeros(2), 0.25, 0.1, 2, 2, TIMES - 1, 0.5)
    check_source("train.csv", layout)
    np.testing.assert_array_equal(read_source("train.csv", layout).initial_numbers(layout), [[6, 0, 0], [6, 4, 0]])


def test_readdy(tmp_path, monkeypatch):
    """Positions are those that ReaDDy's own reader has."""
    readdy, generator = outside("readdy"), np.random.default_rng(1)
    monkeypatch.chdir(tmp_path)
    Path("runs").mkdir()
    system = readdy.ReactionDiffusionSystem([6, 6, 6], unit_system=None)
    for name in ("ligand", "complex"):
        system.add_species(name, 1.0)
    system.reactions.add("binding: ligand +(1) ligand -> complex", rate=5.0)
    for run in (0, 1):
        simulation = system.simulation(kernel="SingleCPU", output_file=f"runs/all_{run}.h5")
        simulation.add_particles("ligand", generator.random((30, 3)) * 6 - 3)
        simulation.record_trajectory(stride=20)
        simulation.show_progress = False
        simulation.run(n_steps=100, timestep=0.01, show_summary=False)
    main(shlex.split(COMMANDS[2]))
    table = pd.read_csv("train.csv")
    for run in (0, 1):
        frames = readdy.Trajectory(f"runs/all_{run}.h5").read()
        expected = [(0.2 * step, p.type[0].upper(), *p.position) for step, frame in enumerate(frames) for p in frame]
        found = table[table.run == run][["time", "species", "x", "y", "z"]]
        assert found.species.tolist() == [row[1] for row in expected]
        np.testing.assert_allclose(found.drop(columns="species"), [(row[0], *row[2:]) for row in expected], rtol=1e-9)
    layout = Layout(("L", "C"), Lattice((30, 30, 30)), np.full(3, -3.0), 0.2, 0.1, 1, 2, 5, 0.2)
    assert read_source("train.csv", layout).initial_numbers(layout).tolist() == [[30, 0]]


WRONG = [
    (["listmols", "{run}.txt", "t.csv"], {}, r"got no {initial_condition}, expected it in the names of the files"),
    (["listmols", "{initial_condition}_{run}.txt", "t.csv"], {}, "no such file"),
    (["listmols", "{initial_condition}_{run}.txt", "t.csv"], {"1_1.txt": "A(solution) 1 2 3\n"}, "1.txt: line 1: got "),
    (["listmols", "{initial_condition}_{run}.txt", "t.csv"], {"1_1.txt": "0 1\nA(solution) x 2 3\n"}, "line 2: got "),
    (
        ["listmols", "{initial_condition}_{run}.txt", "t.csv", "--species", "red=A"],
        {"1_1.txt": "0 1\nblue(solution) 1 2 3\n"},
        r"1_1.txt: species: got blue \(1 of 1 molecules\), expected one of red",
    ),
    (
        ["listmols2", "{initial_condition}_{run}.txt", "t.csv", "--dt", "1", "--times", "2", "--species", "A"],
        {"1_1.txt": "1 2 0 0.5 0.5 1\n"},
        "1_1.txt: species: got up to 2, expected 1 to 1",
    ),
    (
        ["listmols2", "{initial_condition}_{run}.txt", "t.csv", "--dt", "1", "--times", "2", "--species", "A"],
        {"1_1.txt": "3 1 0 0.5 0.5 1\n"},
        "1_1.txt: calls: got up to 3, expected 1 to 2",
    ),
    (
        ["readdy", "{initial_condition}_{run}.h5", "t.csv", "--dt", "1"],
        {"1_1.h5": "text"},
        "1_1.h5: no trajectory of ReaDDy",
    ),
]


@pytest.mark.parametrize(("arguments", "files", "message"), WRONG)
def test_wrong_files(arguments, files, message, tmp_path, monkeypatch):
    """One line, and no table."""
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        Path(name).write_text(text)
    with pytest.raises(StoreError, match=message):
        main(arguments)
    assert not Path("t.csv").exists()
