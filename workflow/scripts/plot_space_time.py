"""Draw nu, minus the logarithm of the density, in space and time: simulated, learned and their difference."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.density_errors import coarse
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import DIVERGING, PAGE, SEQUENTIAL, save


def plot_space_time(densities, predictions, titles, cells):
    """Return the figure: simulation and first model on the first start, and the model less the simulation."""
    name, predicted = next(iter(predictions.items()))
    seen, predicted = densities.isel(species=0, initial_condition=0), predicted.isel(initial_condition=0)
    cells = cells or seen.sizes["cell"]
    with np.errstate(divide="ignore"):
        simulated, learned = (-np.log(coarse(one.density.values, cells)) for one in (seen, predicted))
    known = np.isfinite(simulated)
    both = np.append(simulated[known], learned)
    far = np.abs(learned - simulated)[1:][known[1:]].max()
    shared, signed = (SEQUENTIAL, both.min(), both.max()), (DIVERGING, -far, far)
    pictures = (
        ("simulation", simulated, shared, r"$\nu$"),
        (titles[name], learned, shared, r"$\nu$"),
        ("difference", learned - simulated, signed, r"$\Delta\nu$"),
    )
    edge = np.linspace(0, 2 * seen.x.values.mean(), cells + 1)
    times = seen.time.values
    at = np.append(times, 2 * times[-1] - times[-2]) - 0.5 * times[1]
    figure, row = plt.subplots(1, 3, figsize=(PAGE, 0.33 * PAGE), sharey=True)
    for axes, (title, values, (colors, low, high), label) in zip(row, pictures, strict=True):
        shown = np.where(known, values, np.nan)
        image = axes.pcolormesh(edge, at, shown, rasterized=True, cmap=colors, vmin=low, vmax=high)
        figure.colorbar(image, ax=axes, label=label)
        axes.set(title=title, xlabel="$x$", ylim=(0, times[-1]))
        axes.locator_params(nbins=4)
    row[0].set_ylabel("time")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, densities = snakemake.params.settings, read(snakemake.input.densities)
        predictions, cells = read_models(snakemake.input.predictions), settings["evaluation"]["cells"]
        save(plot_space_time(densities, predictions, settings["titles"], cells), snakemake.output)
