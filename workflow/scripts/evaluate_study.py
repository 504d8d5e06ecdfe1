"""Score every model, the best its family can do, and classical closures, against simulations not learned from.

``evaluation.csv`` has a row per model, observable and step; ``summary.csv`` one per model and observable, and one of
their means, for the steps that count (``steps``) and for those after them that models are extrapolated to. The column
``kind`` tells a learned model from its oracle (the family matched to the data themselves), from a baseline and from a
floor: the noise of the simulated means, which no prediction is below, and the means of the training runs where they
start as these do. ``drift`` is the range of a sampled model's mean error over starts of its chains and the study's
numbers of sweeps, from ``sweeps.csv``; the model is at ``equilibrium`` where it is at most 0.01. Units are counts on
the whole lattice.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dbd.evaluation.errors import errors_per_step, summarise
from dbd.files.netcdf import read
from dbd.files.tables import read_table, write_table
from dbd.job import job

OF_SOME = ["published", "published_relative", "off_grid", "drift", "equilibrium"]  # columns that not all rows have
DRIFT = 0.01  # of the mean relative error: a few times the noise of the table of sweeps


def name_and_kind(path):
    """Name and kind of ``models/<name>/<split>.nc``, ``models/<name>/oracle.<split>.nc``, ``baselines/<name>/...``."""
    if path.name.startswith("oracle."):
        return path.parent.name, "oracle"
    return path.parent.name, path.parents[1].name.removesuffix("s")


def floors(moments, training):
    """Return what no model can be better than, as predictions: the noise itself, and means of other runs."""
    noise = moments[["mean"]] + moments["sem"]
    found = {("noise", "floor"): noise}
    if training is not None and training.sizes["initial_condition"] == 1:
        found["training_means", "floor"] = training[["mean", "std"]]
    return found


def drifts(sweeps, fewest):
    """Return the drift of each sampled model from the table of sweeps, of which `fewest` and more count."""
    means = sweeps[(sweeps.observable == "mean") & (sweeps.sweeps >= fewest)]
    return means.groupby("model").relative_rmse.agg(np.ptp).to_dict()


def evaluate_study(settings, moments, predictions, training=None, sweeps=None):
    """Return the tables (evaluation, summary) of predictions by (name, kind) against simulated moments."""
    scoring, observables = settings["evaluation"], settings["observables"]
    moments = moments.sel(observable=observables)
    last, furthest = scoring["last_step"], scoring["extrapolate_to"]
    ranges = [(0, last)] + [(last + 1, furthest)] * (furthest > last)
    drift = drifts(sweeps, min(scoring["sweeps"])) if sweeps is not None else {}
    rows, summaries = [], []
    for (name, kind), predicted in {**predictions, **floors(moments, training)}.items():
        predicted = predicted.sel(observable=observables).isel(time=slice(furthest + 1))
        reference = moments.isel(time=slice(predicted.sizes["time"]))
        key = {"model": name, "kind": kind, "split": scoring["split"]}
        tables = [table.values for table in (predicted["mean"], reference["mean"], reference["sem"])]
        every = errors_per_step(*tables, observables)
        every.insert(2, "time", moments.time.values[every.step])
        rows.append(every.assign(**key))
        for first, final in ranges:
            if final >= len(reference.time):
                continue
            part = slice(first, final + 1)
            std = [d["std"].values[:, part] for d in (predicted, reference)] if "std" in predicted else None
            summary = summarise(*(table[:, part] for table in tables), observables, scoring["average"], std)
            for published in ("published", "published_relative") if kind == "model" and first == 0 else ():
                known = settings["models"].get(name, {}).get(published, {})
                summary[published] = pd.Series(known, dtype=float).reindex(summary.observable).values
            if "excess" in predicted:
                summary["off_grid"] = int((predicted.excess.values[:, part] > 0).any(axis=1).sum())
            if kind == "model" and name in drift:
                summary["drift"] = drift[name]
                summary["equilibrium"] = "yes" if drift[name] <= DRIFT else "no"
            summaries.append(summary.assign(**key, steps=f"{first}-{final}"))
    order = ["model", "kind", "split"]
    evaluation = pd.concat(rows).set_index(order).reset_index()
    summary = pd.concat(summaries).set_index([*order, "steps", "observable"]).reset_index()
    return evaluation, summary.reindex(columns=[*summary.columns.drop(OF_SOME, errors="ignore"), *OF_SOME])


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        given = snakemake.input
        predictions = {name_and_kind(Path(path)): read(path) for path in given.predictions}
        training = read(given.training) if given.get("training") else None
        sweeps = read_table(given.sweeps) if given.get("sweeps") else None
        tables = evaluate_study(snakemake.params.settings, read(given.moments), predictions, training, sweeps)
        write_table(tables[0], snakemake.output.evaluation)
        write_table(tables[1], snakemake.output.summary, digits=4)
        log.info("%s", tables[1].to_string(index=False))
