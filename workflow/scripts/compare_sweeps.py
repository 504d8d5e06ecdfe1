"""Score the sampled models with more and with fewer sweeps than their sampling laws declare, from several starts.

``sweeps.csv`` has a row per model, start of the chains, number of sweeps and observable, and one of the means over the
observables: the average over a few points of trajectories of the error as in the summary (``rmse``, counts on the whole
lattice) and its ratio to the simulated range (``relative_rmse``). Far from equilibrium moments depend on the start and
on the number of sweeps: the table shows how far.
"""

from functools import partial

import numpy as np
import pandas as pd

from dbd.boltzmann.composition import STARTS
from dbd.build.model import build_family, build_moment_map
from dbd.evaluation.errors import summarise
from dbd.files.netcdf import read, read_models
from dbd.files.tables import write_table
from dbd.job import job
from dbd.numerics.random_streams import stream

COLUMNS = ["model", "start", "sweeps", "observable", "rmse", "relative_rmse"]
LATTICES = 16  # per point: enough to tell laws apart, and the longest chains take a while
POINTS = 8  # times of all trajectories
CONDITIONS = 4  # most initial conditions


def evenly(size, count):
    """Return at most `count` places, evenly over 0 .. size - 1."""
    return np.unique(np.linspace(0, size - 1, min(size, count)).round().astype(int))


def compare_sweeps(settings, moments, predictions, generator_of):
    """Return the table of predictions by model name against simulated moments."""
    observables, scoring = settings["observables"], settings["evaluation"]
    tables = []
    for name, section in settings["models"].items():
        shown = evenly(predictions[name].sizes["initial_condition"], CONDITIONS)
        times = evenly(scoring["last_step"] + 1, max(3, POINTS // len(shown)))
        theta = predictions[name].theta.values[np.ix_(shown, times)]
        reference = moments.sel(observable=observables).isel(initial_condition=shown, time=times)
        sweeps = sorted({*scoring["sweeps"], section["sampling"]["sweeps"]})
        family, simulated = build_family(settings, section), (reference["mean"].values, reference["sem"].values)
        for start in STARTS if section["family"] == "composition" else ("empty", "random"):
            sampling = section["sampling"] | {"lattices": LATTICES, "start": start}
            law = build_moment_map(family, observables, sampling)
            streams = partial(generator_of, name, start)
            for number, mean in zip(sweeps, law.means_by_sweeps(theta, sweeps, streams), strict=True):
                table = summarise(mean, *simulated, observables, scoring["average"])
                tables.append(table.assign(model=name, start=start, sweeps=number)[COLUMNS])
    return pd.concat(tables)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, study = snakemake.params.settings, snakemake.wildcards.study
        moments, predictions = read(snakemake.input.moments), read_models(snakemake.input.predictions)
        generator_of = partial(stream, settings["seed"], "compare sweeps", study)
        table = compare_sweeps(settings, moments, predictions, generator_of)
        write_table(table, snakemake.output[0], digits=4)
        log.info("%s", table[table.observable == "mean"].to_string(index=False))
