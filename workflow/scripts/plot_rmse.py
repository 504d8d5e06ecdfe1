"""Draw the error of every model and baseline at each step, the best a family can do, and the noise of the data."""

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator

from dbd.evaluation.errors import ORACLE
from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, columns_of, legend_below, line_styles, save


def plot_rmse(evaluation, styles, observables):
    """Return the figure: a panel per observable, on a logarithmic scale."""
    columns = columns_of(len(observables))
    rows = -(-len(observables) // columns)
    size = (PAGE, PAGE * (0.2 + 0.22 * rows))
    figure, grid = plt.subplots(rows, columns, figsize=size, sharex=True, sharey=True, squeeze=False)
    for axes, observable in zip(grid.flat, observables, strict=False):
        for name, table in evaluation[evaluation.observable == observable].groupby("model", sort=False):
            model = name.removesuffix(ORACLE)
            style = styles[model]
            if name != model:
                style = style | {"linestyle": ":", "label": f"{style['label']}, static matching"}
            axes.plot(table.time, table.rmse, **style)
        axes.plot(table.time, table.noise, color=NOISE, linestyle="--", label="noise of the simulated means")
        axes.set(title=observable, yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(4))
    for axes in grid.flat[len(observables) :]:
        axes.set_visible(False)
    for axes in grid.flat[len(observables) - columns : len(observables)]:
        axes.set_xlabel("time")
        axes.tick_params(labelbottom=True)
    # Exact matching has no error to speak of in the statistics it matches: leave it out below the noise.
    grid[0, 0].set_ylim(evaluation.noise[evaluation.noise > 0].min() / 3, 2 * evaluation.rmse.max())
    figure.supylabel("RMSE over initial conditions (counts)")
    legend_below(figure, grid[0, 0])
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_rmse(
            read_table(snakemake.input.evaluation),
            line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"]),
            settings["observables"],
        )
        save(figure, snakemake.output)
