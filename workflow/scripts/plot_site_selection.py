"""Draw what the choice of molecules does to an ensemble: this study and one that differs in nothing else."""

import numpy as np

from dbd.files.netcdf import read, read_lattices
from dbd.job import job
from dbd.plotting import PALETTE, band, legend_below, save, small_multiples

COLUMNS = 3


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
    figure, [[*panels, planes]] = small_multiples(len(observables) + 1, xlabel="time", columns=COLUMNS)
    for color, (choice, one) in zip(PALETTE, moments.items(), strict=False):
        for axes, observable in zip(panels, observables, strict=True):
            shown = one.sel(observable=observable).isel(initial_condition=0, time=slice(last + 1))
            band(axes, shown.time, shown["mean"], shown["std"], color, alpha=0.2)
            axes.plot(shown.time, shown["mean"], color=color, label=choice)
            axes.set(title=observable, ylim=(0, None))
            axes.locator_params(nbins=4)
        counts = plane_counts(lattices[choice], shape)
        planes.hist(counts, np.arange(counts.min(), counts.max() + 2) - 0.5, density=True, color=color, alpha=0.5)
    for axes in panels[::COLUMNS]:
        axes.set_ylabel("count")
    planes.set(title="molecules in a plane at time 0", xlabel="molecules", ylabel="frequency", yticks=[])
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        moments = dict(zip(settings["choices"], map(read, snakemake.input.moments), strict=True))
        runs = (read_lattices([path])[0] for path in snakemake.input.lattices)
        lattices = dict(zip(settings["choices"], runs, strict=True))
        last = settings["evaluation"]["last_step"]
        save(plot_site_selection(moments, lattices, settings["lattice"]["shape"], last), snakemake.output)
