"""Draw the parameters that change over time: a panel per model and parameter, a line per test initial condition.

Where it is known how sure they are, bands hold them with a chance of 90 %; those that are much wider than the lines are
cut.

Where a model was learned from a single initial condition, the matched parameters and their standard errors are behind.
"""

import numpy as np

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import LIKELY, NOISE, band, colored_by, moving, parameter_symbol, save, small_multiples

EVERY = 3  # matched times between two that are drawn
ROOM = 0.5  # of the range of the lines that bands have above and below it


def plot_parameters(predictions, learned, models, dt):
    """Return the figure, from the predictions, learned dynamics and sections of the models by name."""
    shown = {name: moving(predicted) for name, predicted in predictions.items()}
    figure, blocks = small_multiples(*map(len, shown.values()), xlabel="time", height=1.5, sharex=True)
    for panels, (name, predicted) in zip(blocks, predictions.items(), strict=True):
        colors, _ = colored_by(predicted.theta.values[:, 0, 0])
        matched = learned[name] if "matched" in learned[name] else None
        if matched is not None and matched.sizes["initial_condition"] > 1:
            matched = None
        for axes, parameter in zip(panels, shown[name], strict=True):
            if matched is not None:
                points = matched.isel(initial_condition=0, time=slice(0, None, EVERY)).sel(parameter=parameter)
                times = EVERY * dt * np.arange(points.sizes["time"])
                axes.errorbar(times, points.matched, points.error, fmt=".", color=NOISE, markersize=2, linewidth=0.5)
            one = predicted.sel(parameter=parameter)
            for line, color in zip(one.theta.values, colors, strict=True):
                axes.plot(predicted.step * dt, line, color=color, linewidth=0.6)
            if "theta_error" in one:
                low, high = axes.get_ylim()
                for line, error, color in zip(one.theta.values, one.theta_error.values, colors, strict=True):
                    band(axes, predicted.step * dt, line, LIKELY * error, color, alpha=0.15)
                below, above = axes.get_ylim()
                axes.set_ylim(max(below, low - ROOM * (high - low)), min(above, high + ROOM * (high - low)))
            axes.set_ylabel(parameter_symbol(parameter, models[name]))
        panels[0].set_title(models[name]["title"], loc="left")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, given = snakemake.params.settings, snakemake.input
        models, dt = settings["models"], settings["ensemble"]["dt"]
        save(plot_parameters(read_models(given.predictions), read_models(given.dynamics), models, dt), snakemake.output)
