"""Errors of densities and functions, and the evidence that functions were learned from."""

from typing import NamedTuple

import numpy as np
import xarray as xr

from dbd.continuum.brownian import BrownianSystem
from dbd.continuum.density_equation import DensityModel
from dbd.continuum.mean_field import functions

NAMES = ("F0", "F1", "F2")
BINS = 40
"""Of nu, in tables of functions."""

CENTRAL = (0.16, 0.84)
"""Quantiles of the middle 68 %."""


def coarse(cells: np.ndarray, into: int) -> np.ndarray:
    """Means over neighbouring cells along the last axis, which has a multiple of `into` of them."""
    return cells.reshape(*cells.shape[:-1], into, -1).mean(axis=-1)


class RelativeError(NamedTuple):
    """Root mean square error of densities relative to their root mean square, and that of the data's own noise."""

    error: np.ndarray
    noise: np.ndarray

    @property
    def of_model(self) -> np.ndarray:
        """The error without the share of the noise, which is independent of it; zero where noise is all."""
        return np.sqrt(np.maximum(self.error**2 - self.noise**2, 0))

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """Error, noise and error of the model, as columns of a table."""
        return self._asdict() | {"of_model": self.of_model}


def density_error(model: np.ndarray, data: np.ndarray, sem: np.ndarray, axis: tuple[int, ...]) -> RelativeError:
    """Relative error of densities, averaged over some axes; arrays (starts, times, cells)."""
    size = (data**2).mean(axis=axis)
    return RelativeError(
        np.sqrt(((model - data) ** 2).mean(axis=axis) / size), np.sqrt((sem**2).mean(axis=axis) / size)
    )


def function_errors(learned: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Relative root mean square errors of functions (functions, points) over the points that were visited."""
    return np.sqrt(((learned - exact) ** 2).mean(axis=1) / (exact**2).mean(axis=1))


def evidence(model: DensityModel, nu: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """Share of the evidence on F0, F1 and F2 in each bin of nu; float64 (3, bins), each row sums to one.

    A rate that is off by delta in a term delta * z of d nu / dt shows in the counts as rho (delta z)^2, so evidence is
    the sum of rho z^2 over cells and times, z being 1, |grad nu|^2 and lap nu; `nu` is (starts, times, cells).
    """
    gradient, curvature = model.derivatives(nu)
    weight = np.exp(-nu) * np.stack([np.ones_like(nu), gradient**4, curvature**2])
    share = np.stack([np.histogram(nu, edge, weights=one)[0] for one in weight])
    return share / np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)


def function_spread(model: DensityModel, learned: xr.Dataset, nu: np.ndarray) -> np.ndarray:
    """Half the range of the middle 68 % of resampled functions (3, points); not a number if none were resampled.

    For normal variates it is the standard deviation; the logarithm of an F2 that the data do not tell from zero has
    long tails, over which a standard deviation would say nothing.
    """
    if "replicates" not in learned:
        return np.full((len(NAMES), len(nu)), np.nan)
    low, high = np.quantile([model.functions(u, nu) for u in learned.replicates.values], CENTRAL, axis=0)
    return (high - low) / 2


def function_table(model: DensityModel, learned: xr.Dataset, nu: np.ndarray) -> dict[str, np.ndarray]:
    """Return the functions of a model in bins of nu, by column."""
    edge = np.linspace(nu.min(), nu.max(), BINS + 1)
    middle = 0.5 * (edge[:-1] + edge[1:])
    columns = {
        "": model.functions(learned.u.values, middle),
        "_sem": function_spread(model, learned, middle),
        "_evidence": evidence(model, nu, edge),
    }
    names = [(m, name, suffix) for m, name in enumerate(NAMES) for suffix in columns]
    return {"nu": middle} | {name + suffix: columns[suffix][m] for m, name, suffix in names}


def function_scores(
    model: DensityModel, system: BrownianSystem, learned: xr.Dataset, nu: np.ndarray, exact: bool
) -> dict[str, float]:
    """Range, errors (where the truth is known) and bands of the functions over the visited nu, by column."""
    visited = nu[:, 1:].ravel()
    value = model.functions(learned.u.values, visited)
    bands = function_errors(value + function_spread(model, learned, visited), value)
    low, high = np.quantile(visited, (0.01, 0.99))
    scores = {"nu_low": low, "nu_high": high}
    if exact:
        errors = function_errors(value, functions(system, visited))
        scores |= {f"{name}_error": error for name, error in zip(NAMES, errors, strict=True)}
    return scores | {f"{name}_band": band for name, band in zip(NAMES, bands, strict=True)}
