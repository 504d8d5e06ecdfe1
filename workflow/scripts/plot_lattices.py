"""Draw one simulated run of a chain, and what the hidden units of a learned model make of its lattices."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.boltzmann.gibbs import Sampler
from dbd.build.model import build_model
from dbd.files.netcdf import read_lattices, read_models
from dbd.job import job
from dbd.plotting import PAGE, SEQUENTIAL, save

SITES = 200
STEPS = 4


def plot_lattices(settings, lattices, predictions):
    """Return the figure: occupancy of the first sites over time, and lattices with hidden activations below them.

    `lattices` are those of one run, (time, site).
    """
    hidden = [name for name, model in settings["models"].items() if model["layers"]]
    steps = np.linspace(0, len(lattices) - 1, STEPS).astype(int)
    figure, (top, *rows) = plt.subplots(
        1 + len(steps) * bool(hidden),
        1,
        figsize=(PAGE, 0.5 * PAGE),
        sharex=True,
        squeeze=False,
        height_ratios=[6] + [1] * len(steps) * bool(hidden),
    )
    top = top[0]
    dt = settings["ensemble"]["dt"]
    extent = (-0.5, min(SITES, lattices.shape[1]) - 0.5, len(lattices) * dt, 0)
    top.imshow(lattices[:, :SITES] > 0, cmap="Greys", aspect="auto", interpolation="nearest", extent=extent)
    top.set(ylabel="time")
    if not hidden:
        top.set(xlabel="site")
        return figure
    section = settings["models"][hidden[0]]
    sampler = Sampler(build_model(settings, section))
    theta = predictions[hidden[0]].theta.values[0]
    for (axes,), step in zip(rows, steps, strict=True):
        active = sampler.probabilities(theta[step], sampler.start(lattices[step : step + 1]), 1)[0, :SITES, 0]
        occupied = lattices[step, : len(active)] > 0  # the last sites of a short chain have no hidden unit of their own
        image = axes.imshow(np.stack([occupied, active]), cmap=SEQUENTIAL, vmin=0, vmax=1, aspect="auto")
        axes.set(yticks=[0, 1], yticklabels=["site", "hidden unit"])
        axes.set_ylabel(f"time {step * dt:.2g}", rotation=0, ha="right", va="center", labelpad=12)
    rows[-1][0].set_xlabel("site")
    figure.colorbar(image, ax=[axes for (axes,) in rows], label="occupied, active")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        run, *_ = read_lattices([snakemake.input.lattices])[0]
        save(plot_lattices(snakemake.params.settings, run, read_models(snakemake.input.predictions)), snakemake.output)
