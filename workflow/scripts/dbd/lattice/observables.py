"""Counting observables in lattices, and exact sums of the counts over runs.

An observable is a word of species letters. ``A`` is the number of molecules of A; ``AB`` the number of nearest-
neighbour bonds that hold an A and a B, in either order; ``AAA`` or ``ABBA`` the number of windows of sites in a row
along an axis that read so in one direction or the other. Every site, bond and window counts once. Counts are totals
over the lattice.

The counts are whole numbers, so their sums and sums of products over runs are exact: merging parts of an ensemble gives
the same moments to the last bit, however it was cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch, one_of

LONGEST_WORD = 4
"""Number of letters of the longest observable."""


def check_observables(lattice: Lattice, species: Sequence[str], observables: Sequence[str]) -> None:
    """Raise a one-line ValueError unless every observable is a word of one to four of the species, given once.

    On a periodic lattice no word may be longer than an axis.
    """
    for word in observables:
        if not isinstance(word, str) or not 1 <= len(word) <= LONGEST_WORD:
            raise ValueError(f"observable: {mismatch(repr(word), f'a word of 1 to {LONGEST_WORD} species letters')}")
        for letter in word:
            if letter not in species:
                raise ValueError(f"observable {word!r}: species: {mismatch(repr(letter), one_of(species))}")
        lattice.check_word(word)
        if sum(word in (other, other[::-1]) for other in observables) > 1:
            raise ValueError(f"observable {word!r} is given twice (a word and its mirror image are the same)")


def count_observables(
    occupancy: np.ndarray, lattice: Lattice, species: Sequence[str], observables: Sequence[str]
) -> np.ndarray:
    """Count observables in lattices.

    Parameters
    ----------
    occupancy
        0 for an empty site, 1.. for the species in declared order; uint8, shape (..., sites).
    lattice
        Its geometry; windows wrap around if it is periodic.
    species
        Names in declared order.
    observables
        Words of one to four of them.

    Returns
    -------
    counts
        int32, shape (..., observables).

    Raises
    ------
    ValueError
        For an unknown observable, or occupancies that do not fit the lattice or the species.
    """
    check_observables(lattice, species, observables)
    if occupancy.dtype != np.uint8 or occupancy.shape[-1] != lattice.size:
        expected = f"uint8 with {lattice.size} sites on the last axis"
        raise ValueError(f"occupancy: {mismatch(f'{occupancy.dtype} of shape {occupancy.shape}', expected)}")
    if occupancy.max(initial=0) > len(species):
        raise ValueError(f"occupancy: {mismatch(occupancy.max(), f'0 to {len(species)}')}")
    counts = np.zeros((*occupancy.shape[:-1], len(observables)), np.int32)
    if not observables:
        return counts
    letters = sorted(set("".join(observables)))
    bits = len(letters).bit_length()
    longest = max(map(len, observables))
    digit = np.zeros(len(species) + 1, np.int64)  # letters that no observable has count as empty
    for name in letters:
        digit[list(species).index(name) + 1] = letters.index(name) + 1
    axes = lattice.dimension if longest > 1 else 1
    sites = np.arange(lattice.size).reshape(lattice.shape)
    _count(
        np.ascontiguousarray(occupancy).reshape(-1, lattice.size),
        digit,
        bits,
        longest,
        np.stack([np.moveaxis(sites, axis, -1).ravel() for axis in range(axes)]),
        np.array(lattice.shape[:axes]),
        lattice.boundary == "periodic",
        _matches(observables, letters, bits, longest),
        counts.reshape(-1, len(observables)),
    )
    return counts


def _matches(observables: Sequence[str], letters: Sequence[str], bits: int, longest: int) -> np.ndarray:
    """Which codes of a window contribute to which observable; int64, shape (matches, 3).

    A code is that of the `longest` sites that end at a site, its lowest digit the site itself: an observable is met
    when the lowest digits read like the word or its mirror image. Rows are (0 for the first axis or 1 for the others,
    code, observable); single letters are counted along the first axis alone.
    """
    codes = np.arange(1 << (bits * longest))
    rows = []
    for column, word in enumerate(observables):
        for text in {word, word[::-1]}:
            value = 0
            for letter in text:
                value = (value << bits) | (letters.index(letter) + 1)
            met = codes[codes & ((1 << (bits * len(word))) - 1) == value]
            rows += [(axis, code, column) for axis in range(min(len(word), 2)) for code in met]
    return np.array(rows, np.int64)


@njit(cache=True, nogil=True)
def _count(occupancy, digit, bits, longest, order, length, periodic, matches, counts):
    """Histogram the windows that end at each site, along each axis in turn, and add up the matching ones."""
    codes = 1 << (bits * longest)
    mask = codes - 1
    histogram = np.zeros((2, codes), np.int32)
    for row in range(occupancy.shape[0]):
        histogram[:] = 0
        for axis in range(length.size):
            windows = histogram[min(axis, 1)]
            line = length[axis]
            for start in range(0, occupancy.shape[1], line):
                code = 0
                if periodic:
                    for k in range(1 - longest, 0):
                        code = (code << bits) | digit[occupancy[row, order[axis, start + k % line]]]
                for k in range(start, start + line):
                    code = ((code << bits) | digit[occupancy[row, order[axis, k]]]) & mask
                    windows[code] += 1
        for k in range(matches.shape[0]):
            counts[row, matches[k, 2]] += histogram[matches[k, 0], matches[k, 1]]


@dataclass(frozen=True)
class Sums:
    """Sums of counts over runs; add two to merge two parts of an ensemble.

    Attributes
    ----------
    runs
        Number of runs.
    first
        Sum of the counts; int64, shape (..., observable).
    second
        Sum of the products of any two counts; int64, shape (..., observable, observable).
    """

    runs: int
    first: np.ndarray
    second: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray) -> "Sums":
        """Sum over the first axis of integer counts of shape (runs, ..., observable).

        Exact while runs^2 times the largest squared count stays below 2^63.
        """
        counts = counts.astype(np.int64)
        return cls(len(counts), counts.sum(axis=0), np.einsum("r...i,r...j->...ij", counts, counts))

    def __add__(self, other: "Sums") -> "Sums":
        """Merge two parts of an ensemble."""
        return Sums(self.runs + other.runs, self.first + other.first, self.second + other.second)

    @property
    def mean(self) -> np.ndarray:
        """Mean over runs; float64, shape (..., observable)."""
        return self.first / self.runs

    @property
    def covariance(self) -> np.ndarray:
        """Unbiased covariance between runs, nan for a single run; float64, shape (..., observable, observable)."""
        scatter = self.runs * self.second - self.first[..., :, None] * self.first[..., None, :]
        return scatter / (self.runs * (self.runs - 1) or np.nan)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation between runs, nan for a single run; float64, shape (..., observable)."""
        return np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))

    @property
    def sem(self) -> np.ndarray:
        """Standard error of the mean; float64, shape (..., observable)."""
        return self.std / np.sqrt(self.runs)
