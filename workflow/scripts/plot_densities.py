"""Draw densities on the evaluated starts at several times: simulated, and predicted by every model."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.density_errors import coarse
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import PAGE, SIMULATION, legend_below, model_colors, save

COLUMNS = 4
ROWS = 3  # most starts
STYLES = ("-", "--", ":", "-.")  # of the models: some coincide


def plot_densities(densities, predictions, titles, chosen, cells):
    """Return the figure: a row per start, a column per time, these ever farther apart and without the start itself."""
    colors = model_colors(list(titles), chosen)
    simulated = densities.isel(species=0)
    steps = np.unique(np.geomspace(1, simulated.sizes["time"] - 1, COLUMNS).round().astype(int))
    rows = min(ROWS, simulated.sizes["initial_condition"])
    size = (PAGE, 1.5 * rows + 0.4)
    figure, grid = plt.subplots(rows, len(steps), figsize=size, sharex=True, sharey="row", squeeze=False)
    for start, row in enumerate(grid):
        for axes, step in zip(row, steps, strict=True):
            seen = simulated.isel(initial_condition=start, time=step)
            x, density = (coarse(seen[name].values, cells or len(seen.x)) for name in ("x", "density"))
            axes.plot(x, density, ".", color=SIMULATION, markersize=3, label="simulation")
            for style, (name, predicted) in zip(cycle(STYLES), predictions.items(), strict=False):
                line = predicted.isel(initial_condition=start, time=step)
                axes.plot(line.x, line.density, style, color=colors[name], linewidth=1, label=titles[name])
            axes.set_ylim(0, None)
            axes.locator_params(nbins=3)
            if start == 0:
                axes.set_title(f"time {float(seen.time):.3g}")
        row[0].set_ylabel(rf"density $\rho$, start {start}")
    for axes in grid[-1]:
        axes.set_xlabel("$x$")
    legend_below(figure, columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, densities = snakemake.params.settings, read(snakemake.input.densities)
        models = read_models(snakemake.input.predictions), settings["titles"], settings["figures"]["colors"]
        save(plot_densities(densities, *models, settings["evaluation"]["cells"]), snakemake.output)
