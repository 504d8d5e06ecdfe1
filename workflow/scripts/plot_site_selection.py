"""Draw what the choice of molecules does to an ensemble: this study beside one that differs in nothing else."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read, read_lattices
from dbd.job import job
from dbd.plotting import PAGE, PALETTE, few_ticks, legend_below, save


def plane_counts(runs, shape):
    """Molecules in the planes across the first axis of the initial lattices of runs (run, time, site); int, 1-D."""
    initial = runs[:, 0].reshape(-1, *shape)
    return (initial > 0).sum(axis=tuple(range(2, initial.ndim))).ravel()


def plot_site_selection(moments, lattices, shape, last):
    """Return the figure, from moments and runs (run, time, site) by the name of the choice.

    The first panels show the mean and one standard deviation between runs of the observables, the last one how many
    molecules the planes of the initial lattices hold.
    """
    observables = next(iter(moments.values())).observable.values
    columns = 3
    rows = -(-(len(observables) + 1) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(PAGE, 1.5 * rows), squeeze=False)
    *panels, planes = grid.flat[: len(observables) + 1]
    for color, (choice, one) in zip(PALETTE, moments.items(), strict=False):
        for axes, observable in zip(panels, observables, strict=True):
            shown = one.sel(observable=observable).isel(initial_condition=0, time=slice(last + 1))
            mean, std = shown["mean"], shown["std"]
            axes.fill_between(shown.time, mean - std, mean + std, color=color, alpha=0.2, linewidth=0)
            axes.plot(shown.time, mean, color=color, label=choice)
            axes.set(title=observable, ylim=(0, None))
            few_ticks(axes)
        counts = plane_counts(lattices[choice], shape)
        bins = np.arange(counts.min(), counts.max() + 2) - 0.5
        planes.hist(counts, bins, density=True, color=color, alpha=0.5)
    planes.set(title="molecules in a plane at time 0", yticks=[])
    for axes in grid.flat[len(observables) + 1 :]:
        axes.set_visible(False)
    for axes in panels[-columns:]:
        axes.set_xlabel("time")
    for axes in grid[:, 0]:
        axes.set_ylabel("count")
    planes.set_ylabel("frequency")
    legend_below(figure, panels[0])
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        moments = dict(zip(settings["choices"], map(read, snakemake.input.moments), strict=True))
        lattices = (read_lattices([path])[0] for path in snakemake.input.lattices)
        last = settings["evaluation"]["last_step"]
        figure = plot_site_selection(
            moments, dict(zip(settings["choices"], lattices, strict=True)), settings["lattice"]["shape"], last
        )
        save(figure, snakemake.output)
