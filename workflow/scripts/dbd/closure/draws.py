"""Learned functions that the data leave possible, from the file of learned dynamics."""

import numpy as np
import xarray as xr

from dbd.numerics.hermite import HermiteGrid


def draws_of(learned: xr.Dataset, grid: HermiteGrid) -> np.ndarray | None:
    """Coefficients of draws of the functions, (draw, function, grid.size); None where a recipe makes none."""
    if "draws" not in learned:
        return None
    splines = learned.draws.values
    if "spanning" in learned:
        splines = (splines * learned.scale.values[:, None]) @ learned.spanning.values.T
    return np.stack([(grid.splines() @ one.T).T for one in splines])


def errors_at(
    learned: xr.Dataset, grid: HermiteGrid, points: np.ndarray
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Standard error of every function at points (n, d), and in units of that of the prior; each (function, n).

    None where they are not known: the first where a recipe makes no draws, the second where its prior leaves some
    functions free.
    """
    draws = draws_of(learned, grid)
    if draws is None:
        return None, None
    values = np.stack([grid.value(one, points).T for one in draws])
    error = np.sqrt(((values - grid.value(learned.u.values, points).T) ** 2).mean(axis=0))
    if "spanning" not in learned:
        return error, None
    spanning = grid.basis(points) @ (grid.splines() @ learned.spanning.values)
    prior = learned.scale.values[:, None] * np.sqrt((spanning**2).sum(axis=1) / float(learned.roughness))
    return error, error / np.maximum(prior, np.finfo(float).tiny)
