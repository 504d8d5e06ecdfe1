"""Draw the learned trajectories in parameter space: a panel per model, starts and ends marked."""

import matplotlib.pyplot as plt

from dbd.jobs import job
from dbd.plotting import PAGE, colored_by, few_ticks, parameter_symbol, save
from dbd.store import read_models


def plot_trajectories(predictions, models):
    """Return the figure, from the predictions and sections of the models by name."""
    columns = 2
    rows = -(-len(predictions) // columns)
    figure = plt.figure(figsize=(PAGE, 0.42 * PAGE * rows))
    for place, (name, predicted) in enumerate(predictions.items(), start=1):
        axes = figure.add_subplot(rows, columns, place, projection="3d")
        hidden = {letter for layer in models[name]["layers"] for letter in layer["species"]}
        domain = models[name]["domain"]["parameters"]
        theta = predicted.theta.sel(parameter=domain).values
        colors, _ = colored_by(theta[:, 0, 0])
        for line, color in zip(theta, colors, strict=True):
            axes.plot(*line.T, color=color, linewidth=0.6)
        axes.scatter(*theta[:, 0].T, marker="o", s=8, color="black", label="start", depthshade=False)
        axes.scatter(*theta[:, -1].T, marker="^", s=8, color="#D55E00", label="end", depthshade=False)
        axes.set(
            title=models[name]["title"],
            **{f"{axis}label": parameter_symbol(p, hidden) for axis, p in zip("xyz", domain, strict=True)},
        )
        few_ticks(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        predictions = read_models(snakemake.input.predictions)
        save(plot_trajectories(predictions, snakemake.params.settings["models"]), snakemake.output)
