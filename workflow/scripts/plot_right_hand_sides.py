"""Draw the learned right-hand sides on slices of the domain, with the trajectories that passed nearby."""

import matplotlib.pyplot as plt
import numpy as np

from dbd.build.model import build_grid
from dbd.files.netcdf import read_models
from dbd.job import job
from dbd.plotting import DIVERGING, PAGE, columns_of, few_ticks, moving, parameter_symbol, save

POINTS = 81


def plot_right_hand_sides(coefficients, predictions, models):
    """Return the figure: rows for each model, a panel per right-hand side that is not zero.

    The slice is the plane of the first two domain parameters (of a single one, its line), the others at the median over
    the visited points; dots are the visited points within half a grid cell of it.
    """
    shown = {name: moving(predicted) for name, predicted in predictions.items()}
    columns = columns_of(max(map(len, shown.values())))
    rows = [-(-len(parameters) // columns) for parameters in shown.values()]
    figure, grid_of_panels = plt.subplots(
        sum(rows), columns, figsize=(PAGE, 1.75 * sum(rows)), squeeze=False, layout="constrained"
    )
    blocks = np.split(grid_of_panels, np.cumsum(rows)[:-1])
    for panels, (name, predicted) in zip(blocks, predictions.items(), strict=True):
        domain = models[name]["domain"]
        hidden = {letter for layer in models[name]["layers"] for letter in layer["species"]}
        grid = build_grid(domain)
        visited = predicted.theta.sel(parameter=domain["parameters"]).values.reshape(-1, grid.dimension)
        visited = visited[grid.excess(visited) == 0]
        middle = np.median(visited, axis=0)
        near = (np.abs(visited - middle)[:, 2:] < 0.5 * np.array(domain["spacing"])[2:]).all(axis=1)
        low, high = visited[:, :2].min(axis=0), visited[:, :2].max(axis=0)
        lines = [np.linspace(a, b, POINTS) for a, b in zip(low, high, strict=True)]
        points = np.tile(middle, (*(POINTS,) * len(lines), 1))
        points[..., :2] = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1)
        learned = coefficients[name][predicted.get_index("parameter").get_indexer(shown[name])]
        values = grid.value(learned, points.reshape(-1, grid.dimension)).reshape(*points.shape[:-1], -1)
        for axes, parameter, value in zip(panels.flat, shown[name], np.moveaxis(values, -1, 0), strict=False):
            velocity = rf"d{parameter_symbol(parameter, hidden)}/d$t$"
            if len(lines) == 1:
                axes.plot(lines[0], value, color="black")
                axes.set_ylabel(velocity)
            else:
                largest = np.abs(value).max() or 1
                image = axes.pcolormesh(*lines, value.T, cmap=DIVERGING, vmin=-largest, vmax=largest, rasterized=True)
                axes.plot(*visited[near, :2].T, ".", color="black", markersize=0.5, alpha=0.3, rasterized=True)
                figure.colorbar(image, ax=axes, label=velocity)
                axes.set_ylabel(parameter_symbol(domain["parameters"][1], hidden))
            axes.set_xlabel(parameter_symbol(domain["parameters"][0], hidden))
            few_ticks(axes, 3)
        for axes in panels.flat[len(shown[name]) :]:
            axes.set_visible(False)
        rest = zip(domain["parameters"][2:], middle[2:], strict=True)
        others = ", ".join(f"{parameter_symbol(parameter, hidden)} = {at:.2f}" for parameter, at in rest)
        panels[0, 0].set_title(f"{models[name]['title']}" + (f" ({others})" if others else ""), loc="left")
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        learned = {name: dataset.u.values for name, dataset in read_models(snakemake.input.dynamics).items()}
        predictions = read_models(snakemake.input.predictions)
        save(plot_right_hand_sides(learned, predictions, snakemake.params.settings["models"]), snakemake.output)
