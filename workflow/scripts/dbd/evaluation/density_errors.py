"""Errors of densities and functions, and where functions were seen."""

from typing import NamedTuple

import numpy as np

from dbd.continuum.density_equation import DensityModel


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
