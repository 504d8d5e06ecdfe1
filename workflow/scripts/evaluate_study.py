"""Score every model, the best its family can do, and classical closures, against simulations not learned from.

``evaluation.csv`` has a row per model, observable and step; ``summary.csv`` one per model and observable, and one of
their means. The column ``kind`` tells a learned model from its oracle (the family matched to the data themselves) and
from a baseline. Units are counts on the whole lattice.
"""

from pathlib import Path

import pandas as pd

from dbd.evaluation.errors import errors_per_step, summarise
from dbd.files.netcdf import read
from dbd.files.tables import write_table
from dbd.job import job


def name_and_kind(path):
    """Name and kind of ``models/<name>/<split>.nc``, ``models/<name>/oracle.<split>.nc``, ``baselines/<name>/...``."""
    if path.name.startswith("oracle."):
        return path.parent.name, "oracle"
    return path.parent.name, path.parents[1].name.removesuffix("s")


def evaluate_study(settings, moments, predictions):
    """Return the tables (evaluation, summary) of predictions by (name, kind) against simulated moments."""
    scoring, observables = settings["evaluation"], settings["observables"]
    scored = dict(time=slice(0, scoring["last_step"] + 1))
    rows, summaries = [], []
    for (name, kind), predicted in predictions.items():
        reference = moments.sel(observable=observables).isel(time=slice(predicted.sizes["time"]))
        tables = predicted["mean"], reference["mean"], reference["sem"]
        every = errors_per_step(*(table.values for table in tables), observables)
        every.insert(2, "time", moments.time.values[every.step])
        summary = summarise(
            *(table.isel(scored).values for table in tables),
            observables,
            scoring["average"],
            *(settings[key].get(name, {}) if kind == "model" else {} for key in ("published", "published_relative")),
        )
        if "excess" in predicted:
            summary["off_grid"] = int((predicted.excess > 0).any("time").sum())
        for frame, frames in ((every, rows), (summary, summaries)):
            frames.append(frame.assign(model=name, kind=kind, split=scoring["split"]))
    return tuple(pd.concat(frames).set_index(["model", "kind", "split"]).reset_index() for frames in (rows, summaries))


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        predictions = {name_and_kind(Path(path)): read(path) for path in snakemake.input.predictions}
        evaluation, summary = evaluate_study(snakemake.params.settings, read(snakemake.input.moments), predictions)
        write_table(evaluation, snakemake.output.evaluation)
        write_table(summary, snakemake.output.summary, digits=4)
        log.info("%s", summary.to_string(index=False))
