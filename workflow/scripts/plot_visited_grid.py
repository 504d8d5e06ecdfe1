"""Draw the cells of the grid that the learned trajectories visit, and that of independent sites."""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d.art3d import Line3DCollection

from dbd.boltzmann.independent_sites import independent_biases
from dbd.build.model import build_grid
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import NOISE, PAGE, SIMULATION, label_axes, legend_below, model_colors, parameter_symbol, save

CUBE = np.array(list(product((0, 1), repeat=3)))
EDGES = [(i, j) for i in range(8) for j in range(i) if np.abs(CUBE[i] - CUBE[j]).sum() == 1]


def visited_edges(domain, points):
    """Edges of the cells of the grid over a three-dimensional domain that hold some of the points (n, 3): (m, 2, 3)."""
    grid = build_grid(domain)
    lower, spacing = np.array(grid.lower), np.array(grid.spacing)
    cells = np.unique(np.floor((points - lower) / spacing), axis=0)
    corners = lower + spacing * (cells[:, None] + CUBE)
    return np.unique(corners[:, EDGES].reshape(-1, 2, 3).round(9), axis=0)


def plot_visited_grid(moments, predictions, species, sites, models, chosen):
    """Return the figure: a panel per model whose right-hand sides depend on the biases of three species."""
    colors = model_colors(list(models), chosen)
    shown = [name for name in predictions if models[name]["domain"]["parameters"] == list(species)]
    steps = predictions[shown[0]].sizes["time"]
    counts = moments["mean"].sel(observable=list(species)).values[:, :steps]
    independent = independent_biases(counts, sites)
    columns = min(len(shown), 2)
    rows = -(-len(shown) // columns)
    figure = plt.figure(figsize=(PAGE, 0.5 * PAGE * rows))
    for panel, name in enumerate(shown, start=1):
        axes = figure.add_subplot(rows, columns, panel, projection="3d")
        theta = predictions[name].theta.sel(parameter=list(species)).values
        edges = visited_edges(models[name]["domain"], theta.reshape(-1, 3))
        axes.add_collection3d(Line3DCollection(edges, colors=NOISE, linewidths=0.3, alpha=0.6))
        for line in theta:
            axes.plot(*line.T, color=colors[name], label=models[name]["title"])
        for line in independent:
            axes.plot(*line.T, color=SIMULATION, linestyle="--", linewidth=0.9, label="independent sites")
        axes.scatter(*independent[:, 0].T, color=SIMULATION, s=10, label="start", depthshade=False)
        axes.set(title=models[name]["title"])
        axes.set_box_aspect(None, zoom=0.88)  # room for the labels
        label_axes(axes, [parameter_symbol(parameter) for parameter in species])
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        moments, predictions = read(snakemake.input.moments), read_models(snakemake.input.predictions)
        system = settings["species"], int(np.prod(settings["lattice"]["shape"]))
        models = settings["models"], settings["figures"]["colors"]
        save(plot_visited_grid(moments, predictions, *system, *models), snakemake.output)
