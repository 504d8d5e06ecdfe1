"""Patterns of up to three molecules in any arrangement on a lattice: counting them, and sampling laws that hold them.

A pattern is a word of species on a shape: a site, a pair at the distance 1, sqrt 2, sqrt 3 or 2, three sites in a row,
or a bend of three around its middle one. Every arrangement of a shape on the lattice counts once, read in either
direction. `EnergyModel` has the patterns whose shapes are sites, neighbours and rows, and faster samplers for them; the
sampler here takes any, for finding out which are needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations, product
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.lattice.geometry import Lattice

PAIRS = {"": 1, " at sqrt 2": 2, " at sqrt 3": 3, " at 2": 4}
"""What is put behind the word of a pair, and the square of its distance."""
BEND = " bent"


class Pattern(NamedTuple):
    """A word of one to three species, and what is put behind it to name its shape: see `PAIRS` and `BEND`."""

    word: str
    shape: str = ""

    @property
    def name(self) -> str:
        """Such as "AB at sqrt 2"."""
        return self.word + self.shape

    @property
    def plain(self) -> bool:
        """Whether it is a word as `EnergyModel` and study files have them."""
        return not self.shape


def all_patterns(lattice: Lattice, species: Sequence[str]) -> list[Pattern]:
    """Every pattern of two or three molecules that fits on a lattice."""
    shapes = [(2, shape) for shape in PAIRS] + [(3, ""), (3, BEND)]
    words = {size: [w for w in map("".join, product(species, repeat=size)) if w <= w[::-1]] for size in (2, 3)}
    found = [(size, shape) for size, shape in shapes if len(arrangements(lattice, size, shape))]
    return [Pattern(word, shape) for size, shape in found for word in words[size]]


def arrangements(lattice: Lattice, size: int, shape: str = "") -> np.ndarray:
    """Sets of `size` sites of a shape, each once, in the order in which words are read; int32, (arrangements, size)."""
    if size < 3 and not shape:
        return lattice.windows(size) if size > 1 else np.arange(lattice.size, dtype=np.int32)[:, None]
    steps = [np.array(step) for step in product(range(-2, 3), repeat=lattice.dimension)]
    if size == 2:
        sets = [(0 * step, step) for step in steps if step @ step == PAIRS[shape]]
    else:
        units = [step for step in steps if step @ step == 1]
        wanted = 0 if shape == BEND else -1
        sets = [(one, 0 * one, other) for one, other in combinations(units, 2) if one @ other == wanted]
    rows = [np.stack([lattice.shifted(tuple(step)) for step in steps], axis=1) for steps in sets]
    rows = np.concatenate(rows) if rows else np.empty((0, size), np.int32)
    rows = rows[(rows >= 0).all(axis=1)]
    rows = np.where(rows[:, :1] > rows[:, -1:], rows[:, ::-1], rows)
    return np.unique(rows, axis=0)


@dataclass(frozen=True)
class PatternModel:
    """Law p ~ exp(theta . phi), where phi are totals of patterns over the lattice.

    States of chains are occupancies, uint8, with a site behind the last that stays empty: (chains, sites + 1).
    """

    lattice: Lattice
    species: tuple[str, ...]
    patterns: tuple[Pattern, ...]

    @cached_property
    def _shapes(self) -> list[tuple[int, str]]:
        return sorted({(len(pattern.word), pattern.shape) for pattern in self.patterns})

    @cached_property
    def _sites(self) -> np.ndarray:
        """Sites of all arrangements, shape by shape, filled up to three with the empty one; int64."""
        sets = [arrangements(self.lattice, *shape) for shape in self._shapes] or [np.empty((0, 3), int)]
        padded = [np.pad(s, [(0, 0), (0, 3 - s.shape[1])], constant_values=self.lattice.size) for s in sets]
        return np.concatenate(padded).astype(np.int64)

    @cached_property
    def _kind(self) -> np.ndarray:
        """Which shape an arrangement has; int64."""
        return np.repeat(np.arange(len(self._shapes)), [len(arrangements(self.lattice, *s)) for s in self._shapes])

    @cached_property
    def _members(self) -> np.ndarray:
        """Arrangements that a site is part of, -1 behind; int64, (sites, most)."""
        site, arrangement = self._sites.ravel(), np.repeat(np.arange(len(self._sites)), 3)
        real = site < self.lattice.size
        order = np.argsort(site[real], kind="stable")
        site, arrangement = site[real][order], arrangement[real][order]
        count = np.bincount(site, minlength=self.lattice.size)
        members = np.full((self.lattice.size, count.max(initial=0)), -1)
        members[site, np.arange(len(site)) - np.repeat(np.cumsum(count) - count, count)] = arrangement
        return members

    @cached_property
    def _reads(self) -> np.ndarray:
        """Whether an arrangement of a kind and code is a pattern; float64, (kinds, codes, patterns)."""
        base = len(self.species) + 1
        reads = np.zeros((len(self._shapes), base**3, len(self.patterns)))
        for k, (word, shape) in enumerate(self.patterns):
            for text in (word, word[::-1]):
                code = sum((1 + self.species.index(letter)) * base**place for place, letter in enumerate(text))
                reads[self._shapes.index((len(word), shape)), code, k] = 1.0
        return reads

    def count(self, states: np.ndarray) -> np.ndarray:
        """Totals of the patterns, float64, (chains, patterns)."""
        histogram = np.zeros((len(states), *self._reads.shape[:2]))
        _histogram(np.ascontiguousarray(states), self._sites, self._kind, len(self.species) + 1, histogram)
        return histogram.reshape(len(states), -1) @ self._reads.reshape(-1, len(self.patterns))

    def advance(
        self, theta: np.ndarray, states: np.ndarray, sweeps: int, swap: bool, generator: np.random.Generator
    ) -> None:
        """Advance chains in place by Metropolis sweeps: of swaps of any two sites, or else of changes of single ones.

        A sweep is as many attempts as there are sites. Swaps keep the numbers of molecules.
        """
        weights = self._reads @ np.asarray(theta, float)
        tables = self._members, self._sites, self._kind, weights, len(self.species) + 1
        _advance(*tables, states, sweeps, swap, generator)


@njit(cache=True, nogil=True)
def _histogram(states, sites, kind, base, histogram):
    """Count arrangements by kind and code, (chains, kinds, codes)."""
    for c in range(len(states)):
        for w in range(len(sites)):
            code = states[c, sites[w, 0]] + base * (states[c, sites[w, 1]] + base * states[c, sites[w, 2]])
            histogram[c, kind[w], code] += 1.0


@njit(cache=True, nogil=True)
def _around(members, sites, kind, weights, base, state, site):
    """Terms of theta . phi that a site is part of."""
    total = 0.0
    for slot in range(members.shape[1]):
        w = members[site, slot]
        if w < 0:
            break
        total += weights[kind[w], state[sites[w, 0]] + base * (state[sites[w, 1]] + base * state[sites[w, 2]])]
    return total


@njit(cache=True, nogil=True)
def _advance(members, sites, kind, weights, base, states, sweeps, swap, generator):
    """Metropolis sweeps of every chain."""
    size = len(members)
    for state in states:
        for _ in range(sweeps * size):
            i = int(generator.random() * size)
            j = int(generator.random() * size) if swap else size
            a, b = state[i], state[j] if swap else np.uint8(generator.random() * base)
            if a == b:
                continue
            change = -_around(members, sites, kind, weights, base, state, i)
            state[i] = b
            change += _around(members, sites, kind, weights, base, state, i)
            if swap:
                change -= _around(members, sites, kind, weights, base, state, j)
                state[j] = a
                change += _around(members, sites, kind, weights, base, state, j)
            if change < 0.0 and generator.random() >= np.exp(change):
                state[i] = a
                if swap:
                    state[j] = b
