"""Draw predicted against simulated means, for the initial conditions with the median and with the largest error."""

import numpy as np

from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import SIMULATION, SPREAD, band, legend_below, line_styles, save, small_multiples


def plot_moments(moments, predictions, styles):
    """Return the figure: the first model's median and worst initial condition, a panel per observable."""
    first = next(iter(predictions.values()))
    moments = moments.isel(time=slice(first.sizes["time"]))
    order = np.argsort(np.abs(first["mean"].values - moments["mean"].values).mean(axis=(1, 2)))
    cases = {"median case\n": order[len(order) // 2], "worst case\n": order[-1]} if len(order) > 1 else {"": 0}
    observables = moments.observable.values
    figure, blocks = small_multiples(*[len(observables)] * len(cases), xlabel="time", sharex=True)
    for panels, (case, index) in zip(blocks, cases.items(), strict=True):
        panels[0].set_ylabel(f"{case}count")
        for axes, observable in zip(panels, observables, strict=True):
            shown = dict(initial_condition=index, observable=list(observables).index(observable))
            mean, std = moments["mean"].isel(shown), moments["std"].isel(shown)
            band(axes, moments.time, mean, std, SPREAD, label="one standard deviation")
            axes.plot(moments.time, mean, color=SIMULATION, label="simulation")
            for name, predicted in predictions.items():
                line = predicted["mean"].isel(initial_condition=index).sel(observable=observable)
                axes.plot(moments.time, line[: len(moments.time)], **styles[name])
            axes.locator_params(nbins=4)
            axes.set_ylim(bottom=0)
            axes.set_title(observable)
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        styles = line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"])
        predictions = read_models(snakemake.input.predictions)
        save(plot_moments(read(snakemake.input.moments), predictions, styles), snakemake.output)
