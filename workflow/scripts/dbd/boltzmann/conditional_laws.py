"""Conditional laws of the units of a Boltzmann model, as tables.

The conditional law of a unit depends on its neighbourhood only through a *code*: the units it is connected to, its
*slots*, each add a number that depends on their state. The weight of each state of the unit is a product of *factors*,
each a table whose row is read from some of the bits of the code. One update is then a few look-ups and one random
number, whatever the lattice, the species and the layers.

Where neighbours act independently (pair interactions, weights to another layer) a factor counts those of one species;
where they act together (triplets, quartets) it reads their states in order along one axis. Small factors are multiplied
out into one table, so that most models have a single one; with many species or long words there are several, and their
size is proportional to the number of species or axes. A missing neighbour is a unit that is always empty.
"""

from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.energy import EnergyModel

MOST_ROWS = 2**22
COMBINED_ROWS = 2**10  # up to which factors are multiplied out: a table that stays in the fastest caches
_CODE_BITS = 64
_LOG_SMALLEST = -700.0  # of a product of weights, so that it does not vanish


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
        What the state of the neighbour in a slot adds to the code; uint64, shape (slots, states).
    shift, mask, start
        The row of a factor is ``start + (code >> shift & mask)``; uint64, shape (factors,).
    features
        A row adds ``features @ theta`` to the exponents of a unit's states relative to the empty one; float64, shape
        (rows, species, parameter).
    """

    unit: np.ndarray
    neighbours: np.ndarray
    contribution: np.ndarray
    shift: np.ndarray
    mask: np.ndarray
    start: np.ndarray
    features: np.ndarray

    @property
    def rows(self) -> int:
        """Number of rows of the tables of all factors."""
        return len(self.features)

    @property
    def states(self) -> int:
        """Number of states of a unit."""
        return self.features.shape[1] + 1


class _Factor(NamedTuple):
    """One factor of the weights: what the states of slots (slots, states) add to its row, and its features."""

    contribution: np.ndarray
    features: np.ndarray


class _View(NamedTuple):
    """Some of the slots of units, (units, slots), and the factors that they decide."""

    neighbours: np.ndarray
    factors: list[_Factor]


def conditional_blocks(model: EnergyModel) -> tuple[Block, ...]:
    """Return the block of the visible layer and of every hidden layer of a model.

    Raises
    ------
    ValueError
        When a table would have more than 2^22 rows or a code more than 64 bits.
    """
    starts = np.concatenate([[0], np.cumsum(model.units)])
    states = 1 + max(len(alphabet) for alphabet in model.alphabets)
    blocks = []
    for number, alphabet in enumerate(model.alphabets):
        views = [_lower_view(model, number, starts, states), _upper_view(model, number, starts, states)]
        slots = [view.neighbours.shape[1] for view in views]
        padding = [((0, slots[1]), (0, 0)), ((slots[0], 0), (0, 0))]  # a view adds nothing in the slots of the other
        factors = _combined(
            factor._replace(contribution=np.pad(factor.contribution, pad))
            for view, pad in zip(views, padding, strict=True)
            for factor in view.factors
        )
        rows = [len(factor.features) for factor in factors]
        bits = [(count - 1).bit_length() for count in rows]
        if sum(bits) > _CODE_BITS:
            raise ValueError(
                f"conditional law of {list(alphabet)}: got {sum(bits)} bits, expected at most {_CODE_BITS}; "
                "fewer species or fewer connections"
            )
        shift, start = np.cumsum([0, *bits[:-1]]), np.cumsum([0, *rows[:-1]])
        order = _visiting_order(model, number)
        blocks.append(
            Block(
                (starts[number] + order).astype(np.uint32),
                np.concatenate([view.neighbours for view in views], axis=1)[order].astype(np.uint32),
                sum(f.contribution.astype(np.uint64) << np.uint64(s) for f, s in zip(factors, shift, strict=True)),
                shift.astype(np.uint64),
                np.array([2**count - 1 for count in bits], np.uint64),
                start.astype(np.uint64),
                np.concatenate([factor.features for factor in factors]),
            )
        )
    return tuple(blocks)


def _combined(factors: Iterable[_Factor]) -> list[_Factor]:
    """Multiply out factors that follow each other while the table stays small."""
    combined = []
    for factor in factors:
        if combined and len(combined[-1].features) * len(factor.features) <= COMBINED_ROWS:
            last = combined.pop()
            features = last.features[:, None] + factor.features
            factor = _Factor(
                last.contribution * len(factor.features) + factor.contribution,
                features.reshape(-1, *features.shape[2:]),
            )
        combined.append(factor)
    return combined


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
    biases = [(model._state(letter, number), model.parameters.index(letter)) for letter in layer.species]
    sites = np.where(table < 0, starts[-1], starts[number - 1] + table)
    return _counting_view(sites, biases, couplings, model, number, states)


def _upper_view(model: EnergyModel, number: int, starts: np.ndarray, states: int) -> _View:
    """View of a unit upwards; empty for the highest layer."""
    if number == len(model.layers):
        return _counting_view(np.empty((model.units[number], 0), int), [], [], model, number, states)
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
    return _counting_view(above, [], couplings, model, number, states)


def _visible_view(model: EnergyModel, nowhere: int, states: int) -> _View:
    """View of a visible site sideways: counts of its neighbours for pairs, their states in order for longer words."""
    reach = max(len(word) for word in model.interactions or ("A",)) - 1
    steps = [step for k in range(1, reach + 1) for step in (-k, k)]
    slots = [(axis, step) for axis in range(model.lattice.dimension) for step in steps]
    unit = np.eye(model.lattice.dimension, dtype=int)
    sites = [model.lattice.shifted(tuple(step * unit[axis])) for axis, step in slots]
    neighbours = np.stack(sites, axis=1) if slots else np.empty((model.lattice.size, 0), int)
    neighbours = np.where(neighbours < 0, nowhere, neighbours)
    words = [(model._states(word, 0), model.parameters.index(word)) for word in model.interactions]
    if reach > 1:
        return _reading_view(neighbours, steps, words, model, states)
    biases = [(word[0], k) for word, k in words if len(word) == 1]
    couplings = {pair for word, k in words if len(word) == 2 for pair in ((*word, k), (*word[::-1], k))}
    return _counting_view(neighbours, biases, sorted(couplings), model, 0, states)


def _counting_view(
    neighbours: np.ndarray,
    biases: Sequence[tuple[int, int]],
    couplings: Sequence[tuple[int, int, int]],
    model: EnergyModel,
    number: int,
    states: int,
) -> _View:
    """View that counts neighbours by state, a factor for each.

    Biases are (own state, parameter), couplings (state seen, own state, parameter).
    """
    slots, size = neighbours.shape[1], (len(model.alphabets[number]), len(model.parameters))
    alone = _Factor(np.zeros((slots, states), int), np.zeros((1, *size)))
    for own, parameter in biases:
        alone.features[0, own - 1, parameter] = 1
    factors = [alone]
    for state in sorted({coupling[0] for coupling in couplings}):
        factor = _Factor(np.zeros((slots, states), int), np.zeros((slots + 1, *size)))
        factor.contribution[:, state] = 1
        for other, own, parameter in couplings:
            if other == state:
                factor.features[:, own - 1, parameter] += np.arange(slots + 1)
        factors.append(factor)
    return _View(neighbours, factors)


def _reading_view(
    neighbours: np.ndarray,
    steps: Sequence[int],
    words: Sequence[tuple[tuple[int, ...], int]],
    model: EnergyModel,
    states: int,
) -> _View:
    """View that reads the states of the neighbours in order, a factor for each axis.

    Slots are `steps` along the first axis, then the others; words are (states, parameter).
    """
    base = len(model.species) + 1
    if base ** len(steps) > MOST_ROWS:
        raise ValueError(f"interactions {list(model.interactions)}: need a table of more than {MOST_ROWS} rows")
    row = np.arange(base ** len(steps))
    read = {step: row // base**place % base for place, step in enumerate(steps)}
    factors = []
    for axis in range(model.lattice.dimension):
        contribution = np.zeros((neighbours.shape[1], states), int)
        for place in range(len(steps)):
            contribution[axis * len(steps) + place, :base] = np.arange(base) * base**place
        features = np.zeros((len(row), base - 1, len(model.parameters)))
        for (word, parameter), own in product(words, range(1, base)):
            if len(word) > 1 or axis == 0:  # a site has one bias
                for here in range(len(word)):
                    window = np.stack(
                        [np.full(len(row), own) if k == here else read[k - here] for k in range(len(word))], axis=1
                    )
                    match = (window == word).all(axis=1) | (window == word[::-1]).all(axis=1)
                    features[:, own - 1, parameter] += match
        factors.append(_Factor(contribution, features))
    return _View(neighbours, factors)


@njit(cache=True, nogil=True)
def tabulate(block, theta, table):
    """Fill a table (rows, states) with the weights of a unit's states by row, the largest 1."""
    smallest = _LOG_SMALLEST / len(block.start)
    for row in range(table.shape[0]):
        largest = 0.0
        table[row, 0] = 0.0
        for x in range(1, table.shape[1]):
            table[row, x] = 0.0
            for k in range(theta.shape[0]):
                table[row, x] += block.features[row, x - 1, k] * theta[k]
            largest = max(largest, table[row, x])
        for x in range(table.shape[1]):
            table[row, x] = np.exp(max(table[row, x] - largest, smallest))


