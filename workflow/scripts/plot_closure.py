"""Draw the learned closure of the pair equation, and the densities that each closure predicts on held-out starts."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.build.pairs import build_closure, build_pair_equation
from dbd.files.netcdf import read_models
from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, SIMULATION, SPREAD, few_ticks, legend_below, model_colors, save

POINTS = 200
COLUMNS = 3
BAND = 2.0  # standard errors


def plot_closure(settings, evaluation, starts, dynamics, training, titles):
    """Return the figure: the exponent where it was seen and the densities, below the errors on each evaluated start.

    ``starts`` are what the starts are called.
    """
    colors = model_colors(list(titles), settings["figures"]["colors"])
    rows = -(-len(starts) // COLUMNS)
    figure = plt.figure(figsize=(PAGE, 1.4 * rows + 2.4))
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.9, 1.4 * rows + 0.5))
    left, right = upper.subplots(1, 2)
    draw_exponents(left, settings, dynamics, training, colors, titles)
    for index, table in evaluation[evaluation.model == next(iter(titles))].groupby("initial_condition"):
        right.plot(
            table.time, table.simulated, ".", color=SIMULATION, markersize=2, label="" if index else "simulation"
        )
        right.plot(table.time, table.predicted, color=colors[table.model.iloc[0]], linewidth=0.9)
    right.set(xlabel="time", ylabel=r"density $\rho$", ylim=(0, None))
    right.legend()
    grid = lower.subplots(rows, COLUMNS, sharex=True, squeeze=False)
    for axes, (index, title) in zip(grid.flat, enumerate(starts), strict=False):
        here = evaluation[evaluation.initial_condition == index]
        for name, table in here.groupby("model", sort=False):
            axes.plot(table.time, 100 * table.error, color=colors[name], label=titles[name])
        noise = BAND * 100 * table["sem"] / table.simulated
        axes.fill_between(table.time, -noise, noise, color=SPREAD, linewidth=0, label="two standard errors")
        axes.axhline(0, color=SIMULATION, linewidth=0.5)
        axes.set_title(title, fontsize=7)
        few_ticks(axes)
    for axes in grid.flat[len(starts) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("error of density (%)")
    for axes in grid[-1]:
        axes.set_xlabel("time")
    legend_below(lower, grid[0, 0])
    return figure


def draw_exponents(axes, settings, dynamics, training, colors, titles):
    """Draw the learned exponents over the range of the training solutions, which are marked at the lower edge."""
    equation = build_pair_equation(settings)
    for name, model in settings["models"].items():
        if model["closure"]:
            fluctuation = training[name].fluctuation.values
            seen = fluctuation / (1 + fluctuation)
            at = np.linspace(seen.min(), seen.max(), POINTS)
            grid = build_closure(model["closure"], equation).grid
            exponent = grid.value(dynamics[name].u.values[None], at[:, None])[:, 0]
            axes.plot(at, exponent, color=colors[name], label=titles[name])
            axes.plot(
                seen.ravel(), np.zeros(seen.size), "|", color=NOISE, markersize=5, transform=axes.get_xaxis_transform()
            )
    axes.axhline(1, color=SIMULATION, linestyle="--", linewidth=0.8, label="superposition")
    axes.set(xlabel="$S/(1+S)$", ylabel="exponent $A$")
    axes.legend()


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        summary = read_table(snakemake.input.summary)
        figure = plot_closure(
            settings,
            read_table(snakemake.input.evaluation),
            summary[summary.model == summary.model.iloc[0]].start.tolist(),
            read_models(snakemake.input.dynamics),
            read_models(snakemake.input.training),
            settings["titles"],
        )
        save(figure, snakemake.output)
