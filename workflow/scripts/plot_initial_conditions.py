"""Draw the initial conditions in the space of their interaction parameters, coloured by neighbour pairs."""

import matplotlib.pyplot as plt

from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import COLUMN, SEQUENTIAL, label_axes, parameter_symbol, save


def plot_initial_conditions(moments):
    """Return the figure: a point per training initial condition."""
    numbers, names = moments.initial_numbers.values, moments.initial_quantity.values
    pairs = next(name for name in moments.observable.values if len(name) == 2)
    figure = plt.figure(figsize=(COLUMN, 0.9 * COLUMN))
    axes = figure.add_subplot(projection="3d")
    color = moments["mean"].sel(observable=pairs).values[:, 0]
    points = axes.scatter(*numbers.T, c=color, cmap=SEQUENTIAL, s=14, depthshade=False)
    label_axes(axes, [parameter_symbol(name) for name in names])
    figure.colorbar(points, ax=axes, shrink=0.7, pad=0.15, label=rf"$\langle N_{{{pairs}}}\rangle$ at the start")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        save(plot_initial_conditions(read(snakemake.input.moments)), snakemake.output)
