"""Draw one simulated lattice in three dimensions, and what the hidden units of a learned model make of it."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch

from dbd.boltzmann.gibbs import Sampler
from dbd.build.model import build_model
from dbd.files.netcdf import read_lattices, read_models
from dbd.job import job
from dbd.plotting import PAGE, PALETTE, save

STEP = 20  # the time step of the published picture, or the last one predicted


def draw_voxels(axes, colors, title):
    """Draw a box of cells with colours (x, y, z, 4), the transparent ones left out."""
    axes.voxels(colors[..., 3] > 0.02, facecolors=colors, edgecolors=colors * [0.7, 0.7, 0.7, 0.5], linewidth=0.2)
    axes.set(title=title, xticks=[], yticks=[], zticks=[])
    axes.set_box_aspect(colors.shape[:3])


def plot_voxels(settings, lattices, predictions):
    """Return the figure: a lattice of a run (time, site), and the activation of each hidden species as its opacity.

    Several units at a site, such as those on bonds, are shown as their mean.
    """
    name = next(name for name, model in settings["models"].items() if model["layers"])
    model = build_model(settings, settings["models"][name])
    sampler = Sampler(model)
    shape, dt = model.lattice.shape, settings["ensemble"]["dt"]
    step = min(STEP, predictions[name].sizes["time"] - 1)
    lattice = lattices[step]
    theta = predictions[name].theta.values[0, step]
    active = sampler.probabilities(theta, sampler.start(lattice[None]), 1)[0]
    palette = np.array([(0, 0, 0, 0), *map(to_rgba, PALETTE)])
    figure = plt.figure(figsize=(PAGE, 0.34 * PAGE))
    hidden = model.layers[0].species
    units = np.maximum(np.bincount(model.positions[1], minlength=model.lattice.size), 1)
    panels = [figure.add_subplot(1, 1 + len(hidden), 1 + k, projection="3d") for k in range(1 + len(hidden))]
    draw_voxels(panels[0], palette[lattice].reshape(*shape, 4), f"simulated, time {step * dt:.2g}")
    for k, letter in enumerate(hidden):
        colors = np.tile(palette[1 + k], (model.lattice.size, 1))
        colors[:, 3] = np.bincount(model.positions[1], weights=active[:, k], minlength=model.lattice.size) / units
        draw_voxels(panels[1 + k], colors.reshape(*shape, 4), f"{letter}, {active[:, k].mean():.2f} on average")
    legend = [Patch(color=palette[1 + k], label=letter) for k, letter in enumerate(model.species)]
    figure.legend(handles=legend, loc="outside lower center", ncols=len(legend))
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        run, *_ = read_lattices([snakemake.input.lattices])[0]
        save(plot_voxels(snakemake.params.settings, run, read_models(snakemake.input.predictions)), snakemake.output)
