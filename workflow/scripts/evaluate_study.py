"""Score every model, the best its family can do, and classical closures, against simulations not learned from.

``evaluation.csv`` has a row per model, observable and step; ``summary.csv`` one per model and observable, and one of
their means. Units are counts on the whole lattice.
"""

from pathlib import Path

import pandas as pd

from dbd.evaluation.errors import ORACLE, errors_per_step, summarise
from dbd.files.netcdf import read
from dbd.files.tables import write_table
from dbd.job import job


def model_name(path):
    """Name in tables: ``models/visible/test.nc`` is visible, ``models/visible/oracle.test.nc`` visible_oracle."""
    return path.parent.name + (ORACLE if path.name.startswith("oracle.") else "")


def evaluate_study(settings, moments, predictions):
    """Return the tables (evaluation, summary) of predictions by model name against simulated moments."""
    scoring = settings["evaluation"]
    last = scoring["last_step"]
    scored = dict(time=slice(0, last + 1))
    rows, summaries = [], []
    for name, predicted in predictions.items():
        observables = settings["observables"]
        reference = moments.sel(observable=observables).isel(time=slice(predicted.sizes["time"]))
        every = errors_per_step(
            predicted["mean"].values, reference["mean"].values, reference["sem"].values, observables
        )
        every.insert(2, "time", moments.time.values[every.step])
        summary = summarise(
            *(table.isel(scored).values for table in (predicted["mean"], reference["mean"], reference["sem"])),
            observables,
            scoring["average"],
            *(settings[kind].get(name, {}) for kind in ("published", "published_relative")),
        )
        if "excess" in predicted:
            summary["off_grid"] = int((predicted.excess > 0).any("time").sum())
        for frame, frames in ((every, rows), (summary, summaries)):
            frame.insert(0, "model", name)
            frame.insert(1, "split", scoring["split"])
            frames.append(frame)
    return pd.concat(rows), pd.concat(summaries)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        evaluation, summary = evaluate_study(
            snakemake.params.settings,
            read(snakemake.input.moments),
            {model_name(Path(path)): read(path) for path in snakemake.input.predictions},
        )
        write_table(evaluation, snakemake.output.evaluation)
        write_table(summary, snakemake.output.summary, digits=4)
        log.info("%s", summary.to_string(index=False))
