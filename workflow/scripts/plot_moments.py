"""Draw predicted against simulated means, for the initial conditions with the median and with the largest error."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import PAGE, SIMULATION, SPREAD, columns_of, few_ticks, legend_below, line_styles, save


def plot_moments(moments, predictions, styles):
    """Return the figure: the first model's median and worst initial condition, a panel per observable."""
    first = next(iter(predictions.values()))
    moments = moments.isel(time=slice(first.sizes["time"]))
    errors = np.abs(first["mean"].values - moments["mean"].values).mean(axis=(1, 2))
    order = np.argsort(errors)
    cases = {"median case\n": order[len(order) // 2], "worst case\n": order[-1]} if len(order) > 1 else {"": 0}
    observables = moments.observable.values
    columns = columns_of(len(observables))
    rows = len(cases) * -(-len(observables) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(PAGE, 1.6 * rows), sharex=True, squeeze=False)
    for panels, (case, index) in zip(np.split(grid, len(cases)), cases.items(), strict=True):
        for axes, observable in zip(panels.flat, observables, strict=False):
            simulated = moments.sel(observable=observable).isel(initial_condition=index)
            low, high = (simulated["mean"] + sign * simulated["std"] for sign in (-1, 1))
            axes.fill_between(moments.time, low, high, color=SPREAD, linewidth=0, label="one standard deviation")
            axes.plot(moments.time, simulated["mean"], color=SIMULATION, label="simulation")
            for name, predicted in predictions.items():
                line = predicted["mean"].sel(observable=observable).isel(initial_condition=index)
                axes.plot(moments.time, line[: len(moments.time)], **styles[name])
            few_ticks(axes)
            axes.set_ylim(bottom=0)
            axes.set_title(observable)
        for axes in panels.flat[len(observables) :]:
            axes.set_visible(False)
        for axes in panels[:, 0]:
            axes.set_ylabel(f"{case}count")
    for axes in panels.flat[len(observables) - columns : len(observables)]:
        axes.set_xlabel("time")
        axes.tick_params(labelbottom=True)
    legend_below(figure, grid[0, 0])
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_moments(
            read(snakemake.input.moments),
            read_models(snakemake.input.predictions),
            line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"]),
        )
        save(figure, snakemake.output)
