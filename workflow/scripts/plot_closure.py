"""Draw the learned closure of the pair equation, and the densities that each closure predicts on held-out starts."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.build.pairs import build_closure, build_pair_equation
from dbd.files.netcdf import read_models
from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, SIMULATION, SPREAD, band, legend_below, model_colors, save, small_multiples

POINTS = 200
COLUMNS = 3
BAND = 2.0  # standard errors


def plot_closure(settings, evaluation, starts, dynamics, training, titles):
    """Return the figure: exponents where they were seen and densities, below them the errors on each evaluated start.

    ``starts`` are what the starts are called.
    """
    colors = model_colors(list(titles), settings["figures"]["colors"])
    height = 1.4 * -(-len(starts) // COLUMNS) + 0.5
    figure = plt.figure(figsize=(PAGE, height + 1.9))
    upper, lower = figure.subfigures(2, 1, height_ratios=(1.9, height))
    left, right = upper.subplots(1, 2)
    draw_exponents(left, settings, dynamics, training, colors, titles)
    first = next(iter(titles))
    for index, table in evaluation[evaluation.model == first].groupby("initial_condition"):
        label = "" if index else "simulation"
        right.plot(table.time, table.simulated, ".", color=SIMULATION, markersize=2, label=label)
        right.plot(table.time, table.predicted, color=colors[first], linewidth=0.9)
    right.set(xlabel="time", ylabel=r"density $\rho$", ylim=(0, None))
    right.legend()
    _, [panels] = small_multiples(len(starts), xlabel="time", columns=COLUMNS, figure=lower, sharex=True)
    for axes, (index, title) in zip(panels, enumerate(starts), strict=True):
        for name, table in evaluation[evaluation.initial_condition == index].groupby("model", sort=False):
            axes.plot(table.time, 100 * table.error, color=colors[name], label=titles[name])
        band(axes, table.time, 0, BAND * 100 * table["sem"] / table.simulated, SPREAD, label="two standard errors")
        axes.axhline(0, color=SIMULATION, linewidth=0.5)
        axes.set_title(title, fontsize=7)
        axes.locator_params(nbins=4)
    for axes in panels[::COLUMNS]:
        axes.set_ylabel("error of density (%)")
    legend_below(lower)
    return figure


def draw_exponents(axes, settings, dynamics, training, colors, titles):
    """Draw the learned exponents over the range of the training solutions, which are marked at the lower edge."""
    equation, floor = build_pair_equation(settings), axes.get_xaxis_transform()
    for name, model in settings["models"].items():
        if model["closure"]:
            fluctuation = training[name].fluctuation.values.ravel()
            seen = fluctuation / (1 + fluctuation)
            at = np.linspace(seen.min(), seen.max(), POINTS)
            exponent = build_closure(model["closure"], equation).grid.value(dynamics[name].u.values[None], at[:, None])
            axes.plot(at, exponent, color=colors[name], label=titles[name])
            axes.plot(seen, np.zeros(seen.size), "|", color=NOISE, markersize=5, transform=floor)
    axes.axhline(1, color=SIMULATION, linestyle="--", linewidth=0.8, label="superposition")
    axes.set(xlabel="$S/(1+S)$", ylabel="exponent $A$")
    axes.legend()


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, given = snakemake.params.settings, snakemake.input
        evaluation, summary = read_table(given.evaluation), read_table(given.summary)
        starts = summary.start[summary.model == summary.model[0]].tolist()
        models = read_models(given.dynamics), read_models(given.training), settings["titles"]
        save(plot_closure(settings, evaluation, starts, *models), snakemake.output)
