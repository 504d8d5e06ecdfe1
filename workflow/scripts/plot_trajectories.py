"""Draw the learned trajectories in parameter space: a panel per model, starts and ends marked."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import PAGE, colored_by, few_ticks, legend_below, parameter_symbol, save


def plot_trajectories(predictions, models):
    """Return the figure, from the predictions and sections of the models by name.

    Axes are the first three parameters of the domain, or as many as there are; of a single one, time is the other.
    """
    columns = min(2, len(predictions))
    rows = -(-len(predictions) // columns)
    figure = plt.figure(figsize=(PAGE * columns / 2, 0.42 * PAGE * rows))
    for place, (name, predicted) in enumerate(predictions.items(), start=1):
        hidden = {letter for layer in models[name]["layers"] for letter in layer["species"]}
        domain = models[name]["domain"]["parameters"][:3]
        theta = predicted.theta.sel(parameter=domain).values
        labels = [parameter_symbol(parameter, hidden) for parameter in domain]
        if len(domain) == 1:
            steps = np.broadcast_to(np.arange(theta.shape[1])[:, None], theta.shape)
            theta, labels = np.concatenate([steps, theta], axis=-1), ["time step", *labels]
        axes = figure.add_subplot(rows, columns, place, projection="3d" if len(labels) == 3 else None)
        solid = {"depthshade": False} if len(labels) == 3 else {}
        colors, _ = colored_by(theta[:, 0, 0] if len(domain) > 1 else theta[:, 0, 1])
        for line, color in zip(theta, colors, strict=True):
            axes.plot(*line.T, color=color, linewidth=0.6)
        axes.scatter(*theta[:, 0].T, marker="o", s=8, color="black", label="start", zorder=3, **solid)
        axes.scatter(*theta[:, -1].T, marker="^", s=8, color="#D55E00", label="end", zorder=3, **solid)
        axes.set(
            title=models[name]["title"],
            **{f"{axis}label": label for axis, label in zip("xyz", labels, strict=False)},
        )
        few_ticks(axes)
    legend_below(figure, axes)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        predictions = read_models(snakemake.input.predictions)
        save(plot_trajectories(predictions, snakemake.params.settings["models"]), snakemake.output)
