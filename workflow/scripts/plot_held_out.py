"""Draw predicted against simulated means of held-out initial conditions, from the best to the worst predicted."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.lines import Line2D

from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import NOISE, PAGE, PALETTE, columns_of, few_ticks, save

SHOWN = 4  # initial conditions
EVERY = 4  # time steps between the dots of the simulation


def spread_cases(predicted, simulated):
    """Initial conditions by rank of their relative error, evenly from the best to the worst; shape (shown,)."""
    errors = np.sqrt(((predicted - simulated) ** 2).mean(axis=1)) / np.ptp(simulated, axis=(0, 1))
    order = np.argsort(errors.mean(axis=1))
    return order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]


def plot_held_out(moments, prediction, independent, species, title):
    """Return the figure: a panel per observable, a colour per initial condition."""
    observables = list(moments.observable.values)
    prediction, independent = (dataset["mean"].sel(observable=observables) for dataset in (prediction, independent))
    moments = moments.isel(time=slice(prediction.sizes["time"]))
    simulated, time = moments["mean"], moments.time
    cases = spread_cases(prediction.values, simulated.values)
    columns = columns_of(len(observables))
    rows = -(-len(observables) // columns)
    size = (PAGE, 1.7 * rows + 0.6)
    figure, grid = plt.subplots(rows, columns, figsize=size, sharex=True, squeeze=False)
    for axes, observable in zip(grid.flat, observables, strict=False):
        for color, case in zip(PALETTE, cases, strict=False):
            here = dict(initial_condition=case, observable=observables.index(observable))
            axes.plot(time[::EVERY], simulated.isel(here)[::EVERY], ".", color=color, markersize=3)
            axes.plot(time, prediction.isel(here), color=color, linewidth=1.0)
            if len(observable) > 1:
                axes.plot(time, independent.isel(here), ":", color=color, linewidth=0.8)
        few_ticks(axes)
        axes.set_ylim(bottom=0)
        axes.set_title(observable)
    for axes in grid.flat[len(observables) :]:
        axes.set_visible(False)
    for axes in grid.flat[len(observables) - columns : len(observables)]:
        axes.set_xlabel("time")
        axes.tick_params(labelbottom=True)
    figure.supylabel("count")
    start = simulated.isel(time=0).sel(observable=list(species)).values[cases].round().astype(int)
    handles = [
        Line2D([], [], color=color, label=", ".join(f"{n} {name}" for name, n in zip(species, counts, strict=True)))
        for color, counts in zip(PALETTE, start, strict=False)
    ]
    handles += [
        Line2D([], [], color=NOISE, marker=".", linestyle="", label="simulation"),
        Line2D([], [], color=NOISE, label=title),
        Line2D([], [], color=NOISE, linestyle=":", label="independent sites, true means"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_held_out(
            read(snakemake.input.moments),
            read(snakemake.input.predictions[0]),
            read(snakemake.input.independent),
            settings["species"],
            next(iter(settings["models"].values()))["title"],
        )
        save(figure, snakemake.output)
