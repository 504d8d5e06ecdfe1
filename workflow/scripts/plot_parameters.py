"""Draw the parameters that change over time: a panel per model and parameter, a line per test initial condition."""

from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import colored_by, moving, parameter_symbol, save, small_multiples


def plot_parameters(predictions, models, dt):
    """Return the figure, from the predictions and sections of the models by name."""
    shown = {name: moving(predicted) for name, predicted in predictions.items()}
    figure, blocks = small_multiples(*map(len, shown.values()), xlabel="time", height=1.5, sharex=True)
    for panels, (name, predicted) in zip(blocks, predictions.items(), strict=True):
        colors, _ = colored_by(predicted.theta.values[:, 0, 0])
        for axes, parameter in zip(panels, shown[name], strict=True):
            for line, color in zip(predicted.theta.sel(parameter=parameter).values, colors, strict=True):
                axes.plot(predicted.step * dt, line, color=color, linewidth=0.6)
            axes.set_ylabel(parameter_symbol(parameter, models[name]["layers"]))
        panels[0].set_title(models[name]["title"], loc="left")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, predictions = snakemake.params.settings, read_models(snakemake.input.predictions)
        save(plot_parameters(predictions, settings["models"], settings["ensemble"]["dt"]), snakemake.output)
