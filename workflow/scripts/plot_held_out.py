"""Draw predicted against simulated means of held-out initial conditions, from the best to the worst predicted."""

import numpy as np

from dbd.files.netcdf import read
from dbd.job import job
from dbd.plotting import NOISE, PALETTE, legend_below, save, small_multiples

SHOWN = 4  # initial conditions
EVERY = 4  # time steps between the dots of the simulation


def spread_cases(predicted, simulated):
    """Initial conditions by rank of their relative error, evenly from the best to the worst; shape (shown,)."""
    errors = np.sqrt(((predicted - simulated) ** 2).mean(axis=1)) / np.ptp(simulated, axis=(0, 1))
    order = np.argsort(errors.mean(axis=1))
    return order[np.unique(np.linspace(0, len(order) - 1, SHOWN).round().astype(int))]


def plot_held_out(moments, prediction, independent, species, title):
    """Return the figure: a panel per observable, a colour per initial condition."""
    observables = moments.observable.values
    predicted, alone = (dataset["mean"].sel(observable=observables).values for dataset in (prediction, independent))
    simulated, time = moments["mean"].values[:, : predicted.shape[1]], moments.time.values[: predicted.shape[1]]
    cases = spread_cases(predicted, simulated)
    start = moments["mean"].isel(time=0).sel(observable=list(species)).values[cases].round().astype(int)
    figure, [panels] = small_multiples(len(observables), xlabel="time", height=1.7, sharex=True)
    for k, (axes, observable) in enumerate(zip(panels, observables, strict=True)):
        for color, case, counts in zip(PALETTE, cases, start, strict=False):
            label = ", ".join(f"{count} {name}" for name, count in zip(species, counts, strict=True))
            axes.plot(time[::EVERY], simulated[case, ::EVERY, k], ".", color=color, markersize=3)
            axes.plot(time, predicted[case, :, k], color=color, linewidth=1.0, label=label)
            if len(observable) > 1:
                axes.plot(time, alone[case, :, k], ":", color=color, linewidth=0.8)
        axes.locator_params(nbins=4)
        axes.set_ylim(bottom=0)
        axes.set_title(observable)
    for style, label in ((".", "simulation"), ("-", title), (":", "independent sites, true means")):
        panels[-1].plot([], [], style, color=NOISE, label=label)
    figure.supylabel("count")
    legend_below(figure, columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, (first, *_) = snakemake.params.settings, snakemake.input.predictions
        title = next(iter(settings["models"].values()))["title"]
        data = map(read, (snakemake.input.moments, first, snakemake.input.independent))
        save(plot_held_out(*data, settings["species"], title), snakemake.output)
