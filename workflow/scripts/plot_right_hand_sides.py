"""Draw the learned right-hand sides on slices of the domain, with the trajectories that passed nearby.

Where it is known how sure they are, a function of a single parameter has a band that holds it with a chance of 90 %.
Others are hatched where that band is wider than a quarter of the colour scale.
"""

import numpy as np

from dbd.build.model import build_grid
from dbd.closure.draws import errors_at
from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import DIVERGING, LIKELY, NOISE, band, label_axes, moving, parameter_symbol, save, small_multiples

POINTS = 81
UNSURE = 0.25  # smallest band that is hatched, in units of the colour scale
DOTS = 1000  # visited points that a panel shows at most


def slice_of(grid, visited, width):
    """Return a slice through the visited points (n, d), and those near it.

    The slice is the plane of the first two axes (of a single one, its line) with the others at the median; near it are
    the points within half a grid cell of `width` (d,).

    Returns
    -------
    The coordinates along each axis of the slice, its points (..., d), and the points near it (m, d).
    """
    middle = np.median(visited, axis=0)
    near = visited[(np.abs(visited - middle)[:, 2:] < 0.5 * np.array(width)[2:]).all(axis=1)]
    low, high = visited[:, :2].min(axis=0), visited[:, :2].max(axis=0)
    lines = low + (high - low) * (np.arange(POINTS)[:, None] + 0.5) / POINTS
    points = np.tile(middle, (*(POINTS,) * len(low), 1))
    points[..., :2] = np.stack(np.meshgrid(*lines.T, indexing="ij"), axis=-1)
    return lines.T, points, near[:: -(-len(near) // DOTS)]


def functions_of(learned, predicted):
    """Names of the functions of learned dynamics: those of parameters that move, or all in mixed coordinates."""
    return list(learned.function.values) if "function" in learned.coords else moving(predicted)


def function_symbol(name, model):
    """How a function is written: a right-hand side, or what multiplies a reaction or drives a coupling."""
    if "->" in name:
        return f"ln factor of {name}"
    symbol = parameter_symbol(name, model)
    return f"drive of {symbol}" if model["family"] != "natural" else rf"d{symbol}/d$t$"


def plot_right_hand_sides(dynamics, predictions, models):
    """Return the figure: rows for each model, a panel per function that is not zero; dots are visited points."""
    shown = {name: functions_of(dynamics[name], predicted) for name, predicted in predictions.items()}
    figure, blocks = small_multiples(*map(len, shown.values()), xlabel="", height=1.75)
    for panels, (name, predicted) in zip(blocks, predictions.items(), strict=True):
        domain = models[name]["domain"]
        learned = dynamics[name]
        grid = build_grid({key: learned[key].values for key in ("lower", "upper", "spacing")})
        visited = predicted.theta.sel(parameter=domain["parameters"]).values.reshape(-1, grid.dimension)
        lines, points, near = slice_of(grid, visited[grid.excess(visited) == 0], grid.spacing)
        rows = learned.get_index(learned.u.dims[0]).get_indexer(shown[name])
        values = grid.value(learned.u.values[rows], points.reshape(-1, grid.dimension)).T.reshape(
            -1, *points.shape[:-1]
        )
        errors = errors_at(learned, grid, points.reshape(-1, grid.dimension))
        halves = [None] * len(rows) if errors is None else LIKELY * errors[rows].reshape(values.shape)
        labels = [parameter_symbol(parameter, models[name]) for parameter in domain["parameters"]]
        for axes, parameter, value, half in zip(panels, shown[name], values, halves, strict=True):
            velocity = function_symbol(parameter, models[name])
            if len(lines) == 1:
                axes.plot(lines[0], value, color="black")
                if half is not None:
                    band(axes, lines[0], value, half, NOISE, alpha=0.4)
            else:
                # An image keeps its own few pixels in a PDF; a rasterised artist takes a raster of the figure.
                limit = np.abs(value).max() or 1
                extent = [end for line in lines for end in (1.5 * line[[0, -1]] - 0.5 * line[[1, -2]])]
                picture = {"cmap": DIVERGING, "vmin": -limit, "vmax": limit, "interpolation": "bilinear"}
                image = axes.imshow(value.T, origin="lower", aspect="auto", extent=extent, **picture)
                axes.plot(*near[:, :2].T, ".", color="black", markersize=0.5, alpha=0.3)
                if half is not None:
                    axes.contourf(*lines, half.T / limit, [UNSURE, np.inf], colors="none", hatches=["////"])
                bar = figure.colorbar(image, ax=axes, label=velocity)
                bar.solids.set(rasterized=False, edgecolor="face")
            label_axes(axes, [labels[0], velocity if len(lines) == 1 else labels[1]])
            axes.locator_params("x", nbins=3)
        rest = zip(labels[2:], points.reshape(-1, grid.dimension)[0, 2:], strict=True)
        others = ", ".join(f"{label} = {at:.2f}" for label, at in rest)
        panels[0].set_title(models[name]["title"] + (f" ({others})" if others else ""), loc="left")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        dynamics, predictions = read_models(snakemake.input.dynamics), read_models(snakemake.input.predictions)
        save(plot_right_hand_sides(dynamics, predictions, snakemake.params.settings["models"]), snakemake.output)
