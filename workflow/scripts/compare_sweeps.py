"""Score the sampled models with more and with fewer Gibbs sweeps than their sampling laws declare.

``sweeps.csv`` has a row per model, number of sweeps and observable, and one of the means over the observables: the
average over steps of the error as in the summary (``rmse``, counts on the whole lattice) and its ratio to the simulated
range (``relative_rmse``). Far from equilibrium moments depend on the number of sweeps: the table shows how far.
"""

from functools import partial

import pandas as pd

from dbd.build.model import build_model, build_moment_map
from dbd.evaluation.errors import summarise
from dbd.files.netcdf import read, read_models
from dbd.files.tables import write_table
from dbd.job import job
from dbd.numerics.random_streams import stream

COLUMNS = ["model", "sweeps", "observable", "rmse", "relative_rmse"]
LATTICES = 24  # per time: enough to tell laws apart, and the longest chains take a while


def compare_sweeps(settings, moments, predictions, generator_of):
    """Return the table of predictions by model name against simulated moments."""
    observables, scoring = settings["observables"], settings["evaluation"]
    tables = []
    for name, section in settings["models"].items():
        theta = predictions[name].theta.values[:, : scoring["last_step"] + 1]
        reference = moments.sel(observable=observables).isel(time=slice(theta.shape[1]))
        sweeps = sorted({*scoring["sweeps"], section["sampling"]["sweeps"]})
        sampling = section["sampling"] | {"lattices": LATTICES}
        law = build_moment_map(build_model(settings, section), observables, sampling)
        means = law.means_by_sweeps(theta, sweeps, lambda *point, name=name: generator_of(name, *point))
        for number, mean in zip(sweeps, means, strict=True):
            simulated = reference["mean"].values, reference["sem"].values
            table = summarise(mean, *simulated, observables, scoring["average"], {}, {})
            tables.append(table.assign(model=name, sweeps=number)[COLUMNS])
    return pd.concat(tables)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, study = snakemake.params.settings, snakemake.wildcards.study
        moments, predictions = read(snakemake.input.moments), read_models(snakemake.input.predictions)
        generator_of = partial(stream, settings["seed"], "compare sweeps", study)
        table = compare_sweeps(settings, moments, predictions, generator_of)
        write_table(table, snakemake.output[0], digits=4)
        log.info("%s", table[table.observable == "mean"].to_string(index=False))