@njit(cache=True, nogil=True)
def accumulate(block, table):
    """Turn the weights of a single factor into the probabilities of a state below each: draws need no more."""
    if block.start.shape[0] == 1:
        for row in range(table.shape[0]):
            total = 0.0
            for x in range(table.shape[1]):
                weight = table[row, x]
                table[row, x] = total
                total += weight
            for x in range(table.shape[1]):
                table[row, x] /= total


@njit(cache=True, nogil=True, inline="always")
def read_code(block, state, unit):
    """Code of a unit's neighbourhood."""
    code = np.uint64(0)
    for slot in range(block.neighbours.shape[1]):
        code += block.contribution[slot, state[block.neighbours[unit, slot]]]
    return code


@njit(cache=True, nogil=True, inline="always")
def weigh(block, table, code, x):
    """Weight of a state of a unit given the code of its neighbourhood."""
    weight = table[code & block.mask[0], x]
    for factor in range(1, block.start.shape[0]):
        weight *= table[block.start[factor] + (code >> block.shift[factor] & block.mask[factor]), x]
    return weight


@njit(cache=True, nogil=True, inline="always")
def choose(block, table, code, draw, below):
    """State of a unit given the code of its neighbourhood and a uniform random number.

    The table is one of `accumulate`; `below` is memory for a number per state.
    """
    new = np.uint8(0)
    if block.start.shape[0] == 1:
        for x in range(1, table.shape[1]):
            new += np.uint8(draw >= table[code, x])
        return new
    total = 0.0
    for x in range(table.shape[1]):
        below[x] = total
        total += weigh(block, table, code, x)
    draw *= total
    for x in range(1, table.shape[1]):
        new += np.uint8(draw >= below[x])
    return new
