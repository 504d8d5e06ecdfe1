"""Score every model of the density, and tell where learned functions were seen.

``evaluation.csv`` has a row per model and time: ``error`` of the predicted densities of the evaluated split, root mean
square over starts and cells relative to that of the densities, ``noise`` of the simulated ones, and ``of_model``, the
error without the noise. ``summary.csv`` has a row per model: the same over all times after the start, against the exact
densities too where they are known, how many times above the first model's it is, and errors of the functions
weighted by the visited nu. ``functions.csv`` has a row per model and bin of nu: the functions with the standard
deviation over resampled runs and the share of the evidence on each that is in the bin.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dbd.continuous import mean_field
from dbd.continuous.density_models import build_density_model
from dbd.continuous.scoring import coarse, density_error, evidence, function_errors
from dbd.continuous.systems import build_system
from dbd.jobs import job
from dbd.store import read, read_models, replacing

NAMES = ("F0", "F1", "F2")
BINS = 40


def evaluate_densities(settings, densities, dynamics, training, predictions):
    """Return the tables by file name.

    ``dynamics``, ``training`` and ``predictions`` are learned functions, solutions of the training split and of the
    evaluated one, by model.
    """
    model, system = build_density_model(settings), build_system(settings)
    scoring = settings["evaluation"]
    cells = scoring["cells"] or model.cells
    # Simulated times only: at the start the density is given.
    seen = densities.isel(species=0, time=slice(1, None))
    data, sem = coarse(seen.density.values, cells), coarse_sem(densities, model, cells)
    models = {name: coarse(one.density.values[:, 1:], cells) for name, one in predictions.items()}
    truth = exact_densities(settings, model, system, predictions, cells) if scoring["exact"] else None
    rows, summaries, tables = [], [], []
    first = None
    for name, predicted in models.items():
        by_time = density_error(predicted, data, sem, (0, 2))
        rows.append(
            pd.DataFrame(
                {
                    "model": name,
                    "split": scoring["split"],
                    "step": seen.step.values,
                    "time": seen.time.values,
                    "error": by_time.error,
                    "noise": by_time.noise,
                    "of_model": by_time.of_model,
                }
            )
        )
        overall = density_error(predicted, data, sem, (0, 1, 2))
        first = first or float(overall.of_model)
        summary = {
            "model": name,
            "split": scoring["split"],
            "error": float(overall.error),
            "noise": float(overall.noise),
            "of_model": float(overall.of_model),
            "times_first": float(overall.of_model) / first if first else np.nan,
            "late": float(density_error(predicted[:, -1:], data[:, -1:], sem[:, -1:], (0, 1, 2)).of_model),
            "off_grid": int((predictions[name].excess > 0).any("time").sum()),
        }
        if "factor" in dynamics[name]:
            summary["factor"] = float(dynamics[name].factor)
        if truth is not None:
            summary["against_exact"] = float(density_error(predicted, truth, 0 * truth, (0, 1, 2)).error)
        if "replicates" in dynamics[name]:
            table, scores = function_table(name, settings, model, system, dynamics[name], training[name].nu.values)
            tables.append(table)
            summary |= scores
        summaries.append(summary)
    return {
        "evaluation": pd.concat(rows),
        "summary": pd.DataFrame(summaries),
        "functions": pd.concat(tables) if tables else pd.DataFrame(columns=["model", "nu"]),
    }


def coarse_sem(densities, model, cells):
    """Standard error of coarse densities after the start, from the spread between the groups of runs."""
    sums = densities.cell_sums.isel(species=0, time=slice(1, None)).values
    each = coarse(sums / densities.runs.values[..., None, None], cells) * model.cells / model.box.volume
    return each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])


def exact_densities(settings, model, system, predictions, cells):
    """Densities by the exact functions, which are those of mean-field theory, after the start."""
    start = next(iter(predictions.values())).nu.values[:, 0]
    nu = model.solve(mean_field.coefficients(system, model.grid), start, settings["ensemble"]["steps"])
    return coarse(model.density(nu)[:, 1:], cells)


def function_table(name, settings, model, system, learned, nu):
    """Return the functions of a model in bins of nu, and what the summary says of them."""
    edge = np.linspace(nu.min(), nu.max(), BINS + 1)
    middle = 0.5 * (edge[:-1] + edge[1:])
    value = model.functions(learned.u.values, middle)
    band = np.std([model.functions(u, middle) for u in learned.replicates.values], axis=0, ddof=1)
    share = evidence(model, nu, edge)
    table = pd.DataFrame({"model": name, "nu": middle})
    scores = dict(zip(("nu_low", "nu_high"), np.quantile(nu, (0.01, 0.99)), strict=True))
    visited = nu[:, 1:].ravel()
    at_visited = model.functions(learned.u.values, visited)
    spread = np.std([model.functions(u, visited) for u in learned.replicates.values], axis=0, ddof=1)
    exact = mean_field.functions(system, visited)
    for m, function in enumerate(NAMES):
        table[function] = value[m]
        table[f"{function}_sem"] = band[m]
        table[f"{function}_evidence"] = share[m]
        scores[f"{function}_band"] = float(np.sqrt((spread[m] ** 2).mean() / (at_visited[m] ** 2).mean()))
        if settings["evaluation"]["exact"]:
            table[f"{function}_exact"] = mean_field.functions(system, middle)[m]
            scores[f"{function}_error"] = float(function_errors(at_visited[m : m + 1], exact[m : m + 1])[0])
    return table, scores


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        tables = evaluate_densities(
            snakemake.params.settings,
            read(snakemake.input.densities),
            read_models(snakemake.input.dynamics),
            read_models(snakemake.input.training),
            read_models(snakemake.input.predictions),
        )
        for path in map(Path, snakemake.output):
            with replacing(path) as partial:
                tables[path.stem].to_csv(partial, index=False, float_format="%.5g")
        log.info("%s", tables["summary"].T.to_string())
