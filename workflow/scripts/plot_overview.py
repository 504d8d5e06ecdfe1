"""Draw the whole idea in one row: simulated lattices, the learned path of the distribution, and the counts it predicts.

For models on a two-dimensional lattice that are learned in mixed coordinates: the plane is that of the first two
parameters of the domain, arrows show the learned change in a time step with all other parameters as on the path nearby.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap

from dbd.build.model import build_dynamics, build_family
from dbd.files.netcdf import read, read_lattices
from dbd.job import job
from dbd.plotting import NOISE, PAGE, PALETTE, SIMULATION, parameter_symbol, save

ARROWS = 9  # along either axis


def arrows(dynamics, theta, axes):
    """Return points in the plane of two parameters (n, 2), states there (n, P), and whether the path is near."""
    low, high = theta[:, axes].min(axis=0), theta[:, axes].max(axis=0)
    lines = [np.linspace(a, b, ARROWS) for a, b in zip(low, high, strict=True)]
    points = np.stack(np.meshgrid(*lines), axis=-1).reshape(-1, 2)
    distance = (((points[:, None] - theta[:, axes]) / (high - low)) ** 2).sum(axis=-1)
    starts = theta[distance.argmin(axis=1)].copy()
    starts[:, axes] = points
    return points, starts, distance.min(axis=1) < 0.1


def plot_overview(settings, name, learned, predicted, moments, lattices):
    """Return the figure of a model (name) for the first initial condition of a split."""
    section, species = settings["models"][name], settings["species"]
    family = build_family(settings, section)
    dynamics = build_dynamics(settings, section, family, learned)
    theta, (first, second) = predicted.theta.values[0], dynamics.domain[:2]
    time = moments.time.values[: len(theta)]
    shown = np.linspace(0, len(theta) - 1, 4).round().astype(int)[1:]
    figure = plt.figure(figsize=(PAGE, 0.33 * PAGE))
    left, middle, right = figure.subfigures(1, 3, width_ratios=[0.8, 1.1, 1.1])
    colors = ListedColormap(["#ffffff", *PALETTE[: len(species)]])
    for axes, step in zip(left.subplots(len(shown), 1), shown, strict=True):
        lattice = lattices[step].reshape(settings["lattice"]["shape"])
        axes.imshow(lattice, cmap=colors, vmin=0, vmax=len(species), interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        axes.set_ylabel(f"$t$ = {time[step]:g}", rotation=0, ha="right", va="center")
    left.suptitle("simulated lattices", fontsize=8)
    axes = middle.subplots()
    points, starts, near = arrows(dynamics, theta, [first, second])
    change = (dynamics.integrate(learned.u.values, starts[near], 1)[:, 1] - starts[near])[:, [first, second]]
    axes.quiver(*points[near].T, *change.T, color=NOISE, angles="xy", width=0.004)
    axes.plot(*theta[:, [first, second]].T, color=PALETTE[0])
    axes.plot(*theta[shown][:, [first, second]].T, "o", color=PALETTE[0], markersize=3)
    names = [parameter_symbol(dynamics.names[k], section) for k in (first, second)]
    axes.set(xlabel=names[0], ylabel=names[1])
    middle.suptitle("path of the distribution", fontsize=8)
    axes = right.subplots()
    for letter, color in zip(species, PALETTE, strict=False):
        axes.plot(time, moments["mean"].sel(observable=letter)[0, : len(time)], "--", color=SIMULATION, linewidth=0.8)
        axes.plot(time, predicted["mean"].sel(observable=letter)[0], color=color, label=letter)
    axes.plot([], [], "--", color=SIMULATION, linewidth=0.8, label="simulation")
    axes.set(xlabel="time", ylabel="molecules", ylim=(0, 1.3 * axes.get_ylim()[1]))
    axes.legend(ncols=len(species) + 1, loc="upper center")
    right.suptitle("predicted counts", fontsize=8)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        given, settings = snakemake.input, snakemake.params.settings
        run, *_ = read_lattices([given.lattices])[0]
        data = map(read, (given.dynamics, given.predictions, given.moments))
        save(plot_overview(settings, next(iter(settings["models"])), *data, run), snakemake.output)
