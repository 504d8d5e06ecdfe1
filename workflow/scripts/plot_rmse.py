"""Draw the error of every model at each step, the best its family can do, and the noise of the simulated means."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import MaxNLocator

from dbd.jobs import job
from dbd.plotting import NOISE, PAGE, model_colors, save

ORACLE = "_oracle"


def plot_rmse(evaluation, models, chosen, observables):
    """Return the figure: a panel per observable, on a logarithmic scale."""
    colors = model_colors(list(models), chosen)
    figure, grid = plt.subplots(1, len(observables), figsize=(PAGE, 0.42 * PAGE), sharey=True, squeeze=False)
    for axes, observable in zip(grid[0], observables, strict=True):
        for name, table in evaluation[evaluation.observable == observable].groupby("model", sort=False):
            model = name.removesuffix(ORACLE)
            oracle = name != model
            label = models[model]["title"] + (", static matching" if oracle else "")
            axes.plot(table.time, table.rmse, color=colors[model], linestyle=":" if oracle else "-", label=label)
        axes.plot(table.time, table.noise, color=NOISE, linestyle="--", label="noise of the simulated means")
        axes.set(title=observable, xlabel="time", yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(4))
    # Exact matching has no error to speak of in the statistics it matches: leave it out below the noise.
    grid[0, 0].set_ylim(bottom=evaluation.noise[evaluation.noise > 0].min() / 3)
    grid[0, 0].set_ylabel("RMSE over initial conditions (counts)")
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_rmse(
            pd.read_csv(snakemake.input.evaluation),
            settings["models"],
            settings["figures"]["colors"],
            settings["observables"],
        )
        save(figure, snakemake.output)
