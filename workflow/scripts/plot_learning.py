"""Draw the course of learning: the action and the norm of its gradient at each optimisation step."""

import matplotlib.pyplot as plt

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import PAGE, legend_below, model_colors, save


def plot_learning(dynamics, models, chosen):
    """Return the figure, from the learned dynamics and sections of the models by name."""
    colors = model_colors(list(dynamics), chosen)
    figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE, 0.36 * PAGE))
    for name, learned in dynamics.items():
        for axes, variable in ((left, "action"), (right, "gradient_norm")):
            values = learned[variable].values
            axes.plot(range(1, len(values) + 1), values, color=colors[name], label=models[name]["title"])
    for axes, label in ((left, "action"), (right, "norm of the gradient")):
        axes.set(xlabel="optimisation step", ylabel=label, yscale="log", xscale="log")
    legend_below(figure, columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        figure = plot_learning(read_models(snakemake.input.dynamics), settings["models"], settings["figures"]["colors"])
        save(figure, snakemake.output)
