"""Draw the error of every model and baseline at each step, the best a family can do, and the noise of the data."""

from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, legend_below, line_styles, save, small_multiples


def plot_rmse(evaluation, styles, observables):
    """Return the figure: a panel per observable, on a logarithmic scale."""
    figure, [panels] = small_multiples(len(observables), xlabel="time", height=2.2, sharex=True, sharey=True)
    for axes, observable in zip(panels, observables, strict=True):
        shown = evaluation[(evaluation.observable == observable) & (evaluation.kind != "floor")]
        for (model, kind), table in shown.groupby(["model", "kind"], sort=False):
            style = styles[model]
            if kind == "oracle":
                style = style | {"linestyle": ":", "label": f"{style['label']}, static matching"}
            axes.plot(table.time, table.rmse, **style)
        axes.plot(table.time, table.noise, color=NOISE, linestyle="--", label="noise of the simulated means")
        axes.set(title=observable, yscale="log")
        axes.locator_params("x", nbins=4)
    # Exact matching has no error to speak of in the statistics it matches: leave it out below the noise.
    panels[0].set_ylim(evaluation.noise[evaluation.noise > 0].min() / 3, 2 * evaluation.rmse.max())
    figure.supylabel("RMSE (counts)")
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        styles = line_styles(settings["models"], settings["baselines"], settings["figures"]["colors"])
        evaluation = read_table(snakemake.input.evaluation)
        save(plot_rmse(evaluation, styles, settings["observables"]), snakemake.output)
