"""Learned functions that the data leave possible, from the file of learned dynamics."""

import numpy as np
import xarray as xr

from dbd.numerics.hermite import HermiteGrid


def draws_of(learned: xr.Dataset) -> np.ndarray | None:
    """Draws of the functions as splines, (draw, function, splines); None where a recipe makes none."""
    if "draws" not in learned:
        return None
    draws = learned.draws.values
    return draws @ learned.spanning.values.T if "spanning" in learned else draws


def errors_at(learned: xr.Dataset, grid: HermiteGrid, points: np.ndarray) -> np.ndarray | None:
    """Standard error of every function at points (n, d), (function, n); None where a recipe makes no draws."""
    draws = draws_of(learned)
    if draws is None:
        return None
    basis = grid.basis(points)
    values, splines = basis @ learned.u.values.T, basis @ grid.splines()
    return np.sqrt(np.mean([(splines @ draw.T - values) ** 2 for draw in draws], axis=0)).T
