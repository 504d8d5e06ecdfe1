"""Draw the standard scores of simulated means and variances against exact ones."""

import matplotlib.pyplot as plt

from dbd.files.tables import read_table
from dbd.job import job
from dbd.kinetics.first_order import LIMITS
from dbd.plotting import NOISE, PAGE, PALETTE, legend_below, save


def plot_control(table):
    """Return the figure: a panel for means and one for variances, a line per species and initial condition."""
    figure, panels = plt.subplots(1, len(LIMITS), figsize=(PAGE, 0.36 * PAGE))
    colors = dict(zip(table.species.unique(), PALETTE * 4, strict=False))
    for axes, (column, limit) in zip(panels, LIMITS.items(), strict=True):
        for (_, species), case in table.groupby(["initial_condition", "species"], sort=False):
            axes.plot(case.time, case[column], color=colors[species], linewidth=0.9, label=species)
        for sign in (-1, 1):
            axes.axhline(sign * limit, color=NOISE, linestyle="--")
        axes.set(xlabel="time", ylabel=column.replace("_", ": standard "), ylim=(-1.4 * limit, 1.4 * limit))
    legend_below(figure, columns=4)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        save(plot_control(read_table(snakemake.input.control)), snakemake.output)
