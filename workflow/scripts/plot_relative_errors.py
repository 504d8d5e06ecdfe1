"""Draw the relative error of every model and observable as bars, with the published and the matched ones."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, SIMULATION, legend_below, line_styles, save

RANGE = (0.005, 2.0)  # what is given the true means has no error in them but rounding


def plot_relative_errors(summary, styles):
    """Return the figure: a group of bars for each observable and their mean."""
    summary = summary[summary.steps == summary.steps.iloc[0]]
    tables = {key: table.set_index("observable") for key, table in summary.groupby(["model", "kind"], sort=False)}
    shown = [(name, kind) for name, kind in tables if kind in ("model", "baseline")]
    observables = summary.observable.unique()
    middle, width = np.arange(len(observables)), 0.8 / len(shown)
    figure, axes = plt.subplots(figsize=(PAGE, 0.4 * PAGE))
    for index, (name, kind) in enumerate(shown):
        left = middle - 0.4 + (index + 0.5) * width
        errors = tables[name, kind].reindex(observables)
        axes.bar(left, errors.relative_rmse, width, color=styles[name]["color"], label=styles[name]["label"])
        if errors.published_relative.notna().any():
            axes.plot(left, errors.published_relative, "_", color=SIMULATION, markersize=12, label="published")
        if (name, "oracle") in tables:
            best = tables[name, "oracle"].reindex(observables).relative_rmse
            axes.plot(left, best, "_", color=NOISE, markersize=12, label="static matching")
    noise = tables["noise", "floor"].reindex(observables).relative_rmse
    axes.hlines(noise, middle - 0.42, middle + 0.42, color=NOISE, linestyle="--", linewidth=0.8, label="noise")
    axes.set(xticks=middle, xticklabels=observables, ylabel="RMSE / range", yscale="log", ylim=RANGE)
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        styles = line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"])
        save(plot_relative_errors(read_table(snakemake.input.summary), styles), snakemake.output)
