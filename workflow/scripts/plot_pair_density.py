"""Draw the pair density with its depletion hole beside that of the matched process, and what was not matched."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import NOISE, PAGE, PALETTE, SIMULATION, few_ticks, legend_below, save

GROUP = 3  # bins of distance drawn as one


def plot_pair_density(densities, matching, chosen, length):
    """Return the figure: pair correlation, pair interaction and law of the neighbours' distances, a row per time."""
    steps = matching.step.values
    figure, grid = plt.subplots(
        len(steps), 3, figsize=(PAGE, 1.7 * len(steps) + 0.3), sharex="col", squeeze=False, layout="constrained"
    )
    color = PALETTE[0]
    for row, step in zip(grid, steps, strict=True):
        data = densities.isel(initial_condition=chosen, time=int(step), species=0, other=0)
        model = matching.isel(match=int(np.flatnonzero(steps == step)[0]))
        density = float(data.number) / length
        bins = model.sizes["distance"]
        near = slice(0, bins // GROUP * GROUP)
        r, seen, found = (
            values[near].reshape(-1, GROUP).mean(axis=1)
            for values in (data.distance.values, data.pair_density.values, model.pair_density.values)
        )
        row[0].plot(r, seen / density**2, ".", color=SIMULATION, markersize=3, label="simulation")
        row[0].plot(r, found / density**2, color=color, label="matched process")
        row[0].axvline(1 / density, color=NOISE, linestyle=":", linewidth=0.8, label="mean distance")
        row[0].set(ylabel=f"time {float(data.time):.3g}\npair correlation $p/\\rho^2$", ylim=(0, None))
        row[1].plot(model.distance, model.nu_2, color=color)
        row[1].axhline(0, color=NOISE, linewidth=0.5)
        row[1].set_ylabel(r"interaction $\nu_2$")
        row[2].plot(data.gap_distance, data.gap, ".", color=SIMULATION, markersize=3)
        row[2].plot(model.gap_distance, model.gap, color=color)
        row[2].plot(
            data.gap_distance,
            density * np.exp(-density * data.gap_distance),
            color=PALETTE[1],
            linestyle="--",
            linewidth=0.9,
            label="independent particles",
        )
        row[2].set(ylabel="probability density", xlim=(0, 0.6))
        for axes in row:
            few_ticks(axes)
    for axes, title in zip(grid[0], ("pairs", "interaction of pairs", "neighbours (not matched)"), strict=True):
        axes.set_title(title)
    for axes, label in zip(grid[-1], ("distance $r$", "distance $r$", "distance of neighbours"), strict=True):
        axes.set_xlabel(label)
    legend_below(figure, grid[0, 0], grid[0, 2], columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        (length,) = settings["space"]["lengths"]
        figure = plot_pair_density(
            read(snakemake.input.densities),
            read(snakemake.input.matching),
            settings["matching"]["initial_condition"],
            length,
        )
        save(figure, snakemake.output)
