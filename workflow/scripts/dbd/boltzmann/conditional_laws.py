"""Conditional laws of the units of a Boltzmann model, as tables.

The conditional law of a unit depends on its neighbourhood only through a row number: the units it is connected to, its
*slots*, each add a number that depends on their state, and the sum is the row of a table of cumulative probabilities.
One update is then a few look-ups and one random number, whatever the lattice, the species and the layers.

A neighbourhood has two *views*, whose rows are combined like digits: the visible sites around a site and the hidden
units above it, or for a hidden unit the layers below and above. Where neighbours act independently (pair interactions,
weights to another layer) it is enough to count the species among them; where they act together (triplets, quartets) the
view is their states in order. A missing neighbour is a unit that is always empty.
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.energy import EnergyModel

MOST_ROWS = 2**22


class Block(NamedTuple):
    """The units of one layer as kernels see them, in the order in which they are visited.

    A chain's state holds all layers one after the other, the visible one first, and last a unit that stays empty.

    Parameters
    ----------
    unit
        Place of each unit in the state of a chain; uint32, shape (units,).
    neighbours
        Place of the neighbour in each slot; uint32, shape (units, slots).
    contribution
        What the state of the neighbour in a slot adds to the row; uint32, shape (slots, states).
    first, second
        Exponents of a unit's states relative to the empty one are ``first[i] @ theta + second[j] @ theta`` in row
        ``i * len(second) + j``; float64, shapes (rows, species, parameter).
    """

    unit: np.ndarray
    neighbours: np.ndarray
    contribution: np.ndarray
    first: np.ndarray
    second: np.ndarray

    @property
    def rows(self) -> int:
        """Number of rows of the table."""
        return len(self.first) * len(self.second)

    @property
    def species(self) -> int:
        """Number of states of a unit besides the empty one."""
        return self.first.shape[1]


class _View(NamedTuple):
    """One view of a neighbourhood: its slots, what their states contribute, and the features of its rows."""

    neighbours: np.ndarray
    contribution: np.ndarray
    features: np.ndarray


def conditional_blocks(model: EnergyModel) -> tuple[Block, ...]:
    """Return the block of the visible layer and of every hidden layer of a model.

    Raises
    ------
    ValueError
        When a table would have more than 2^22 rows, or a periodic axis is shorter than an interaction.
    """
    starts = np.concatenate([[0], np.cumsum(model.units)])
    states = 1 + max(len(alphabet) for alphabet in model.alphabets)
    blocks = []
    for number, alphabet in enumerate(model.alphabets):
        views = [_lower_view(model, number, starts, states), _upper_view(model, number, starts, states)]
        order = _visiting_order(model, number)
        block = Block(
            (starts[number] + order).astype(np.uint32),
            np.concatenate([view.neighbours for view in views], axis=1)[order].astype(np.uint32),
            np.concatenate([views[0].contribution * len(views[1].features), views[1].contribution]).astype(np.uint32),
            views[0].features @ model.centring.T,
            views[1].features @ model.centring.T,
        )
        if block.rows > MOST_ROWS:
            raise ValueError(
                f"conditional law of {list(alphabet)}: got a table of {block.rows} rows, expected at most {MOST_ROWS}; "
                "fewer species, shorter interactions or fewer connections"
            )
        blocks.append(block)
    return tuple(blocks)


def _visiting_order(model: EnergyModel, number: int) -> np.ndarray:
    """Units of a layer in the order of their updates: visible sites by classes without interactions among them."""
    if number > 0:
        return np.arange(model.units[number])
    stride = max(len(word) for word in model.interactions or ("A",))
    return np.argsort(np.indices(model.lattice.shape).sum(axis=0).ravel() % stride, kind="stable")


def _lower_view(model: EnergyModel, number: int, starts: np.ndarray, states: int) -> _View:
    """View of a hidden unit downwards or of a visible one sideways, the biases included."""
    if number == 0:
        return _visible_view(model, starts[-1], states)
    layer = model.layers[number - 1]
    couplings = [
        (model._state(weight[0], number - 1), model._state(weight[1], number), model.parameters.index(weight))
        for weight in layer.weights
    ]
    table = model.connections[number - 1]
    view = _counting_view(np.where(table < 0, starts[-1], starts[number - 1] + table), couplings, model, number, states)
    for letter in layer.species:
        view.features[:, model._state(letter, number) - 1, model.parameters.index(letter)] = 1
    return view


def _upper_view(model: EnergyModel, number: int, starts: np.ndarray, states: int) -> _View:
    """View of a unit upwards; empty for the highest layer."""
    if number == len(model.layers):
        return _counting_view(np.empty((model.units[number], 0), int), [], model, number, states)
    table = model.connections[number]
    order = np.argsort(table, axis=None, kind="stable")[np.count_nonzero(table < 0) :]
    below, upper = table.ravel()[order], order // table.shape[1]
    connections = np.bincount(below, minlength=model.units[number])
    slot = np.arange(len(below)) - np.repeat(np.cumsum(connections) - connections, connections)
    above = np.full((model.units[number], connections.max()), starts[-1])
    above[below, slot] = starts[number + 1] + upper
    couplings = [
        (model._state(weight[1], number + 1), model._state(weight[0], number), model.parameters.index(weight))
        for weight in model.layers[number].weights
    ]
    return _counting_view(above, couplings, model, number, states)


def _visible_view(model: EnergyModel, nowhere: int, states: int) -> _View:
    """View of a visible site sideways: counts of its neighbours for pairs, their states in order for longer words."""
    reach = max(len(word) for word in model.interactions or ("A",)) - 1
    if model.lattice.boundary == "periodic" and min(model.lattice.shape) <= reach:
        raise ValueError(f"periodic lattice {model.lattice.shape}: shorter than an interaction of {reach + 1} sites")
    steps = [step for k in range(1, reach + 1) for step in (-k, k)]
    slots = [(axis, step) for axis in range(model.lattice.dimension) for step in steps]
    unit = np.eye(model.lattice.dimension, dtype=int)
    sites = [model.lattice.shifted(tuple(step * unit[axis])) for axis, step in slots]
    neighbours = np.stack(sites, axis=1) if slots else np.empty((model.lattice.size, 0), int)
    neighbours = np.where(neighbours < 0, nowhere, neighbours)
    words = [(model._states(word, 0), model.parameters.index(word)) for word in model.interactions]
    if reach <= 1:
        couplings = {pair for word, k in words if len(word) == 2 for pair in ((*word, k), (*word[::-1], k))}
        view = _counting_view(neighbours, sorted(couplings), model, 0, states)
        for word, k in words:
            if len(word) == 1:
                view.features[:, word[0] - 1, k] = 1
        return view
    return _reading_view(neighbours, slots, words, model, states)


def _counting_view(
    neighbours: np.ndarray, couplings: Sequence[tuple[int, int, int]], model: EnergyModel, number: int, states: int
) -> _View:
    """View that counts neighbours by state; couplings are (state seen, own state, parameter)."""
    slots = neighbours.shape[1]
    seen = sorted({coupling[0] for coupling in couplings})
    row = np.arange((slots + 1) ** len(seen))
    contribution = np.zeros((slots, states), int)
    features = np.zeros((len(row), len(model.alphabets[number]), len(model.parameters)))
    for place, state in enumerate(seen):
        contribution[:, state] = (slots + 1) ** place
        for other, own, parameter in couplings:
            if other == state:
                features[:, own - 1, parameter] += row // (slots + 1) ** place % (slots + 1)
    return _View(neighbours, contribution, features)


def _reading_view(
    neighbours: np.ndarray,
    slots: Sequence[tuple[int, int]],
    words: Sequence[tuple[tuple[int, ...], int]],
    model: EnergyModel,
    states: int,
) -> _View:
    """View that reads the states of the neighbours in order; slots are (axis, step), words (states, parameter)."""
    base = len(model.species) + 1
    if base ** len(slots) > MOST_ROWS:
        raise ValueError(f"interactions {list(model.interactions)}: need a table of more than {MOST_ROWS} rows")
    row = np.arange(base ** len(slots))
    read = {slot: row // base**place % base for place, slot in enumerate(slots)}
    contribution = np.zeros((len(slots), states), int)
    for place in range(len(slots)):
        contribution[place, :base] = np.arange(base) * base**place
    features = np.zeros((len(row), base - 1, len(model.parameters)))
    for (word, parameter), own in product(words, range(1, base)):
        for axis in range(model.lattice.dimension if len(word) > 1 else 1):
            for here in range(len(word)):
                window = np.stack(
                    [np.full(len(row), own) if k == here else read[axis, k - here] for k in range(len(word))], axis=1
                )
                match = (window == word).all(axis=1) | (window == word[::-1]).all(axis=1)
                features[:, own - 1, parameter] += match
    return _View(neighbours, contribution, features)


@njit(cache=True, nogil=True)
def tabulate(block, theta, table):
    """Fill a table (rows, species) with the probabilities of a state below 1, 2, ... given the neighbourhood."""
    species = table.shape[1]
    exponent = np.empty(species)
    row = 0
    for i in range(block.first.shape[0]):
        for j in range(block.second.shape[0]):
            largest = 0.0
            for x in range(species):
                exponent[x] = 0.0
                for k in range(theta.shape[0]):
                    exponent[x] += (block.first[i, x, k] + block.second[j, x, k]) * theta[k]
                largest = max(largest, exponent[x])
            total = np.exp(-largest)
            for x in range(species):
                table[row, x] = total
                total += np.exp(exponent[x] - largest)
            for x in range(species):
                table[row, x] /= total
            row += 1
