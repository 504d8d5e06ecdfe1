"""Two simulators of the same process: means and variances over runs compared at every time, and drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import stats

from dbd.plotting import NOISE, PAGE, PALETTE, SIMULATION, legend_below

FALSE_ALARM = 1e-6
"""Probability that any comparison of a table is outside the limit although all laws are the same."""


def compare(ours, other, times, *, explained=None, **labels):
    """Means and variances of independent runs with their standard errors and scores z, at all times after the first.

    The standard error of a variance is that of the mean of squared deviations. With as many runs on both sides the
    skewness of the two cancels in their difference.

    Parameters
    ----------
    ours, other
        A number of every run at every time, (runs, times), of as many runs.
    explained
        Difference of the means of the two laws, (times,); then there is no row for variances, and nothing is tested.
    labels
        Columns that say what was compared: `panel`, `case`, `quantity`.
    """
    tables = []
    for statistic in ("mean", "variance") if explained is None else ("mean",):
        columns = {"time": times, "runs": len(ours), "tested": explained is None}
        columns["explained"] = 0.0 if explained is None else explained
        for name, sample in (("ours", ours), ("other", other)):
            if statistic == "variance":
                sample = (sample - sample.mean(axis=0)) ** 2 * len(sample) / (len(sample) - 1)
            columns |= {name: sample.mean(axis=0), f"{name}_error": stats.sem(sample, axis=0)}
        tables.append(pd.DataFrame({**labels, "statistic": statistic, **columns})[1:])
    table = pd.concat(tables, ignore_index=True)
    table["z"] = (table.ours - table.other - table.explained) / np.hypot(table.ours_error, table.other_error)
    return table


def largest(table):
    """Number of comparisons, largest absolute score, and its limit: Student's t for the runs, Bonferroni."""
    tested = table[table.tested]
    limit = stats.t.isf(FALSE_ALARM / (2 * len(tested)), tested.runs.min() - 1)
    return len(tested), float(tested.z.abs().max()), float(limit)


def draw(table, program, unit):
    """A column for every panel: means (lines: the other program; dots: ours), and differences below them.

    Filled dots are tested; those of open ones have a line that explains them. Bars are two standard errors.
    """
    means = table[table.statistic == "mean"]
    panels, styles = means.panel.unique(), means[["quantity", "case"]].drop_duplicates().itertuples(index=False)
    figure, axes = plt.subplots(2, len(panels), figsize=(PAGE, 0.62 * PAGE), sharex="col", squeeze=False)
    colors = dict(zip(map(tuple, styles), (*PALETTE[:6], SIMULATION), strict=False))
    for (above, below), panel in zip(axes.T, panels, strict=True):
        below.axhline(0, color=NOISE, linewidth=0.8)
        for key, rows in means[means.panel == panel].groupby(["quantity", "case"], sort=False):
            color, tested = colors[key], rows.tested.all()
            dots = {"color": color, "linestyle": "none", "marker": "o", "markersize": 3}
            dots["markerfacecolor"] = color if tested else "white"
            above.plot(rows.time, rows.other, color=color, linewidth=0.8)
            above.plot(rows.time, rows.ours, label=" ".join(key).strip(), **dots)
            error = 2 * np.hypot(rows.ours_error, rows.other_error)
            below.errorbar(rows.time, rows.ours - rows.other, error, elinewidth=0.7, **dots)
            if not tested:
                below.plot(rows.time, rows.explained, color=color, linewidth=0.8)
        above.set_title(panel)
        below.set_xlabel("time")
        below.locator_params(nbins=6)
    axes[0, 0].set_ylabel(unit)
    axes[1, 0].set_ylabel(f"ours minus {program}")
    legend_below(figure, columns=4)
    return figure
