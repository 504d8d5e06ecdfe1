"""Draw the relative error of every model and observable as bars, with the published and the matched ones."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.errors import ORACLE
from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, SIMULATION, legend_below, line_styles, save

RANGE = (0.005, 2.0)  # what is given the true means has no error in them but rounding


def plot_relative_errors(summary, styles):
    """Return the figure: a group of bars for each observable and their mean."""
    shown = [name for name in summary.model.unique() if name in styles]
    observables = summary.observable.unique()
    table = summary.set_index(["model", "observable"])
    place, width = np.arange(len(observables)), 0.8 / len(shown)
    figure, axes = plt.subplots(figsize=(PAGE, 0.4 * PAGE))
    for index, name in enumerate(shown):
        left = place - 0.4 + (index + 0.5) * width
        errors = table.loc[name].reindex(observables)
        axes.bar(left, errors.relative_rmse, width, color=styles[name]["color"], label=styles[name]["label"])
        if errors.published_relative.notna().any():
            axes.plot(left, errors.published_relative, "_", color=SIMULATION, markersize=12, label="published")
        if (oracle := name + ORACLE) in summary.model.values:
            best = table.loc[oracle].reindex(observables).relative_rmse
            axes.plot(left, best, "_", color=NOISE, markersize=12, label="static matching")
    axes.set(xticks=place, xticklabels=observables, ylabel="RMSE / range", yscale="log", ylim=RANGE)
    legend_below(figure, axes)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_relative_errors(
            read_table(snakemake.input.summary),
            line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"]),
        )
        save(figure, snakemake.output)
