"""Geometry of a rectangular lattice in one, two or three dimensions."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from dbd.messages import mismatch


@dataclass(frozen=True)
class Lattice:
    """Sites of a rectangular lattice, numbered in C order (the last axis runs fastest).

    Parameters
    ----------
    shape
        Sites per axis, one to three axes.
    boundary
        ``open``: no neighbour outside; ``periodic``: the axes wrap around.
    """

    shape: tuple[int, ...]
    boundary: Literal["open", "periodic"] = "open"

    def __post_init__(self):
        if not 1 <= len(self.shape) <= 3 or min(self.shape) < 1:
            raise ValueError(f"lattice shape: {mismatch(self.shape, 'one to three axes of at least one site')}")
        if self.boundary == "periodic" and min(self.shape) < 3:
            raise ValueError(f"periodic lattice shape: {mismatch(self.shape, 'three sites or more on every axis')}")

    @property
    def dimension(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of sites."""
        return int(np.prod(self.shape))

    def shifted(self, offset: tuple[int, ...], wrap: bool | None = None) -> np.ndarray:
        """Site at ``site + offset`` for every site, -1 where there is none; int32, shape (size,).

        `wrap` overrides the lattice's own boundary.
        """
        wrap = self.boundary == "periodic" if wrap is None else wrap
        position = np.indices(self.shape).reshape(self.dimension, -1) + np.array(offset)[:, None]
        shape = np.array(self.shape)[:, None]
        inside = np.ones(self.size, bool) if wrap else ((position >= 0) & (position < shape)).all(axis=0)
        site = np.ravel_multi_index(tuple(position % shape), self.shape)
        return np.where(inside, site, -1).astype(np.int32)

    @cached_property
    def neighbours(self) -> np.ndarray:
        """Face neighbours of every site, packed to the left, -1 behind; int32, shape (size, 2 * dimension)."""
        unit = np.eye(self.dimension, dtype=int)
        table = np.stack([self.shifted(tuple(sign * axis)) for axis in unit for sign in (-1, 1)], axis=1)
        order = np.argsort(table < 0, axis=1, kind="stable")
        return np.ascontiguousarray(np.take_along_axis(table, order, axis=1))

    @cached_property
    def degree(self) -> np.ndarray:
        """Number of face neighbours of every site; int32, shape (size,)."""
        return (self.neighbours >= 0).sum(axis=1).astype(np.int32)

    @cached_property
    def bonds(self) -> np.ndarray:
        """Nearest-neighbour bonds, each once, as (site, site + 1 along an axis); int32, shape (bonds, 2)."""
        return self.windows(2)

    def check_word(self, word: str) -> None:
        """Raise a one-line ValueError if a word is longer than a periodic axis: its windows would read a site twice."""
        if self.boundary == "periodic" and len(word) > min(self.shape):
            expected = f"at most {min(self.shape)}, the sites of the shortest periodic axis"
            raise ValueError(f"word {word!r}: {mismatch(f'{len(word)} letters', expected)}")

    def windows(self, length: int) -> np.ndarray:
        """Sets of `length` sites in a row along an axis, each once; int32, shape (windows, length)."""
        rows = []
        for axis in np.eye(self.dimension, dtype=int):
            row = np.stack([self.shifted(tuple(k * axis)) for k in range(length)], axis=1)
            rows.append(row[(row >= 0).all(axis=1)])
        return np.ascontiguousarray(np.concatenate(rows))
