"""Run a model of Smoldyn many times, as somebody else would have: a table with the molecules of all runs of a split."""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from dbd.files.netcdf import replacing
from dbd.files.outside import outside
from dbd.job import job
from dbd.numerics.random_streams import stream

FINER = 5  # time steps of Smoldyn between two recorded times, as in the model file
LEAST, MOST = 60, 200  # molecules at the start


def one_run(model, definitions):
    """Rows of ``listmols2``: number of the call, species, state, position and serial number."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"define {name} {value}\n" for name, value in definitions.items()) + model)
        file.flush()
        simulation = outside("smoldyn").Simulation.fromFile(file.name, "q")
        simulation.runSim()
        return np.array(simulation.getOutputData("molecules")).reshape(-1, 6)


def simulate_smoldyn(settings, study, split, model):
    """Return the table; initial conditions are evenly spaced numbers of molecules."""
    number, steps, dt = (settings["ensemble"][key] for key in ("splits", "steps", "dt"))
    tables, number, length = [], number[split], settings["lattice"]["shape"][0]
    for condition, molecules in enumerate(np.linspace(LEAST, MOST, number["initial_conditions"] + 2)[1:-1]):
        for run in range(number["runs"]):
            seed = stream(settings["seed"], "smoldyn", study, split, condition, run).integers(2**31)
            definitions = {"NUMBER": round(molecules), "SEED": seed, "LENGTH": length}
            rows = one_run(model, definitions | {"STOP": steps * dt, "STEP": dt / FINER})
            call = rows[:, 0].astype(int) - 1
            table = pd.DataFrame({"time": dt * call, "species": "A", "x": rows[:, 3], "y": rows[:, 4]})
            nothing_left = pd.DataFrame({"time": dt * np.setdiff1d(np.arange(steps + 1), call)})
            tables.append(pd.concat([table, nothing_left]).assign(initial_condition=condition, run=run))
    return pd.concat(tables)


def quieten():
    """What Smoldyn itself says goes nowhere; what Python says still goes to the standard streams."""
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w") for number in (1, 2))
    for number in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), number)


if __name__ == "__main__":
    quieten()
    with job(snakemake.log[0]):
        names, model = snakemake.wildcards, Path(snakemake.input.model).read_text(encoding="utf-8")
        table = simulate_smoldyn(snakemake.params.settings, names.study, names.split, model)
        with replacing(snakemake.output[0]) as partial:
            table.to_csv(partial, index=False, float_format="%.6g")
