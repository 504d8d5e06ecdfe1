"""Draw the parameters that change over time: a panel per model and parameter, a line per test initial condition.

Where a model was learned from a single initial condition, the matched parameters and their standard errors are behind.
"""

import numpy as np

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import NOISE, colored_by, moving, parameter_symbol, save, small_multiples

EVERY = 3  # matched times between two that are drawn


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
            for line, color in zip(predicted.theta.sel(parameter=parameter).values, colors, strict=True):
                axes.plot(predicted.step * dt, line, color=color, linewidth=0.6)
            axes.set_ylabel(parameter_symbol(parameter, models[name]))
        panels[0].set_title(models[name]["title"], loc="left")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, given = snakemake.params.settings, snakemake.input
        models, dt = settings["models"], settings["ensemble"]["dt"]
        save(plot_parameters(read_models(given.predictions), read_models(given.dynamics), models, dt), snakemake.output)
