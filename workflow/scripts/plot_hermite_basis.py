"""Draw the four cubic Hermite polynomials whose tensor products are the Q3 C1 elements."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.job import job
from dbd.numerics.hermite import HermiteGrid
from dbd.plotting import COLUMN, PALETTE, save

NAMES = ("value, left", "slope, left", "value, right", "slope, right")


def plot_hermite_basis():
    """Return the figure: one cell of a 1-D grid, one curve for each of its coefficients."""
    grid = HermiteGrid((0.0,), (1.0,), (2,))
    x = np.linspace(0, 1, 201)
    curves = grid.value(np.eye(grid.size), x[:, None])
    figure, axes = plt.subplots(figsize=(COLUMN, 0.7 * COLUMN))
    for curve, name, color in zip(curves.T, NAMES, PALETTE, strict=False):
        axes.plot(x, curve, color=color, label=name)
    axes.set(xlabel=r"position in the cell, $\xi$", ylabel="basis function", xlim=(0, 1))
    axes.axhline(0, color="black", linewidth=0.5)
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.5))
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        save(plot_hermite_basis(), snakemake.output)
