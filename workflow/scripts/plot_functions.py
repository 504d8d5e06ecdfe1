"""Draw the functions of the density equation of every model, learned ones with their band, and where they were seen."""

from itertools import cycle

import matplotlib.pyplot as plt

from dbd.files.tables import read_table
from dbd.job import job
from dbd.plotting import NOISE, PAGE, band, legend_below, model_colors, save

FUNCTIONS = {"F0": "$F_0$", "F1": "$F_1$", "F2": "$F_2$"}
BAND = 2.0  # standard errors by resampled runs
STYLES = ("--", ":", "-.")  # of functions without a band, one by one: some coincide
SEEN = 1e-3  # a function is drawn where a bin has at least this share of the evidence on it


def plot_functions(tables, titles, chosen):
    """Return the figure: a column per function, above the function, below the share of the evidence by nu."""
    colors = model_colors(list(titles), chosen)
    size = (PAGE, 0.45 * PAGE)
    figure, (upper, lower) = plt.subplots(2, len(FUNCTIONS), figsize=size, sharex=True, height_ratios=(3, 1))
    for top, bottom, (name, symbol) in zip(upper, lower, FUNCTIONS.items(), strict=True):
        styles = cycle(STYLES)
        for model, table in tables.groupby("model", sort=False):
            seen = table[table[f"{name}_evidence"] > SEEN]
            half = BAND * seen[f"{name}_sem"]
            learned = half.notna().all()
            if learned:
                band(top, seen.nu, seen[name], half, colors[model], alpha=0.3)
            style = "-" if learned else next(styles)
            top.plot(seen.nu, seen[name], color=colors[model], linestyle=style, label=titles[model])
        bottom.fill_between(table.nu, table[f"{name}_evidence"], step="mid", color=NOISE, linewidth=0)
        bottom.set(xlabel=r"$\nu = -\ln \rho$", ylim=(0, None))
        bottom.locator_params("y", nbins=2)
        top.set_title(symbol)
        top.locator_params(nbins=4)
    upper[0].set_ylabel("function")
    lower[0].set_ylabel("evidence")
    legend_below(figure)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, table = snakemake.params.settings, read_table(snakemake.input.functions)
        save(plot_functions(table, settings["titles"], settings["figures"]["colors"]), snakemake.output)
