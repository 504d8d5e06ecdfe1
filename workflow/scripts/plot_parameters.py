"""Draw the parameters that change over time: a panel per model and parameter, a line per test initial condition."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import PAGE, colored_by, columns_of, moving, parameter_symbol, save


def plot_parameters(predictions, models, dt):
    """Return the figure, from the predictions and sections of the models by name."""
    shown = {name: moving(predicted) for name, predicted in predictions.items()}
    columns = columns_of(max(map(len, shown.values())))
    rows = [-(-len(parameters) // columns) for parameters in shown.values()]
    figure, grid = plt.subplots(sum(rows), columns, figsize=(PAGE, 1.5 * sum(rows)), sharex=True, squeeze=False)
    for panels, (name, predicted) in zip(np.split(grid, np.cumsum(rows)[:-1]), predictions.items(), strict=True):
        hidden = {letter for layer in models[name]["layers"] for letter in layer["species"]}
        colors, _ = colored_by(predicted.theta.values[:, 0, 0])
        for axes, parameter in zip(panels.flat, shown[name], strict=False):
            for line, color in zip(predicted.theta.sel(parameter=parameter).values, colors, strict=True):
                axes.plot(predicted.step * dt, line, color=color, linewidth=0.6)
            axes.set_ylabel(parameter_symbol(parameter, hidden))
        for axes in panels.flat[len(shown[name]) :]:
            axes.set_visible(False)
        panels[0, 0].set_title(models[name]["title"], loc="left")
    for axes in grid[-1]:
        axes.set_xlabel("time")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_parameters(
            read_models(snakemake.input.predictions), settings["models"], settings["ensemble"]["dt"]
        )
        save(figure, snakemake.output)
