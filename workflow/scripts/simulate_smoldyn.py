"""Run a model of Smoldyn many times, as somebody else would have: a table with the molecules of all runs of a split."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from dbd.files.netcdf import replacing
from dbd.files.outside import outside
from dbd.job import job
from dbd.numerics.random_streams import stream

FINER = 5  # time steps of Smoldyn between two recorded times, as in the model file
LEAST, MOST = 60, 200  # molecules at the start


@contextmanager
def without_chatter():
    """Smoldyn writes to the standard streams of the process."""
    kept = [os.dup(number) for number in (1, 2)]
    with Path(os.devnull).open("w") as nothing:
        try:
            for number in (1, 2):
                os.dup2(nothing.fileno(), number)
            yield
        finally:
            for number, copy in zip((1, 2), kept, strict=True):
                os.dup2(copy, number)
                os.close(copy)


def one_run(model, definitions):
    """Rows of ``listmols2``: number of the call, species, state, position and serial number."""
    smoldyn = outside("smoldyn")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"define {name} {value}\n" for name, value in definitions.items()) + model)
        file.flush()
        simulation = smoldyn.Simulation.fromFile(file.name, "q")
        simulation.runSim()
        return np.array(simulation.getOutputData("molecules")).reshape(-1, 6)


def simulate_smoldyn(settings, study, split, model):
    """Return the table; initial conditions are evenly spaced numbers of molecules."""
    ensemble, tables = settings["ensemble"], []
    dt, steps, number = ensemble["dt"], ensemble["steps"], ensemble["splits"][split]
    for condition, molecules in enumerate(np.linspace(LEAST, MOST, number["initial_conditions"] + 2)[1:-1]):
        for run in range(number["runs"]):
            seed = stream(settings["seed"], "smoldyn", study, split, condition, run).integers(2**31)
            definitions = {"NUMBER": round(molecules), "SEED": seed, "LENGTH": settings["lattice"]["shape"][0]}
            with without_chatter():
                rows = one_run(model, definitions | {"STOP": steps * dt, "STEP": dt / FINER})
            call = rows[:, 0].astype(int) - 1
            empty = np.setdiff1d(np.arange(steps + 1), call)
            table = pd.DataFrame({"time": dt * call, "species": "A", "x": rows[:, 3], "y": rows[:, 4]})
            table = pd.concat([table, pd.DataFrame({"time": dt * empty})])
            tables.append(table.assign(initial_condition=condition, run=run))
    return pd.concat(tables)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        names, model = snakemake.wildcards, Path(snakemake.input.model).read_text(encoding="utf-8")
        table = simulate_smoldyn(snakemake.params.settings, names.study, names.split, model)
        with replacing(snakemake.output[0]) as partial:
            table.to_csv(partial, index=False, float_format="%.6g")
