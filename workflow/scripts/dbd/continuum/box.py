"""Geometry of continuous space: an interval or a rectangle, with walls or periodic."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from dbd.messages import mismatch


class Space(NamedTuple):
    """A box as the kernels take it."""

    lengths: np.ndarray
    periodic: bool


@dataclass(frozen=True)
class Box:
    """An interval or a rectangle with one corner at the origin.

    Parameters
    ----------
    lengths
        Side of each axis, one or two positive numbers.
    boundary
        ``reflecting``: walls; ``periodic``: the axes wrap around.
    """

    lengths: tuple[float, ...]
    boundary: Literal["reflecting", "periodic"] = "reflecting"

    def __post_init__(self):
        if not 1 <= len(self.lengths) <= 2 or min(self.lengths) <= 0:
            raise ValueError(f"lengths of the box: {mismatch(self.lengths, 'one or two positive numbers')}")

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.lengths)

    @property
    def periodic(self) -> bool:
        """Whether the axes wrap around."""
        return self.boundary == "periodic"

    @property
    def volume(self) -> float:
        """Length or area."""
        return float(np.prod(self.lengths))

    @property
    def longest_range(self) -> float:
        """Longest distance at which two particles see each other once only."""
        return min(self.lengths) / (2 if self.periodic else 1)

    @property
    def space(self) -> Space:
        """The box for the kernels."""
        return Space(np.array(self.lengths, float), self.periodic)


@njit(cache=True, nogil=True)
def inside(x, length, periodic):
    """Image inside the box of a coordinate along one axis."""
    if 0.0 <= x < length:
        return x
    if periodic:
        x -= np.floor(x / length) * length
        return x if x < length else 0.0
    x = abs(x) % (2.0 * length)
    return min(x, 2.0 * length - x)


@njit(cache=True, nogil=True)
def distance(a, b, space):
    """Distance of two points, the shortest way round if the box is periodic."""
    square = 0.0
    for axis in range(space.lengths.size):
        d = abs(a[axis] - b[axis])
        if space.periodic:
            d = min(d, space.lengths[axis] - d)
        square += d * d
    return np.sqrt(square)
