"""Boltzmann models on a lattice: visible interactions and hidden layers, and their sufficient statistics.

A model is data. Its law is ``p ~ exp(theta . phi)``, with energy ``- theta . phi``: every parameter is named by its
statistic phi, a total over the lattice. Everything here is the slow, obvious form that tests take as the truth; kernels
are built from it elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch, one_of

LONGEST_WORD = 4


@dataclass(frozen=True)
class Layer:
    """One layer of hidden units, each empty or in the state of one hidden species.

    Parameters
    ----------
    species
        Hidden species, single letters; states 1, 2, ... of a unit in this order.
    weights
        Couplings to the layer below, each a word "AX": a species of the layer below, a species of this layer.
    offsets
        The unit at position p is connected to the units of the layer below at p + offset, one offset of as many
        integers as the lattice has axes for every connection.
    wrap
        Whether connections wrap around. If so there is a unit at every position of the layer below; if not, only at
        those where every connection exists.
    bonds
        Instead of offsets: there is a unit on every bond of the lattice, connected to the two units of the layer below
        at its ends, and in an open lattice one between every outer site and the wall. Every site has as many units
        around it then: summed out, they are an interaction of nearest neighbours and the same bias on every site. No
        layer can be above them.
    """

    species: tuple[str, ...]
    weights: tuple[str, ...]
    offsets: tuple[tuple[int, ...], ...] = ()
    wrap: bool = False
    bonds: bool = False


@dataclass(frozen=True)
class EnergyModel:
    """Species, interactions and hidden layers of a Boltzmann model.

    Parameters
    ----------
    lattice
        Geometry of the visible units.
    species
        Visible species, single letters; states 1, 2, ... of a site in this order, 0 is empty.
    interactions
        Visible statistics, words of one to four species: "A" counts particles, "AB" nearest-neighbour bonds, longer
        words windows of sites in a row along an axis; each bond or window once, read in both directions. No word may
        be longer than a periodic axis.
    layers
        Hidden layers from the lowest to the highest; several make a deep Boltzmann machine.

    Raises
    ------
    ValueError
        When a word, a species or an offset does not fit the model; one line that names it.
    """

    lattice: Lattice
    species: tuple[str, ...]
    interactions: tuple[str, ...]
    layers: tuple[Layer, ...] = ()

    def __post_init__(self):
        _check_species(self.species, taken=())
        _check_unique("interaction", [min(word, word[::-1]) for word in self.interactions])
        for word in self.interactions:
            if not 1 <= len(word) <= LONGEST_WORD:
                raise ValueError(
                    f"interaction: {mismatch(repr(word), f'one to {LONGEST_WORD} species in a row along an axis')}"
                )
            if unknown := sorted(set(word) - set(self.species)):
                raise ValueError(f"interaction {word!r}: species: {mismatch(repr(unknown[0]), one_of(self.species))}")
            self.lattice.check_word(word)
        taken, below = self.species, self.species
        for layer in self.layers:
            _check_species(layer.species, taken)
            _check_unique("weight", layer.weights)
            _check_unique("offset", layer.offsets)
            for weight in layer.weights:
                if len(weight) != 2 or weight[0] not in below or weight[1] not in layer.species:
                    raise ValueError(
                        f"weight: got {weight!r}, expected a species of the layer below, one of {list(below)}, "
                        f"followed by a hidden species of this layer, one of {list(layer.species)}"
                    )
            if bool(layer.offsets) == layer.bonds or (layer.wrap and layer.bonds):
                raise ValueError(f"hidden layer {list(layer.species)}: needs either offsets or a unit on every bond")
            if layer.bonds and layer is not self.layers[-1]:
                raise ValueError(f"hidden layer {list(layer.species)}: only the highest can have a unit on every bond")
            for offset in layer.offsets:
                if len(offset) != self.lattice.dimension:
                    raise ValueError(f"offset {offset}: needs {self.lattice.dimension} integers, one for every axis")
            taken, below = taken + layer.species, layer.species
        for layer, table in zip(self.layers, self.connections, strict=True):
            if not len(table):
                raise ValueError(f"hidden layer {list(layer.species)}: no unit has all its connections on the lattice")
            if not layer.bonds and (np.diff(np.sort(table, axis=1), axis=1) == 0).any():
                raise ValueError(f"hidden layer {list(layer.species)}: offsets wrap onto the same unit twice")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of theta: visible interactions, then for every layer its weights and its hidden biases."""
        return self.interactions + tuple(word for layer in self.layers for word in layer.weights + layer.species)

    @property
    def alphabets(self) -> tuple[tuple[str, ...], ...]:
        """Species of the visible layer and of every hidden layer."""
        return (self.species, *(layer.species for layer in self.layers))

    @property
    def units(self) -> tuple[int, ...]:
        """Number of units of the visible layer and of every hidden layer."""
        return tuple(len(positions) for positions in self.positions)

    @cached_property
    def positions(self) -> tuple[np.ndarray, ...]:
        """Lattice site at which each unit of every layer sits, the visible layer first; int32, shape (units,).

        Units on bonds sit at one end of theirs.
        """
        return (np.arange(self.lattice.size, dtype=np.int32), *(sites for sites, _ in self._wiring))

    @cached_property
    def connections(self) -> tuple[np.ndarray, ...]:
        """Units of the layer below that each hidden unit is connected to, -1 for a wall.

        Per layer int32, shape (units, connections).
        """
        return tuple(table for _, table in self._wiring)

    @cached_property
    def _wiring(self) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
        """Positions and connections of every hidden layer, built upwards."""
        wiring = []
        unit_at = np.arange(self.lattice.size, dtype=np.int32)
        for layer in self.layers:
            if layer.bonds:
                sites = _bonds_and_walls(self.lattice)
                here = np.where(sites[:, 0] < 0, sites[:, 1], sites[:, 0])
            else:
                sites = np.stack([self.lattice.shifted(offset, wrap=layer.wrap) for offset in layer.offsets], axis=1)
                here = np.arange(self.lattice.size, dtype=np.int32)
            table = np.where(sites >= 0, unit_at[sites], -1)
            # A wrapping layer on top of a layer with missing units has units where its connections exist.
            kept = (table >= 0).any(axis=1) if layer.bonds else (table >= 0).all(axis=1)
            here = here[kept]
            wiring.append((here, np.ascontiguousarray(table[kept])))
            unit_at = np.full(self.lattice.size, -1, np.int32)
            unit_at[here] = np.arange(len(here))
        return tuple(wiring)

    def statistics(self, visible: np.ndarray, hidden: Sequence[np.ndarray] = ()) -> np.ndarray:
        """Sufficient statistics phi of given configurations.

        Parameters
        ----------
        visible
            Occupancies, shape (..., sites).
        hidden
            States of the units of every hidden layer, shapes (..., units).

        Returns
        -------
        Totals over the lattice; float64, shape (..., parameter).
        """
        counts = [_count_word(self.lattice, visible, self._states(word, 0)) for word in self.interactions]
        for number, (layer, table, here, below) in enumerate(
            zip(self.layers, self.connections, hidden, [visible, *hidden][:-1], strict=True), start=1
        ):
            below = np.pad(below, [(0, 0)] * (below.ndim - 1) + [(0, 1)])  # last the wall, which is empty
            for lower, upper in layer.weights:
                edges = (below[..., table] == self._state(lower, number - 1)) & (
                    here[..., None] == self._state(upper, number)
                )
                counts.append(edges.sum(axis=(-2, -1)))
            counts += [(here == self._state(letter, number)).sum(axis=-1) for letter in layer.species]
        return np.stack(counts, axis=-1).astype(float)

    def energy(self, theta: np.ndarray, visible: np.ndarray, hidden: Sequence[np.ndarray] = ()) -> np.ndarray:
        """Energy ``- theta . phi`` of given configurations, in units of temperature; shape (...)."""
        return -self.statistics(visible, hidden) @ np.asarray(theta, float)

    def _state(self, letter: str, number: int) -> int:
        """State of a unit of layer `number` (0 is the visible one) that stands for a species."""
        return 1 + self.alphabets[number].index(letter)

    def _states(self, word: str, number: int) -> tuple[int, ...]:
        return tuple(self._state(letter, number) for letter in word)


