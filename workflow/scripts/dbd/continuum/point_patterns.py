"""Where particles are when a run starts: density profiles, and random patterns of points."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import erf, pi, sqrt

import numpy as np

from dbd.continuum.box import Box
from dbd.messages import mismatch

IMAGES = 3


@dataclass(frozen=True)
class Profile:
    """A density on an interval: a positive background and Gaussian bumps.

    The bumps continue around a periodic box and are mirrored in walls, so that the density is smooth at the boundary.

    Parameters
    ----------
    background
        Particles per length, positive: where there are none, the logarithm of the density says nothing.
    bumps
        Triples of centre, width (standard deviation) and particles in the bump.
    """

    background: float
    bumps: tuple[tuple[float, float, float], ...] = ()

    def __post_init__(self):
        if self.background <= 0 or any(width <= 0 or number < 0 for _, width, number in self.bumps):
            raise ValueError(mismatch(self, "background and widths above 0, numbers of 0 or more"))

    def _images(self, box: Box) -> Iterator[tuple[float, float, float]]:
        """The bumps with their periodic or mirrored images."""
        (length,) = box.lengths
        for centre, width, number in self.bumps:
            for turn in range(-IMAGES, IMAGES + 1):
                for image in (
                    [centre + turn * length]
                    if box.periodic
                    else [2 * turn * length + centre, 2 * turn * length - centre]
                ):
                    yield image, width, number

    def cell_means(self, box: Box, cells: int) -> np.ndarray:
        """Mean density in each of `cells` equal parts of an interval; float64, shape (cells,). Exact."""
        (length,) = box.lengths
        edge = np.linspace(0.0, length, cells + 1)
        integral = self.background * edge
        for centre, width, number in self._images(box):
            integral += [0.5 * number * erf((x - centre) / (sqrt(2) * width)) for x in edge]
        return np.diff(integral) * cells / length

    def values(self, box: Box, cells: int) -> np.ndarray:
        """Density at the centres of `cells` equal parts of an interval; float64, shape (cells,)."""
        x = (np.arange(cells) + 0.5) * box.lengths[0] / cells
        density = np.full(cells, float(self.background))
        for centre, width, number in self._images(box):
            density += number / (sqrt(2 * pi) * width) * np.exp(-0.5 * ((x - centre) / width) ** 2)
        return density


def poisson_points(rng: np.random.Generator, box: Box, density: np.ndarray) -> np.ndarray:
    """Poisson process with a density given on equal cells; float64, shape (points, dimension).

    `density` has one axis per axis of the box; within a cell the points are uniform.
    """
    density = np.asarray(density, float)
    if density.ndim != box.dimension or (density < 0).any():
        raise ValueError(f"density: {mismatch(density, f'values of 0 or more on {box.dimension} axes')}")
    share = np.cumsum(density.ravel())
    number = rng.poisson(share[-1] / density.size * box.volume)
    cell = np.minimum(np.searchsorted(share, rng.random(number) * share[-1], side="right"), density.size - 1)
    corner = np.stack(np.unravel_index(cell, density.shape), axis=1)
    return (corner + rng.random((number, box.dimension))) * (np.array(box.lengths) / density.shape)


def jittered_points(rng: np.random.Generator, box: Box, number: int, spread: float) -> np.ndarray:
    """Points of a regular chain at a random origin, each displaced by a normal variate; float64, shape (number, 1).

    `spread` is the standard deviation in units of the spacing: 0 is a chain, above about 1 a Poisson-like pattern with
    a fixed number of points. The box is a periodic interval.
    """
    if box.dimension != 1 or not box.periodic:
        raise ValueError(f"box of jittered points: {mismatch(box, 'a periodic interval')}")
    (length,) = box.lengths
    unit = np.arange(number) + rng.random() + spread * rng.standard_normal(number)
    return (unit * length / number % length)[:, None]


def clustered_points(rng: np.random.Generator, box: Box, density: float, members: float, width: float) -> np.ndarray:
    """Thomas process (Biometrika 36, 18 (1949)): normally scattered points around the points of a Poisson process.

    A parent has a Poisson number of children, on the average `members`, at the standard deviation `width`.

    Float64, shape (points, dimension); `density` counts the points. The box is periodic.
    """
    if not box.periodic:
        raise ValueError(f"box of clustered points: {mismatch(box, 'a periodic one')}")
    lengths = np.array(box.lengths)
    parents = rng.random((rng.poisson(density * box.volume / members), box.dimension)) * lengths
    children = np.repeat(parents, rng.poisson(members, len(parents)), axis=0)
    return (children + width * rng.standard_normal(children.shape)) % lengths


def jittered_pairs(density: float, spread: float, distance: np.ndarray) -> np.ndarray:
    """Pair density of `jittered_points` on a long interval, at distances (n,).

    rho^2 times the sum over k != 0 of the normal density of variance 2 spread^2 at rho r - k.
    """
    unit = np.asarray(distance) * density
    far = int(np.ceil(unit.max() + 12 * spread)) + 1
    links = np.arange(-far, far + 1)
    variance = 2 * spread**2
    bell = np.exp(-((unit[:, None] - links[links != 0]) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return density**2 * bell.sum(axis=1)


def clustered_pairs(density: float, members: float, width: float, distance: np.ndarray) -> np.ndarray:
    """Pair density of `clustered_points` on a long interval, at distances (n,).

    rho^2 + rho members exp(-r^2 / 4 width^2) / sqrt(4 pi width^2): two points of a cluster are as far apart as two
    normal variates.
    """
    near = np.exp(-(np.asarray(distance) ** 2) / (4 * width**2)) / (2 * np.sqrt(np.pi) * width)
    return density**2 + density * members * near
