"""Draw predicted against simulated means, for the initial conditions with the median and with the largest error.

Where it is known how sure the learned functions are, bands hold the mean with a chance of 90 %, as far as the family
can and up to the last step that was learned from. Models that predict the spread between runs have their band of one
standard deviation drawn too, by its edges. A vertical line shows where extrapolation begins.
"""

import numpy as np

from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import LIKELY, NOISE, SIMULATION, SPREAD, band, legend_below, line_styles, save, small_multiples

FALL = 20  # how many times less a mean is at the end than at most that has a logarithmic axis
DECADES = 3  # of that axis
ABOVE = 1.3  # times the upper edge of the simulated band, where panels end; what extrapolates badly goes beyond


def plot_moments(moments, predictions, styles, spreading, last_step):
    """Return the figure: the first model's median and worst initial condition, a panel per observable."""
    first = next(iter(predictions.values()))
    moments = moments.isel(time=slice(first.sizes["time"]))
    difference = np.abs(first["mean"].values - moments["mean"].values)[:, : last_step + 1]
    order = np.argsort(difference.mean(axis=(1, 2)))
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
                case = predicted.isel(initial_condition=index).sel(observable=observable)
                time = moments.time[: case.sizes["time"]]
                if "mean_error" in case:
                    known, color = case.isel(time=slice(last_step + 1)), styles[name]["color"]
                    half, label = LIKELY * np.hypot(known.mean_error, known["sem"]), "90 % by what the data leave open"
                    band(axes, time[: last_step + 1], known["mean"], half, color, alpha=0.25, label=label)
                axes.plot(time, case["mean"], **styles[name])
                if name in spreading:
                    edges = {"color": styles[name]["color"], "linewidth": 0.6, "linestyle": ":"}
                    axes.plot(time, case["mean"] + case["std"], label="predicted standard deviation", **edges)
                    axes.plot(time, case["mean"] - case["std"], **edges)
            if last_step + 1 < moments.sizes["time"]:
                axes.axvline(moments.time[last_step], color=NOISE, linewidth=0.6)
            highest = float((mean + std).max())
            if float(mean[-1]) < highest / FALL:
                axes.set_yscale("log")
                axes.set_ylim(highest / 10**DECADES, ABOVE * highest)
                axes.locator_params("x", nbins=4)
            else:
                axes.locator_params(nbins=4)
                axes.set_ylim(0, ABOVE * highest)
            axes.set_title(observable)
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        models, last_step = settings["models"], settings["evaluation"]["last_step"]
        styles = line_styles(models, settings["baselines"], settings["figures"]["colors"])
        spreading = [name for name, model in models.items() if model["spread"] or model["runs"]]
        predictions = read_models(snakemake.input.predictions)
        save(plot_moments(read(snakemake.input.moments), predictions, styles, spreading, last_step), snakemake.output)
