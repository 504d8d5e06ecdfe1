"""Draw densities on the evaluated starts at several times: simulated, and predicted by every model."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.density_errors import coarse
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import PAGE, SIMULATION, few_ticks, legend_below, model_colors, save

COLUMNS = 4
ROWS = 3  # most starts
STYLES = ("-", "--", ":", "-.")  # of the models: some coincide


def shown_steps(steps):
    """Observations to show, ever farther apart: the start is given, so it is not among them."""
    return np.unique(np.geomspace(1, steps, COLUMNS).round().astype(int))


def plot_densities(densities, predictions, titles, chosen, cells):
    """Return the figure: a row per start, a column per time."""
    colors = model_colors(list(titles), chosen)
    simulated = densities.isel(species=0)
    steps = shown_steps(simulated.sizes["time"] - 1)
    starts = range(min(ROWS, simulated.sizes["initial_condition"]))
    figure, grid = plt.subplots(
        len(starts), len(steps), figsize=(PAGE, 1.5 * len(starts) + 0.4), sharex=True, sharey="row", squeeze=False
    )
    for row, start in zip(grid, starts, strict=True):
        for axes, step in zip(row, steps, strict=True):
            here = dict(initial_condition=start, time=step)
            seen = simulated.isel(here)
            x, density = (coarse(seen[name].values, cells or len(seen.x)) for name in ("x", "density"))
            axes.plot(x, density, ".", color=SIMULATION, markersize=3, label="simulation")
            for style, (name, predicted) in zip(cycle(STYLES), predictions.items(), strict=False):
                line = predicted.isel(here)
                axes.plot(line.x, line.density, style, color=colors[name], linewidth=1, label=titles[name])
            axes.set_ylim(0, None)
            few_ticks(axes, x=3, y=3)
            if start == starts[0]:
                axes.set_title(f"time {float(seen.time):.3g}")
        row[0].set_ylabel(rf"density $\rho$, start {start}")
    for axes in grid[-1]:
        axes.set_xlabel("$x$")
    legend_below(figure, grid[0, 0], columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_densities(
            read(snakemake.input.densities),
            read_models(snakemake.input.predictions),
            settings["titles"],
            settings["figures"]["colors"],
            settings["evaluation"]["cells"],
        )
        save(figure, snakemake.output)
