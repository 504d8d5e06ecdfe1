"""Moments of particles in continuous space: density, pair density and gaps, as exact integer counts.

Each observable of a run is an array of counts. Over the runs of an ensemble a `Tally` adds the counts and their
squares, as integers: tallies of any parts of the ensemble, in any order, add up to the same numbers. Runs are dealt to
a fixed number of groups, over which a bootstrap can draw.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from dbd.continuum.box import Box, Space, distance
from dbd.continuum.brownian import Snapshots
from dbd.messages import mismatch


@dataclass
class Tally:
    """Sums over runs of an array of counts.

    Attributes
    ----------
    runs
        Number of runs in each group; int64, shape (groups,).
    sums
        Sum of the counts over the runs of each group; int64, shape (groups, ...).
    squares
        Sum of the squared counts over all runs; int64, shape (...).
    """

    runs: np.ndarray
    sums: np.ndarray
    squares: np.ndarray

    @classmethod
    def empty(cls, groups: int, shape: tuple[int, ...]) -> "Tally":
        """No runs yet, for counts of a shape."""
        return cls(np.zeros(groups, np.int64), np.zeros((groups, *shape), np.int64), np.zeros(shape, np.int64))

    def add(self, run: int, counts: np.ndarray):
        """Enter the counts of a run; it belongs to group ``run % groups``, whichever part of the ensemble it is in."""
        group = run % len(self.runs)
        self.runs[group] += 1
        self.sums[group] += counts
        self.squares += counts.astype(np.int64) ** 2

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.runs + other.runs, self.sums + other.sums, self.squares + other.squares)

    @property
    def mean(self) -> np.ndarray:
        """Mean count of a run; float64, shape (...)."""
        return self.sums.sum(axis=0) / self.runs.sum()

    @property
    def variance(self) -> np.ndarray:
        """Unbiased variance of the count between runs; float64, shape (...). Needs two runs or more."""
        runs = self.runs.sum()
        total = self.sums.sum(axis=0)
        # Integer arithmetic up to the division: no cancellation however many runs there are.
        return (runs * self.squares - total**2) / (runs * (runs - 1))

    @property
    def sem(self) -> np.ndarray:
        """Standard error of `mean`; float64, shape (...)."""
        return np.sqrt(self.variance / self.runs.sum())


def count_cells(snapshots: Snapshots, box: Box, cells: tuple[int, ...], species: int) -> np.ndarray:
    """Particles in equal cells; int64, shape (times, species, *cells). The mean over the cell volume is the density."""
    times = len(snapshots.offsets) - 1
    counts = np.zeros((times, species, int(np.prod(cells))), np.int64)
    _count_cells(*snapshots, np.array(box.lengths, float), np.array(cells), counts)
    return counts.reshape(times, species, *cells)


def count_pairs(snapshots: Snapshots, box: Box, reach: float, bins: int, species: int) -> np.ndarray:
    """Pairs nearer than `reach` by distance; int64, shape (times, species, species, bins).

    Entry [t, a, b] counts every ordered pair of an a and a b once, so pairs of like particles twice: the mean over
    `pair_volume` is the pair density. The cost is quadratic in the number of particles.
    """
    if not 0 < reach <= box.longest_range:
        raise ValueError(f"reach: {mismatch(reach, f'above 0 and up to {box.longest_range}')}")
    counts = np.zeros((len(snapshots.offsets) - 1, species, species, bins), np.int64)
    _count_pairs(*snapshots, box.space, reach, counts)
    return counts


def pair_volume(box: Box, reach: float, bins: int) -> np.ndarray:
    """Measure of the positions of an ordered pair at the distances of each bin, in a periodic box; shape (bins,)."""
    edge = np.linspace(0.0, reach, bins + 1)
    ball = 2 * edge if box.dimension == 1 else np.pi * edge**2
    return box.volume * np.diff(ball)


def count_gaps(snapshots: Snapshots, box: Box, reach: float, bins: int) -> np.ndarray:
    """Distances between neighbours on a periodic interval, below `reach`; int64, shape (times, bins).

    All species count alike; a particle alone has no gap.
    """
    if box.dimension != 1 or not box.periodic:
        raise ValueError(f"box of gaps: {mismatch(box, 'a periodic interval')}")
    counts = np.zeros((len(snapshots.offsets) - 1, bins), np.int64)
    _count_gaps(snapshots.position[:, 0], snapshots.offsets, box.lengths[0], reach, counts)
    return counts


def counters(box: Box, species: int, observables: Mapping[str, Any]) -> dict[str, Callable[[Snapshots], np.ndarray]]:
    """Functions from the snapshots of a run to counts, by name; `observables` is the section of a study."""
    pairs, gaps = observables["pairs"], observables["gaps"]

    def cells(shape: Sequence[int]) -> Callable[[Snapshots], np.ndarray]:
        return lambda seen: count_cells(seen, box, tuple(shape), species).reshape(-1, species, int(np.prod(shape)))

    whole = cells((1,) * box.dimension)
    functions = {"number": lambda seen: whole(seen)[..., 0], "cell": cells(observables["cells"])}
    if pairs:
        functions["pair"] = lambda seen: count_pairs(seen, box, pairs["reach"], pairs["bins"], species)
    if gaps:
        functions["gap"] = lambda seen: count_gaps(seen, box, gaps["reach"], gaps["bins"])
    return functions


@njit(cache=True, nogil=True)
def _count_cells(position, species, offsets, lengths, cells, counts):
    """Add particles to counts (times, species, cells)."""
    for time in range(offsets.size - 1):
        for i in range(offsets[time], offsets[time + 1]):
            cell = 0
            for axis in range(lengths.size):
                along = min(int(position[i, axis] / lengths[axis] * cells[axis]), cells[axis] - 1)
                cell = cell * cells[axis] + along
            counts[time, species[i] - 1, cell] += 1


@njit(cache=True, nogil=True)
def _count_pairs(position, species, offsets, space: Space, reach, counts):
    """Add pairs to counts (times, species, species, bins)."""
    bins = counts.shape[-1]
    for time in range(offsets.size - 1):
        for i in range(offsets[time], offsets[time + 1]):
            for j in range(offsets[time], i):
                bin = int(distance(position[i], position[j], space) / reach * bins)
                if bin < bins:
                    counts[time, species[i] - 1, species[j] - 1, bin] += 1
                    counts[time, species[j] - 1, species[i] - 1, bin] += 1


@njit(cache=True, nogil=True)
def _count_gaps(x, offsets, length, reach, counts):
    """Add gaps to counts (times, bins)."""
    bins = counts.shape[-1]
    for time in range(offsets.size - 1):
        ordered = np.sort(x[offsets[time] : offsets[time + 1]])
        for i in range(ordered.size if ordered.size > 1 else 0):
            gap = ordered[i] - ordered[i - 1] + (length if i == 0 else 0.0)
            bin = int(gap / reach * bins)
            if bin < bins:
                counts[time, bin] += 1
