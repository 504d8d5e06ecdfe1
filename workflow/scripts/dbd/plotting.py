"""What figures have in common: column widths, colours that colour-blind readers can tell apart, names, files."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from PIL import Image

from dbd.files.netcdf import replacing

mpl.use("Agg")

COLUMN, PAGE = 3.4, 7.0  # widths of a column and of a page, inches
SIMULATION = "#000000"
SPREAD = "#dddddd"
NOISE = "#999999"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#F0E442")  # Okabe and Ito
BASELINES = ("#6b4226", "#a08060", "#708090", "#9aa7b4")  # earth and slate, apart from the palette
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
COLORS = 256  # of a picture for the screen
LIKELY = 1.645  # half the width of a band of 90 %, in standard errors
FIXED = 1e-9  # change of a parameter that is none

_STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.2,
    "hatch.linewidth": 0.4,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    "pdf.fonttype": 42,
    # The same data give the same bytes.
    "svg.hashsalt": "dbd",
}

mpl.rcParams.update(_STYLE)


def model_colors(models: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Colour of each model: the chosen one, or the next of the palette."""
    return {name: chosen.get(name, PALETTE[index % len(PALETTE)]) for index, name in enumerate(models)}


def line_styles(
    models: Mapping[str, Mapping[str, Any]], baselines: Mapping[str, str], chosen: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """Styles of the lines of models (sections with a ``title``) and of baselines (titles), by name."""
    solid = {
        name: {"color": color, "label": models[name]["title"], "linestyle": "-", "linewidth": 1.0}
        for name, color in model_colors(list(models), chosen).items()
    }
    dashed = {
        name: {"color": color, "label": title, "linestyle": "-.", "linewidth": 0.8}
        for (name, title), color in zip(baselines.items(), BASELINES, strict=True)
    }
    return solid | dashed


def parameter_symbol(name: str, model: Mapping[str, Any] | None = None) -> str:
    """Symbol of a parameter of a model (a section): its letter with what it counts as index.

    h, J, K, Q for one to four species, n for a density, c for a correlation of neighbours, W, b for hidden layers, and
    Sigma for a covariance of numbers.
    """
    if name.startswith("var "):
        return rf"$\Sigma_{{{name[4:]}}}$"
    hidden = {letter for layer in (model or {}).get("layers", ()) for letter in layer["species"]}
    letter = "W" if set(name) & hidden and len(name) == 2 else "b" if name in hidden else "hJKQ"[len(name) - 1]
    if letter == "h" and (model or {}).get("family", "natural") != "natural":
        letter = "n"
    if letter == "J" and (model or {}).get("runs"):
        letter = "c"
    return rf"${letter}_{{{name}}}$"


def save(figure: Figure, paths: Sequence[str | Path]) -> None:
    """Write a figure to every path, without dates, and close it: PDF for print, PNG of few colours for the screen."""
    for path in map(Path, paths):
        with replacing(path) as partial:
            if path.suffix == ".png":
                picture = BytesIO()
                figure.savefig(picture, format="png")
                Image.open(picture).convert("RGB").quantize(COLORS).save(partial, format="png", optimize=True)
            else:
                figure.savefig(partial, metadata={"CreationDate": None})
    plt.close(figure)


def moving(predicted: xr.Dataset) -> list[str]:
    """Names of the parameters that change along some trajectory; those held fixed do so by no more than rounding."""
    change = predicted.theta - predicted.theta.isel(time=0)
    return [name for name in map(str, predicted.parameter.values) if abs(change.sel(parameter=name)).max() > FIXED]


def small_multiples(
    *counts: int,
    xlabel: str,
    columns: int | None = None,
    height: float = 1.6,
    figure: SubFigure | None = None,
    **shared: Any,
) -> tuple[Figure | SubFigure, list[list[Axes]]]:
    """Return a figure with one block of panels for each of `counts`, and the panels of each block.

    Up to four panels stand side by side, more come in rows of three. The lowest panels have `xlabel` and labelled
    ticks. `height` is that of a row in inches; `shared` says which axes panels share, as in `plt.subplots`.
    """
    columns = columns or (max(counts) if max(counts) <= 4 else 3)
    rows = [-(-count // columns) for count in counts]
    figure = figure or plt.figure(figsize=(PAGE, height * sum(rows) + 0.5))
    grid = figure.subplots(sum(rows), columns, squeeze=False, **shared)
    blocks = []
    for block, count in zip(np.split(grid, np.cumsum(rows)[:-1]), counts, strict=True):
        blocks.append(list(block.flat[:count]))
        for axes in block.flat[count:]:
            axes.set_visible(False)
    for axes in blocks[-1][-columns:]:
        axes.set_xlabel(xlabel)
        axes.tick_params(labelbottom=True)
    return figure, blocks


def legend_below(figure: Figure | SubFigure, columns: int = 3) -> None:
    """One legend below all panels, of what some of them show, each label once."""
    handles = {}
    for axes in figure.axes:
        handles |= {label: handle for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns)


def label_axes(axes: Axes, labels: Sequence[str]) -> None:
    """Label 2-D or 3-D axes and leave them few ticks."""
    axes.locator_params(nbins=4)
    axes.set(**{f"{axis}label": label for axis, label in zip("xyz", labels, strict=False)})


def band(axes: Axes, x: Any, middle: Any, half: Any, color: str, **style: Any) -> None:
    """Fill the band of half-width `half` about a line."""
    axes.fill_between(x, middle - half, middle + half, color=color, linewidth=0, **style)


def colored_by(values: np.ndarray, cmap: str = SEQUENTIAL) -> tuple[np.ndarray, mpl.cm.ScalarMappable]:
    """Colours of values on a sequential map, and the mappable for its colour bar."""
    mappable = mpl.cm.ScalarMappable(mpl.colors.Normalize(values.min(), values.max()), cmap)
    return mappable.to_rgba(values), mappable
