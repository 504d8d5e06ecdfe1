"""Classical closures of the moment hierarchy: mean-field rate equations and the pair approximation.

Both take the lattice to look the same everywhere and in every direction. The probability of a pattern is made from
those of its single sites and, in the pair approximation, of its nearest-neighbour bonds (Kirkwood's superposition):

    mean field          P(pattern) = product over sites of P(s_i)
    pair approximation  P(pattern) = that times product over bonds of P(s_i, s_j) / P(s_i) P(s_j)

Put into the hierarchy (`dbd.kinetics.moment_hierarchy`) these give ordinary differential equations for the
probabilities of single sites, P_a, and of the two sites of a bond, P_ab = P_ba. They follow for empty sites from those
of the species.

A second product that finds no room is tried again on another molecule, `ATTEMPTS` times in all. With a fraction q of
the reactants having room, each of these stands for (1 - (1 - q)^ATTEMPTS) / q times as many events: a number,
as long as the lattice is large.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from dbd.kinetics.moment_hierarchy import Pattern, drift, event_groups
from dbd.kinetics.reactions import EMPTY, ReactionNetwork, drawn_reactants

_TINY = 1e-12  # stands for zero in logarithms: rounding errors below it have no effect on products and quotients
_ACCURACY = 1e-8  # of the integrated probabilities, relative and absolute


class Probabilities(NamedTuple):
    """Occupancies of a site and of the two sites of a bond; 0 is empty."""

    single: np.ndarray  # float64 (..., S + 1)
    pair: np.ndarray  # float64 (..., S + 1, S + 1), symmetric


class _Group(NamedTuple):
    """Events that the same factor multiplies."""

    slope: np.ndarray  # coefficients of the terms in the derivative of every unknown, (unknown, term)
    room: np.ndarray | None  # coefficients of the terms in the rate of successful births, (term,); None without births
    reactant: int  # of the births


class _System(NamedTuple):
    """Terms and what they contribute to."""

    exponents: np.ndarray  # of the single and pair probabilities in every term, (term, factor)
    groups: tuple[_Group, ...]


@dataclass(frozen=True)
class Closure:
    """Closed equations of a reaction network on a lattice without walls.

    Parameters
    ----------
    network
        The reactions.
    dimension
        Axes of the lattice.
    dt
        Time step: every molecule has a turn in each.
    pairs
        Whether bonds are kept track of (pair approximation), or sites alone (mean field).
    """

    network: ReactionNetwork
    dimension: int
    dt: float
    pairs: bool

    def slope(self, state: np.ndarray) -> np.ndarray:
        """Derivative of the unknowns, (unknown,): P_a of the species, then P_ab of a <= b in the pair approximation."""
        probabilities = self._probabilities(state)
        factors = np.concatenate([probabilities.single, probabilities.pair[self._bonds]])
        terms = np.exp(self._system.exponents @ np.log(np.maximum(factors, _TINY)))
        total = np.zeros(len(state))
        for group in self._system.groups:
            change = group.slope @ terms
            if group.room is not None:
                room = np.clip(group.room @ terms / max(factors[group.reactant], _TINY), 0.0, 1.0)
                change = change * drawn_reactants(room)
            total += change
        return total

    def integrate(self, initial: Probabilities, steps: int) -> Probabilities:
        """Probabilities at steps 0 to `steps`, from those of one initial condition; shapes (time, ...).

        In mean field a bond's are the products of those of its sites, and `initial.pair` is not looked at.
        """
        times = self.dt * np.arange(steps + 1)
        state = np.concatenate([initial.single[1:], initial.pair[self._species_pairs]])[: self._unknowns]
        options = dict(t_eval=times, method="LSODA", rtol=_ACCURACY, atol=_ACCURACY * 1e-2)
        path = solve_ivp(lambda _, state: self.slope(state), (0.0, times[-1]), state, **options).y.T
        probabilities = [self._probabilities(state) for state in path]
        return Probabilities(*map(np.stack, zip(*probabilities, strict=True)))

    def _probabilities(self, state: np.ndarray) -> Probabilities:
        """Probabilities of all occupancies from the unknowns: each sums to one."""
        species = len(self.network.species)
        single = np.empty(species + 1)
        single[1:] = state[:species]
        single[EMPTY] = 1.0 - single[1:].sum()
        pair = np.outer(single, single)
        if self.pairs:
            pair[self._species_pairs] = state[species:]
            pair.T[self._species_pairs] = state[species:]
            pair[1:, EMPTY] = pair[EMPTY, 1:] = single[1:] - pair[1:, 1:].sum(axis=1)
            pair[EMPTY, EMPTY] = single[EMPTY] - pair[EMPTY, 1:].sum()
        return Probabilities(single, pair)

    @property
    def _unknowns(self) -> int:
        species = len(self.network.species)
        return species + (species * (species + 1) // 2 if self.pairs else 0)

    @cached_property
    def _species_pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Occupancies a <= b of the unknown pairs."""
        first, second = np.triu_indices(len(self.network.species))
        return first + 1, second + 1

    @cached_property
    def _bonds(self) -> tuple[np.ndarray, np.ndarray]:
        """Occupancies a <= b of the pairs that are factors of terms, the empty ones too."""
        return np.triu_indices(len(self.network.species) + 1 if self.pairs else 0)

    @cached_property
    def _system(self) -> _System:
        """The equations: the hierarchy with every pattern in terms of singles and pairs."""
        origin, neighbour = (0,) * self.dimension, (1, *(0,) * (self.dimension - 1))
        windows = [{origin: occupancy} for occupancy in range(1, len(self.network.species) + 1)]
        if self.pairs:
            windows += [
                {origin: a, neighbour: b} for a, b in zip(*map(np.ndarray.tolist, self._species_pairs), strict=True)
            ]
        index: dict[tuple[int, ...], int] = {}

        def collect(patterns: Iterable[tuple[Pattern, float]]) -> dict[int, float]:
            """Sum of patterns as coefficients of terms, new ones added to the index."""
            sums: dict[int, float] = {}
            for pattern, coefficient in patterns:
                term = index.setdefault(self._factors(pattern), len(index))
                sums[term] = sums.get(term, 0.0) + coefficient
            return sums

        rows = []
        for events, room, reactant in event_groups(self.network, self.dimension, self.dt):
            rows.append((collect(room), [collect(drift(events, window).items()) for window in windows], reactant))

        def dense(coefficients: dict[int, float]) -> np.ndarray:
            return np.array([coefficients.get(term, 0.0) for term in range(len(index))])

        groups = (
            _Group(np.stack([dense(row) for row in slope]), dense(room) if room else None, reactant)
            for room, slope, reactant in rows
        )
        return _System(np.array(list(index), float).reshape(len(index), -1), tuple(groups))

    def _factors(self, pattern: Pattern) -> tuple[int, ...]:
        """Exponent of every single and pair probability in the closed probability of a pattern."""
        singles = len(self.network.species) + 1
        exponents = [0] * (singles + len(self._bonds[0]))
        column = {bond: singles + k for k, bond in enumerate(zip(*map(np.ndarray.tolist, self._bonds), strict=True))}
        for k, (site, occupancy) in enumerate(pattern):
            exponents[occupancy] += 1
            for other, neighbour in pattern[:k] if self.pairs else ():
                if sum(abs(a - b) for a, b in zip(site, other, strict=True)) == 1:
                    exponents[occupancy] -= 1
                    exponents[neighbour] -= 1
                    exponents[column[min(occupancy, neighbour), max(occupancy, neighbour)]] += 1
        return tuple(exponents)
