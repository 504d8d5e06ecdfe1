"""Sampling of Boltzmann models at fixed composition by Metropolis swaps, with many chains.

An attempt exchanges the states of two sites anywhere on the lattice, so the number of particles of every species stays
as it is and biases of visible species have no say. One of the two sites is drawn from those that are not in the most
frequent state, the other from all: a proposal is as likely as its reverse, and few attempts are lost on pairs of sites
in the same state. A sweep is as many attempts as there are sites, after an update of the hidden layers, if any, by
Gibbs sampling given the visible layer.

The two sites may be neighbours, or in a row with a third. Neither sees the other's old state then:

- Pairs alone: both are empty while their neighbours are counted. The bond between the two is the same before and after.
- Any interactions: one site takes its new state before the neighbourhood of the other is read.

Every chain has its own Generator, so results do not depend on the number of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.conditional_laws import read_code, weigh
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler, advance_chains, sweep_block

MOST_SPECIES = 15  # of which a 64-bit code counts neighbours
LARGEST_COUPLING = 29.0  # two sites with six neighbours each: odds up to exp(24 * 29), which float64 still holds

_DIGIT = np.uint64(4)  # bits of a code that count neighbours of a species, from -6 to 6 with 8 added
_DIGIT_MASK = np.uint64(15)
_STATE = np.uint64(60)  # first of the bits that hold the state
_MOST_NEIGHBOURS = 6
_FEWEST_LEFT = 2.0**25  # pairs of sites from which on a draw of 53 bits is not enough for sites and acceptance


class PairOdds(NamedTuple):
    """What swaps change if interactions are pairs, for kernels.

    Parameters
    ----------
    codes
        Code of every state: a one in the digit of its species, and the state in the highest bits; uint64, (states,).
    balance
        Code with an 8 in the digit of every species.
    neighbours
        Neighbours of each site, missing ones are a site that stays empty; uint32, (sites, 6).
    odds
        Factor by which the weight of a configuration changes when a site goes from one state to another while a second
        one makes the way back, for every species: by how many more of this species the first has among its neighbours,
        plus 8; float64, (states, states, species, 16).
    """

    codes: np.ndarray
    balance: np.uint64
    neighbours: np.ndarray
    odds: np.ndarray


@dataclass(frozen=True)
class SwapSampler:
    """Draws configurations of a model at fixed composition.

    States of chains are those of `gibbs`, which also cuts them up: `gibbs.start`, `gibbs.visible`, `gibbs.hidden`.
    """

    model: EnergyModel

    @cached_property
    def gibbs(self) -> Sampler:
        """Gibbs sampler of the same model."""
        return Sampler(self.model)

    def sample(
        self,
        theta: np.ndarray,
        states: np.ndarray,
        generators: Sequence[np.random.Generator],
        sweeps: int,
        *,
        threads: int = 1,
    ) -> np.ndarray:
        """Advance chains in place by a number of sweeps and return them.

        Parameters
        ----------
        theta
            Parameters in the order of `EnergyModel.parameters`; those that count particles have no effect.
        states
            States of chains, as `Sampler` has them: uint8, shape (chains, all units + 1), C-contiguous. The visible
            part may have any composition, a different one in every chain.
        generators
            One for every chain.

        Raises
        ------
        ValueError
            When theta has the wrong length or is not finite, a coupling of a pair is larger than 29, or chains that
            share a generator are to be run by several threads.
        """
        theta = np.ascontiguousarray(theta, float)
        if theta.shape != (len(self.model.parameters),) or not np.isfinite(theta).all():
            raise ValueError(f"theta {theta}: needs {len(self.model.parameters)} finite numbers")
        longest = max((len(word) for word in self.model.interactions), default=1)
        if longest <= 2 and not self.model.layers and len(self.model.species) <= MOST_SPECIES:
            pairs = self._pair_odds(theta)

            def advance(chain: int):
                run_pairs(pairs, states[chain], sweeps, generators[chain])
        else:
            blocks, weights, tables = self.gibbs.blocks, self.gibbs.weights(theta)[0], self.gibbs.tables(theta)
            hidden = self.gibbs.schedule[self.gibbs.schedule > 0]

            def advance(chain: int):
                run_any(blocks, weights, tables, hidden, states[chain], sweeps, generators[chain])

        advance_chains(advance, generators, threads)
        return states

    def _couplings(self, theta: np.ndarray) -> np.ndarray:
        """Coupling of every two states, those with an empty site zero; (states, states)."""
        states = len(self.model.species) + 1
        couplings = np.zeros((states, states))
        for word, value in zip(self.model.interactions, theta, strict=False):
            if len(word) == 2:
                if abs(value) > LARGEST_COUPLING:
                    raise ValueError(f"coupling {word}: got {value:g}, expected at most {LARGEST_COUPLING:g} in size")
                a, b = (1 + self.model.species.index(letter) for letter in word)
                couplings[a, b] = couplings[b, a] = value
        return couplings

    def _pair_odds(self, theta: np.ndarray) -> PairOdds:
        species = np.arange(len(self.model.species), dtype=np.uint64)
        sites, known = self.model.lattice.size, self.model.lattice.neighbours
        neighbours = np.full((sites, _MOST_NEIGHBOURS), sites, np.uint32)
        neighbours[:, : known.shape[1]] = np.where(known < 0, sites, known)
        digits = np.uint64(1) << _DIGIT * species
        couplings = self._couplings(theta)
        change = (couplings[None] - couplings[:, None])[..., 1:, None]  # from state, to state, species around
        return PairOdds(
            np.append(np.uint64(0), digits + (species + np.uint64(1) << _STATE)),
            np.uint64(8) * digits.sum(),
            neighbours,
            np.exp(change * np.clip(np.arange(16) - 8, -_MOST_NEIGHBOURS, _MOST_NEIGHBOURS)),
        )


@njit(cache=True, nogil=True)
def by_frequency(visible, states):
    """Sites in an order that has those of the most frequent state last, and the number of all others."""
    counts = np.zeros(states, np.int64)
    for site in range(visible.shape[0]):
        counts[visible[site]] += 1
    common = np.argmax(counts)
    order = np.empty(visible.shape[0], np.uint32)
    others = visible.shape[0] - counts[common]
    front, back = 0, others
    for site in range(visible.shape[0]):
        if visible[site] == common:
            order[back] = site
            back += 1
        else:
            order[front] = site
            front += 1
    return order, others


@njit(cache=True, nogil=True)
def run_pairs(pairs, state, sweeps, rng):
    """Advance the state of a chain with pair interactions by a number of sweeps."""
    sites, species = pairs.neighbours.shape[0], pairs.odds.shape[2]
    order, others = by_frequency(state[:sites], species + 1)
    if others == 0:
        return
    code = np.zeros(sites + 1, np.uint64)
    for site in range(sites):
        code[site] = pairs.codes[state[site]]
    coarse = others * float(sites) > _FEWEST_LEFT
    for _ in range(sweeps):
        draws = rng.random(sites)
        chances = rng.random(sites) if coarse else draws
        for attempt in range(sites):
            scaled = draws[attempt] * others
            p = np.uint32(scaled)
            scaled = (scaled - p) * sites
            q = np.uint32(scaled)
            chance = chances[attempt] if coarse else scaled - q
            i, j = order[p], order[q]
            code_i, code_j = code[i], code[j]
            if code_i == code_j:
                continue
            a, b = code_i >> _STATE, code_j >> _STATE
            code[i] = code[j] = 0
            digits = pairs.balance
            for slot in range(_MOST_NEIGHBOURS):  # a constant, for the compiler to unroll
                digits += code[pairs.neighbours[i, slot]] - code[pairs.neighbours[j, slot]]
            odds = 1.0
            for k in range(species):
                odds *= pairs.odds[a, b, k, digits & _DIGIT_MASK]
                digits >>= _DIGIT
            if chance < odds:
                code[i], code[j] = code_j, code_i
                if q >= others:
                    order[p], order[q] = j, i
            else:
                code[i], code[j] = code_i, code_j
    for site in range(sites):
        state[site] = code[site] >> _STATE


@njit(cache=True, nogil=True)
def run_any(blocks, weights, tables, hidden, state, sweeps, rng):
    """Advance the state of a chain with any interactions by a number of sweeps.

    `weights` are those of the visible layer; the layers in `hidden` are updated by their `tables`.
    """
    block = blocks[0]
    sites = block.unit.shape[0]
    order, others = by_frequency(state[block.unit], weights.shape[1])
    attempts = sites if others > 0 else 0
    for _ in range(sweeps):
        for number in hidden:
            sweep_block(blocks[number], tables[number], state, rng)
        for _ in range(attempts):
            p, q = np.uint32(rng.random() * others), np.uint32(rng.random() * sites)
            i, j = order[p], order[q]
            a, b = state[block.unit[i]], state[block.unit[j]]
            if a == b:
                continue
            code = read_code(block, state, i)
            odds, chance = weigh(block, weights, code, b), rng.random() * weigh(block, weights, code, a)
            state[block.unit[i]] = b
            code = read_code(block, state, j)
            if chance * weigh(block, weights, code, b) < odds * weigh(block, weights, code, a):
                state[block.unit[j]] = a
                if q >= others:
                    order[p], order[q] = j, i
            else:
                state[block.unit[i]] = a
