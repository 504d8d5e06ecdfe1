"""Draw the pair density with its depletion hole next to that of the matched process, and what was not matched."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.evaluation.density_errors import coarse
from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import NOISE, PAGE, PALETTE, SIMULATION, label_axes, legend_below, save

GROUP = 3  # bins of distance drawn as one


def plot_pair_density(densities, matching, chosen, length):
    """Return the figure: pair correlation, pair interaction and law of the neighbours' distances, a row per time."""
    size = (PAGE, 1.7 * matching.sizes["match"] + 0.3)
    figure, grid = plt.subplots(matching.sizes["match"], 3, figsize=size, sharex="col", squeeze=False)
    color, groups = PALETTE[0], matching.sizes["distance"] // GROUP
    for index, row in enumerate(grid):
        model = matching.isel(match=index)
        data = densities.isel(initial_condition=chosen, time=int(model.step), species=0, other_species=0)
        density = float(data.number) / length
        r, simulated, matched = (
            coarse(values[: groups * GROUP], groups)
            for values in (data.distance.values, data.pair_density.values, model.pair_density.values)
        )
        row[0].plot(r, simulated / density**2, ".", color=SIMULATION, markersize=3, label="simulation")
        row[0].plot(r, matched / density**2, color=color, label="matched process")
        row[0].axvline(1 / density, color=NOISE, linestyle=":", linewidth=0.8, label="mean distance")
        row[0].set_ylim(0, None)
        row[1].plot(model.distance, model.nu_2, color=color)
        row[1].axhline(0, color=NOISE, linewidth=0.5)
        row[2].plot(data.gap_distance, data.gap, ".", color=SIMULATION, markersize=3)
        row[2].plot(model.gap_distance, model.gap, color=color)
        poisson = density * np.exp(-density * data.gap_distance)
        style = dict(color=PALETTE[1], linestyle="--", linewidth=0.9, label="independent particles")
        row[2].plot(data.gap_distance, poisson, **style)
        row[2].set_xlim(0, 0.6)
        correlation = f"time {float(data.time):.3g}\npair correlation $p/\\rho^2$"
        for axes, label in zip(row, (correlation, r"interaction $\nu_2$", "probability density"), strict=True):
            label_axes(axes, ["", label])
    for axes, title in zip(grid[0], ("pairs", "interaction of pairs", "neighbours (not matched)"), strict=True):
        axes.set_title(title)
    for axes, label in zip(grid[-1], ("distance $r$", "distance $r$", "distance of neighbours"), strict=True):
        axes.set_xlabel(label)
    legend_below(figure, columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        densities, matching = read(snakemake.input.densities), read(snakemake.input.matching)
        (length,), chosen = settings["space"]["lengths"], settings["matching"]["initial_condition"]
        save(plot_pair_density(densities, matching, chosen, length), snakemake.output)