def _count_word(lattice: Lattice, visible: np.ndarray, word: tuple[int, ...]) -> np.ndarray:
    """Number of windows that read `word` in either direction; shape (...)."""
    windows = visible[..., lattice.windows(len(word))] if len(word) > 1 else visible[..., None]
    forwards = (windows == word).all(axis=-1)
    backwards = (windows == word[::-1]).all(axis=-1)
    return (forwards | backwards).sum(axis=-1)


def _bonds_and_walls(lattice: Lattice) -> np.ndarray:
    """Ends of every bond, -1 for the wall that an outer site of an open lattice is next to; int32, shape (bonds, 2)."""
    site = np.arange(lattice.size, dtype=np.int32)
    ends = []
    for axis in np.eye(lattice.dimension, dtype=int):
        before, after = lattice.shifted(tuple(-axis)), lattice.shifted(tuple(axis))
        ends += [np.stack([site, after], axis=1), np.stack([before, site], axis=1)[before < 0]]
    return np.concatenate(ends)


def _check_species(species: tuple[str, ...], taken: tuple[str, ...]):
    for place, letter in enumerate(species):
        if len(letter) != 1 or not letter.isascii() or not letter.isupper():
            raise ValueError(f"species: {mismatch(repr(letter), 'a single upper-case letter')}")
        if letter in taken or letter in species[:place]:
            raise ValueError(f"species {letter!r}: named twice, every visible or hidden species needs its own letter")


def _check_unique(kind: str, entries: Sequence):
    for place, entry in enumerate(entries):
        if entry in entries[:place]:
            raise ValueError(f"{kind} {entry!r}: named twice")
