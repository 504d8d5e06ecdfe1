"""Draw what was simulated for training: the mean number of particles and the correlation of neighbours over time."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import PAGE, colored_by, save


def neighbour_correlation(particles, pairs, sites):
    """Mean over bonds of +1 for equal and -1 for unequal neighbours, from counts on an open chain.

    Bonds of unequal sites number 2 N_A - 2 N_AA less the occupied end sites, which are taken at the mean density: an
    error of at most 4 / sites.
    """
    unequal = 2 * particles * (1 - 1 / sites) - 2 * pairs
    return 1 - 2 * unequal / (sites - 1)


def plot_counts(moments, sites):
    """Return the figure: one line per training initial condition, coloured by its neighbour pairs at the start."""
    species, pairs = moments.observable.values[:2]
    mean = moments["mean"].sel(observable=[species, pairs]).values
    correlation = neighbour_correlation(mean[..., 0], mean[..., 1], sites)
    colors, mappable = colored_by(mean[:, 0, 1])
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 0.36 * PAGE))
    for index in np.argsort(mean[:, 0, 1]):
        left.plot(moments.time, mean[index, :, 0], color=colors[index], linewidth=0.7)
        right.plot(moments.time, correlation[index], color=colors[index], linewidth=0.7)
    left.set(xlabel="time", ylabel=rf"mean number of particles $\langle N_{{{species}}}\rangle$", ylim=(0, None))
    right.set(xlabel="time", ylabel="correlation of neighbours")
    figure.colorbar(mappable, ax=[left, right], label=rf"$\langle N_{{{pairs}}}\rangle$ at the start")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        (sites,) = snakemake.params.settings["lattice"]["shape"]
        save(plot_counts(read(snakemake.input.moments), sites), snakemake.output)
