"""Score every model of the density, and show where learned functions were seen.

``evaluation.csv`` has a row per model and time: ``error`` of the predicted densities of the evaluated split, root mean
square over starts and cells relative to that of the densities, ``noise`` of the simulated ones, and ``of_model``, the
error without the noise. ``summary.csv`` has a row per model: the same over all times after the start, at the last one
(``late``), how many times the first model's error it is, and, where the truth is known, the error against the exact
densities and of the functions over the visited nu. ``functions.csv`` has a row per model and bin of the nu that
the first model visits on the training split: the functions, their standard error by resampled runs, and the share
of the evidence on each that is in the bin.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dbd.build.density import build_density_model
from dbd.build.particles import build_system
from dbd.continuum import mean_field
from dbd.evaluation.density_errors import coarse, density_error, function_scores, function_table
from dbd.files.netcdf import read, read_models
from dbd.files.tables import write_table
from dbd.job import job


def evaluate_densities(settings, densities, dynamics, training, predictions):
    """Return the tables by file name.

    ``dynamics`` and ``predictions`` are the functions and the solutions of the evaluated split by model, ``training``
    is the first model's solution of the training split.
    """
    model, system = build_density_model(settings), build_system(settings)
    scoring = settings["evaluation"]
    cells = scoring["cells"] or model.cells
    simulated = densities.isel(species=0, time=slice(1, None))  # at the start the density is given
    data, sem = coarse(simulated.density.values, cells), coarse_sem(simulated, model, cells)
    predicted = {name: coarse(one.density.values[:, 1:], cells) for name, one in predictions.items()}
    overall = {name: density_error(one, data, sem, (0, 1, 2)) for name, one in predicted.items()}
    first = next(iter(overall.values())).of_model
    if scoring["exact"]:
        start = next(iter(predictions.values())).nu.values[:, 0]
        nu = model.integrate(mean_field.coefficients(system, model.grid), start, settings["ensemble"]["steps"])
        exact = coarse(model.density(nu)[:, 1:], cells)
    visited = training.nu.values
    evaluation, summary, functions = [], [], []
    for name, one in predicted.items():
        row, of_model = {"model": name, "split": scoring["split"]}, overall[name].of_model
        steps = row | {"step": simulated.step, "time": simulated.time}
        evaluation.append(pd.DataFrame(steps | density_error(one, data, sem, (0, 2)).columns))
        scores = overall[name].columns | {
            "times_first": of_model / first if first > 0 else np.nan,
            "late": density_error(one[:, -1:], data[:, -1:], sem[:, -1:], (0, 1, 2)).of_model,
            "off_grid": int((predictions[name].excess > 0).any("time").sum()),
        }
        if "factor" in dynamics[name]:
            scores["factor"] = float(dynamics[name].factor)
        if scoring["exact"]:
            scores["against_exact"] = density_error(one, exact, 0 * exact, (0, 1, 2)).error
        summary.append(row | scores | function_scores(model, system, dynamics[name], visited, scoring["exact"]))
        functions.append({"model": name} | function_table(model, dynamics[name], visited))
    return {
        "evaluation": pd.concat(evaluation),
        "summary": pd.DataFrame(summary),
        "functions": pd.concat(map(pd.DataFrame, functions)),
    }


def coarse_sem(simulated, model, cells):
    """Standard error of coarse densities (starts, times, cells), from the spread between the groups of runs."""
    each = coarse(simulated.cell_sums.values / simulated.runs.values[..., None, None], cells)
    return each.std(axis=1, ddof=1) / np.sqrt(each.shape[1]) * model.cells / model.box.volume


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        given = snakemake.input
        simulated, training = read(given.densities), read(given.training)
        models = read_models(given.dynamics), training, read_models(given.predictions)
        tables = evaluate_densities(snakemake.params.settings, simulated, *models)
        for path in map(Path, snakemake.output):
            write_table(tables[path.stem], path, digits=5)
        log.info("%s", tables["summary"].T.to_string())
