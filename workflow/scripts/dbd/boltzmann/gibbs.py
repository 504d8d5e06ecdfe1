"""Gibbs sampling of Boltzmann models with many chains.

The layers of a chain are updated in place, the odd ones first, then the even ones with the visible layer among them:
block Gibbs, and a chain may start from a visible configuration alone. Within the visible layer sites are visited in
classes of equal coordinate sum modulo the longest interaction: a checkerboard for pairs, stride 3 for triplets, 4 for
quartets. All units take one of their states (binary on both sides, never probabilities).

Every chain has its own Generator, so results do not depend on the number of threads.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numba import njit

from dbd.boltzmann.conditional_laws import Block, accumulate, choose, conditional_blocks, read_code, tabulate
from dbd.boltzmann.energy import EnergyModel
from dbd.numerics.threads import parallel


@dataclass(frozen=True)
class Sampler:
    """Draws configurations of a model.

    A state of a chain is a uint8 array over the visible sites, the units of every hidden layer and one unit that stays
    empty; `visible` and `hidden` cut it up. Chains are rows of a C-contiguous array.

    Raises
    ------
    ValueError
        When the model is too rich for tables (see `conditional_laws`).
    """

    model: EnergyModel

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Tables of every layer, for kernels."""
        return conditional_blocks(self.model)

    @property
    def schedule(self) -> np.ndarray:
        """Order in which layers are updated: odd ones, then even ones; int64, shape (layers,)."""
        layers = np.arange(len(self.blocks))
        return np.concatenate([layers[1::2], layers[0::2]])

    def weights(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """Weights of a unit's states by row, for every layer at parameters `theta`; float64, shapes (rows, states)."""
        theta = np.ascontiguousarray(theta, float)
        if theta.shape != (len(self.model.parameters),) or not np.isfinite(theta).all():
            raise ValueError(f"theta {theta}: needs {len(self.model.parameters)} finite numbers")
        tables = tuple(np.empty((block.rows, block.states)) for block in self.blocks)
        for block, table in zip(self.blocks, tables, strict=True):
            tabulate(block, theta, table)
        return tables

    def tables(self, theta: np.ndarray) -> tuple[np.ndarray, ...]:
        """The same as kernels draw by it, see `accumulate`."""
        tables = self.weights(theta)
        for block, table in zip(self.blocks, tables, strict=True):
            accumulate(block, table)
        return tables

    def empty(self, chains: int) -> np.ndarray:
        """States of chains without a particle; uint8, shape (chains, all units + 1)."""
        return np.zeros((chains, sum(self.model.units) + 1), np.uint8)

    def random(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """States of chains with a number of particles uniform on 0..sites, at random sites, of random species."""
        states = self.empty(len(generators))
        sites = self.model.lattice.size
        for state, generator in zip(states, generators, strict=True):
            where = generator.permutation(sites)[: generator.integers(sites + 1)]
            state[where] = generator.integers(1, len(self.model.species) + 1, len(where))
        return states

    def start(self, visible: np.ndarray) -> np.ndarray:
        """States of chains with given occupancies, shape (chains, sites), and empty hidden units."""
        states = self.empty(len(visible))
        states[:, : self.model.lattice.size] = visible
        return states

    def visible(self, states: np.ndarray) -> np.ndarray:
        """Occupancies in the states of chains, shape (chains, sites); a view."""
        return states[:, : self.model.lattice.size]

    def hidden(self, states: np.ndarray) -> tuple[np.ndarray, ...]:
        """States of the units of every hidden layer, shapes (chains, units); views."""
        edges = np.cumsum(self.model.units)
        return tuple(states[:, start:stop] for start, stop in pairwise(edges))

    def sample(
        self,
        theta: np.ndarray,
        states: np.ndarray,
        generators: Sequence[np.random.Generator],
        sweeps: int,
        *,
        clamped: bool = False,
        threads: int = 1,
    ) -> np.ndarray:
        """Advance chains in place by a number of sweeps over all units and return them.

        With `clamped` the visible layer stays as it is and the hidden ones are drawn given it (the awake phase): one
        sweep draws a single hidden layer exactly. Raises ValueError as `advance_chains` does.
        """
        schedule = self.schedule[self.schedule > 0] if clamped else self.schedule
        tables = self.tables(theta)

        def advance(chain: int):
            run_chain(self.blocks, tables, schedule, states[chain], sweeps, generators[chain])

        advance_chains(advance, generators, threads)
        return states

    def probabilities(self, theta: np.ndarray, states: np.ndarray, number: int) -> np.ndarray:
        """Conditional probabilities of the species of every unit of layer `number` (0 is visible) given all others.

        For the only hidden layer these are its activations given the visible configuration. Shape (chains, units,
        species), units in the order of `EnergyModel.positions`.
        """
        block, table = self.blocks[number], self.weights(theta)[number]
        codes = np.zeros((len(states), len(block.unit)), np.uint64)
        for slot, contribution in enumerate(block.contribution):
            codes += contribution[states[:, block.neighbours[:, slot]]]
        rows = block.start + (codes[..., None] >> block.shift & block.mask)
        weights = table[rows].prod(axis=-2)
        law = weights[..., 1:] / weights.sum(axis=-1, keepdims=True)
        return law[:, np.argsort(block.unit)]


def advance_chains(advance: Callable[[int], None], generators: Sequence[np.random.Generator], threads: int):
    """Call a function of each chain's number, by several threads.

    Raises ValueError if chains that share a generator are to be run by several threads: the order in which they draw
    from it would be left to chance.
    """
    if threads > 1 and len({id(generator) for generator in generators}) < len(generators):
        raise ValueError(f"threads: got {threads}, expected 1 for chains that share a generator")

    def advance_part(part: int):
        for chain in range(part, len(generators), threads):
            advance(chain)

    parallel(advance_part, range(threads), threads)


@njit(cache=True, nogil=True)
def sweep_block(block, table, state, rng):
    """Update every unit of a layer once."""
    below = np.empty(table.shape[1])
    for unit in range(block.unit.shape[0]):
        state[block.unit[unit]] = choose(block, table, read_code(block, state, unit), rng.random(), below)


@njit(cache=True, nogil=True)
def run_chain(blocks, tables, schedule, state, sweeps, rng):
    """Update the layers of one chain in the order of `schedule`, `sweeps` times."""
    for _ in range(sweeps):
        for number in schedule:
            sweep_block(blocks[number], tables[number], state, rng)
