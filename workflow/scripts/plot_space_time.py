"""Draw nu, minus the logarithm of the density, in space and time: simulated, learned and their difference."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.density_errors import coarse
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import DIVERGING, PAGE, SEQUENTIAL, few_ticks, save


def plot_space_time(densities, predictions, titles, cells):
    """Return the figure: simulation and first model on the first start, and the model less the simulation."""
    name, predicted = next(iter(predictions.items()))
    seen = densities.isel(species=0, initial_condition=0)
    cells = cells or seen.sizes["cell"]
    density, model = (coarse(one.density.values, cells) for one in (seen, predicted.isel(initial_condition=0)))
    with np.errstate(divide="ignore"):
        simulated, learned = -np.log(density), -np.log(model)
    known = np.isfinite(simulated)
    both = np.append(simulated[known], learned)
    low, high = both.min(), both.max()
    far = np.abs(learned - simulated)[1:][known[1:]].max()
    shared, signed = dict(cmap=SEQUENTIAL, vmin=low, vmax=high), dict(cmap=DIVERGING, vmin=-far, vmax=far)
    pictures = (
        ("simulation", simulated, shared, r"$\nu$"),
        (titles[name], learned, shared, r"$\nu$"),
        ("difference", learned - simulated, signed, r"$\Delta\nu$"),
    )
    edge = np.linspace(0, 2 * seen.x.values.mean(), cells + 1)
    times = seen.time.values
    at = np.append(times, 2 * times[-1] - times[-2]) - 0.5 * times[1]
    figure, row = plt.subplots(1, 3, figsize=(PAGE, 0.33 * PAGE), sharey=True)
    for axes, (title, values, how, label) in zip(row, pictures, strict=True):
        image = axes.pcolormesh(edge, at, np.where(known, values, np.nan), rasterized=True, **how)
        figure.colorbar(image, ax=axes, label=label)
        axes.set(title=title, xlabel="$x$", ylim=(0, times[-1]))
        few_ticks(axes)
    row[0].set_ylabel("time")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_space_time(
            read(snakemake.input.densities),
            read_models(snakemake.input.predictions),
            settings["titles"],
            settings["evaluation"]["cells"],
        )
        save(figure, snakemake.output)
