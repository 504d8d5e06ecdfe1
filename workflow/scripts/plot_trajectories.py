"""Draw the learned trajectories in parameter space: a panel per model, starts and ends marked."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import PAGE, PALETTE, colored_by, label_axes, legend_below, parameter_symbol, save


def plot_trajectories(predictions, models):
    """Return the figure, from the predictions and sections of the models by name.

    Axes are the first three parameters of the domain, or as many as there are; of a single one, time is the other.
    """
    columns = min(2, len(predictions))
    rows = -(-len(predictions) // columns)
    figure = plt.figure(figsize=(PAGE * columns / 2, 0.42 * PAGE * rows))
    for panel, (name, predicted) in enumerate(predictions.items(), start=1):
        domain = models[name]["domain"]["parameters"][:3]
        theta = predicted.theta.sel(parameter=domain).values
        labels = [parameter_symbol(parameter, models[name]) for parameter in domain]
        colors, _ = colored_by(theta[:, 0, 0])
        if len(domain) == 1:
            steps = np.broadcast_to(np.arange(theta.shape[1])[:, None], theta.shape)
            theta, labels = np.concatenate([steps, theta], axis=-1), ["time step", *labels]
        solid = len(labels) == 3
        axes = figure.add_subplot(rows, columns, panel, projection="3d" if solid else None)
        for line, color in zip(theta, colors, strict=True):
            axes.plot(*line.T, color=color, linewidth=0.6)
        for step, marker, color, label in ((0, "o", "black", "start"), (-1, "^", PALETTE[1], "end")):
            style = dict(marker=marker, s=8, color=color, label=label, zorder=3)
            axes.scatter(*theta[:, step].T, **style, **({"depthshade": False} if solid else {}))
        axes.set_title(models[name]["title"])
        label_axes(axes, labels)
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        predictions = read_models(snakemake.input.predictions)
        save(plot_trajectories(predictions, snakemake.params.settings["models"]), snakemake.output)
