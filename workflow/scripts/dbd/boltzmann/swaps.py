"""Sampling of Boltzmann models at fixed composition by Metropolis swaps, with many chains.

An attempt exchanges the states of two sites anywhere on the lattice, so the number of particles of every species stays
as it is and biases of visible species have no say. One of the two sites is drawn from those that are not in the most
frequent state, the other from all: a proposal is as likely as its reverse, and few attempts are lost on pairs of sites
in the same state. A sweep is as many attempts as there are sites, after an update of the hidden layers, if any, by
Gibbs sampling given the visible layer.

The two sites may be neighbours, or in a row with a third. Neither sees the other's old state then:

- Pairs: both are empty while their neighbours are counted. The bond between the two is the same before and after.
- Longer words: one site takes its new state before the neighbourhood of the other is read.

Every chain has its own Generator, so results do not depend on the number of threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

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


class View(NamedTuple):
    """Weights of the states of a site given what it is connected to, for kernels.

    Parameters
    ----------
    neighbours
        Place of the neighbour in each slot; uint32, (sites, slots).
    contribution
        What the state of a neighbour adds to the row; uint32, (slots, states).
    weights
        Weights of a site's states by row, the largest is 1; float64, (rows, states).
    """

    neighbours: np.ndarray
    contribution: np.ndarray
    weights: np.ndarray


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
        hidden = self._hidden(theta) if self.model.layers else None
        longest = max((len(word) for word in self.model.interactions), default=1)
        if longest <= 2 and len(self.model.species) <= MOST_SPECIES:
            run, local = run_pairs, self._pair_odds(theta)
        else:
            run, local = run_words, self._views(theta)[0]

        advance_chains(lambda chain: run(local, hidden, states[chain], sweeps, generators[chain]), generators, threads)
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
        lattice, species = self.model.lattice, np.arange(len(self.model.species), dtype=np.uint64)
        neighbours = np.full((lattice.size, _MOST_NEIGHBOURS), lattice.size, np.uint32)
        neighbours[:, : lattice.neighbours.shape[1]] = np.where(
            lattice.neighbours < 0, lattice.size, lattice.neighbours
        )
        digits = np.uint64(1) << _DIGIT * species
        couplings = self._couplings(theta)
        change = (couplings[None] - couplings[:, None])[..., 1:, None]  # from state, to state, species around
        return PairOdds(
            np.append(np.uint64(0), digits + (species + np.uint64(1) << _STATE)),
            np.uint64(8) * digits.sum(),
            neighbours,
            np.exp(change * np.clip(np.arange(16) - 8, -_MOST_NEIGHBOURS, _MOST_NEIGHBOURS)),
        )

    def _views(self, theta: np.ndarray) -> tuple[View, View]:
        """Views of a visible site: of the visible sites around it, and of the hidden units connected to it."""
        block = self.gibbs.blocks[0]
        site = np.argsort(block.unit)
        sideways = block.contribution.max(axis=1) >= len(block.second)
        views = []
        for slots, features, unit in ((sideways, block.first, len(block.second)), (~sideways, block.second, 1)):
            exponents = np.pad(features @ theta, ((0, 0), (1, 0)))
            exponents -= exponents.max(axis=1, keepdims=True)
            contribution = (block.contribution[slots] // unit).astype(np.uint32)
            views.append(View(np.ascontiguousarray(block.neighbours[site][:, slots]), contribution, np.exp(exponents)))
        return tuple(views)

    def _hidden(self, theta: np.ndarray) -> tuple:
        """Blocks and tables of hidden layers in the order of their updates, and the visible sites' view of them."""
        tables, schedule = self.gibbs.tables(theta), self.gibbs.schedule
        layers = [number for number in schedule if number > 0]
        return (
            tuple(self.gibbs.blocks[number] for number in layers),
            tuple(tables[number] for number in layers),
            self._views(theta)[1],
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
def update_hidden(hidden, state, rng, weights):
    """Update the hidden layers and write the weights (sites, states) that they give the states of visible sites."""
    blocks, tables, view = hidden
    for number in range(len(blocks)):
        sweep_block(blocks[number], tables[number], state, rng)
    for site in range(weights.shape[0]):
        row = _row(view, state, site)
        for x in range(weights.shape[1]):
            weights[site, x] = view.weights[row, x]


@njit(cache=True, nogil=True)
def _row(view, state, site):
    row = np.uint32(0)
    for slot in range(view.neighbours.shape[1]):
        row += view.contribution[slot, state[view.neighbours[site, slot]]]
    return row


@njit(cache=True, nogil=True)
def run_pairs(pairs, hidden, state, sweeps, rng):
    """Advance the state of a chain with pair interactions by a number of sweeps; `hidden` may be None."""
    sites, species = pairs.neighbours.shape[0], pairs.odds.shape[2]
    order, others = by_frequency(state[:sites], species + 1)
    attempts = sites if others > 0 else 0
    code = np.zeros(sites + 1, np.uint64)
    for site in range(sites):
        code[site] = pairs.codes[state[site]]
    weights = np.empty((sites if hidden is not None else 0, species + 1))
    coarse = others * float(sites) > _FEWEST_LEFT
    for _ in range(sweeps):
        if hidden is not None:
            update_hidden(hidden, state, rng, weights)
        draws = rng.random(attempts)
        chances = rng.random(attempts) if coarse else draws
        for attempt in range(attempts):
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
            if hidden is not None:
                odds *= weights[i, b] * weights[j, a]
                chance *= weights[i, a] * weights[j, b]
            if chance < odds:
                code[i], code[j] = code_j, code_i
                if q >= others:
                    order[p], order[q] = j, i
            else:
                code[i], code[j] = code_i, code_j
        for site in range(sites):
            state[site] = code[site] >> _STATE


@njit(cache=True, nogil=True)
def run_words(view, hidden, state, sweeps, rng):
    """Advance the state of a chain with interactions of any kind by a number of sweeps; `hidden` may be None."""
    sites, states = view.neighbours.shape[0], view.weights.shape[1]
    order, others = by_frequency(state[:sites], states)
    attempts = sites if others > 0 else 0
    weights = np.empty((sites if hidden is not None else 0, states))
    for _ in range(sweeps):
        if hidden is not None:
            update_hidden(hidden, state, rng, weights)
        for _ in range(attempts):
            p, q = np.uint32(rng.random() * others), np.uint32(rng.random() * sites)
            i, j = order[p], order[q]
            a, b = state[i], state[j]
            if a == b:
                continue
            row = _row(view, state, i)
            odds, chance = view.weights[row, b], rng.random() * view.weights[row, a]
            state[i] = b
            row = _row(view, state, j)
            odds, chance = odds * view.weights[row, a], chance * view.weights[row, b]
            if hidden is not None:
                odds *= weights[i, b] * weights[j, a]
                chance *= weights[i, a] * weights[j, b]
            if chance < odds:
                state[j] = a
                if q >= others:
                    order[p], order[q] = j, i
            else:
                state[i] = a
