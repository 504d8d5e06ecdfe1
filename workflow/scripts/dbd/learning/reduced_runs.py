"""Reduced runs: numbers of molecules jump by reaction events, and the correlations of neighbours follow each run.

A run has whole numbers of molecules N and, for every pair of species, the logarithm c of how much more often the two
are neighbours than molecules placed at random would be:

    <pairs ab> = exp(c_ab) bonds N_a (N_b - [a = b]) / (V (V - 1)) (2 - [a = b])

At given numbers, these are as good coordinates of a distribution with pair couplings as the couplings themselves (its
moments instead of its natural parameters, by convex duality), and no lattice has to be sampled to know how many
molecules meet. A step is that of the simulation: molecules react alone, then they move and collide.

    events of reaction r    mean k_r <what meets> exp(g_r(x)), variance ratio_r times the mean
    N -> N + sum of nu_r times the events of r
    c_k -> keep_k c_k + F_k(x)

What meets are molecules (empty sites for creation), if need be with room beside them, or pairs, among the numbers that
the reactions before have left: those of single molecules come first, then collisions, both in declared order. So
reactions that compete for molecules are not independent. g_r and F_k are functions on Q3 C1 elements of the point x of
densities and correlations at the start of the step, taken to the nearest one of the grid.

As everybody moves once in a step, events are not those of a Poisson process: of decays and collisions there are at most
as many as molecules, so that they vary less, and offspring that reproduces makes births vary more. Numbers are drawn
from the binomial or negative binomial law of the right mean and variance; never are more molecules taken than there
are, nor more made than there is room for (tau-leaping: Gillespie 2001; binomial leaps: Tian and Burrage 2004).

The ensemble is the average over runs: means, covariances, distributions, extinction. Nothing here grows with the
lattice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.energy import EnergyModel
from dbd.kinetics.reactions import ReactionNetwork
from dbd.messages import mismatch
from dbd.numerics.hermite import HermiteGrid, basis_at
from dbd.numerics.threads import parallel

POISSON = 0.01  # difference of the ratio of variance and mean from one that makes no difference


class Reactions(NamedTuple):
    """A network as the kernels take it; R reactions, S species, K pairs of species."""

    change: np.ndarray  # int64 (R, S): change of the numbers
    constant: np.ndarray  # float64 (R,): events in a step for each of what meets, at independent sites
    reactant: np.ndarray  # int64 (R,): species that reacts alone, -1 for creation
    room: np.ndarray  # bool (R,): whether it needs an empty neighbour
    pair: np.ndarray  # int64 (R,): pair that collides; -1 for none
    order: np.ndarray  # int64 (R,): reactions of single molecules, then collisions
    first: np.ndarray  # int64 (K,): species of the pairs
    second: np.ndarray  # int64 (K,)
    species: np.ndarray  # int64 (S,): places of the densities among the parameters
    couplings: np.ndarray  # int64 (K,): places of the correlations
    sites: int
    bonds: int


class Learned(NamedTuple):
    """What is learned of a reduced model; Q functions, R reactions, K pairs."""

    u: np.ndarray  # float64 (Q, size): coefficients of g_r and F_k, derivatives per grid unit
    keep: np.ndarray  # float64 (K,): part of a correlation that is left after a step
    ratio: np.ndarray  # float64 (R,): variance of the events by their mean


@dataclass(frozen=True)
class ReducedRuns:
    """A reduced model whose runs jump.

    Parameters
    ----------
    grid
        Grid over the domain, one axis for each entry of `domain`.
    model
        The species, in the place of which are densities, and pairs of them, in the place of which are correlations.
    network
        The reactions.
    domain
        Indices of the parameters that the functions depend on.
    dt
        Length of a step.

    Raises
    ------
    ValueError
        If the model interacts by anything but all species and pairs, or has no pair of species that react.
    """

    grid: HermiteGrid
    model: EnergyModel
    network: ReactionNetwork
    domain: tuple[int, ...]
    dt: float

    def __post_init__(self):
        words, species = self.model.parameters, self.model.species
        needed = {*species} | {"".join(sorted(self._letters(r))) for r in self.network.reactions if r.bimolecular}
        found = {"".join(sorted(word)) for word in words}
        if not needed <= found or max(map(len, words)) > 2 or self.model.layers:
            expected = f"species and pairs, {', '.join(sorted(needed))} among them, and no hidden layers"
            raise ValueError(f"interactions: {mismatch(', '.join(words), expected)}")

    def _letters(self, reaction) -> list[str]:
        return [self.model.species[occupancy - 1] for occupancy in reaction.reactants]

    @cached_property
    def pairs(self) -> tuple[str, ...]:
        """Pairs that have correlations, in the order of the parameters."""
        return tuple(name for name in self.model.parameters if len(name) == 2)

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions: reactions, then pairs."""
        return (*(reaction.equation for reaction in self.network.reactions), *self.pairs)

    @cached_property
    def reactions(self) -> Reactions:
        """The network as the kernels take it."""
        lattice, species, parameters = self.model.lattice, self.model.species, self.model.parameters
        total = len(self.network.reactions)
        degree = 2 * len(lattice.bonds) / lattice.size
        constant, reactant = self.network.chances.copy(), np.full(total, -1)
        room, pair = np.zeros(total, bool), np.full(total, -1)
        order = ["".join(sorted(name)) for name in self.pairs]
        for r, reaction in enumerate(self.network.reactions):
            if reaction.bimolecular:  # either of two neighbours can move onto the other
                pair[r] = order.index("".join(sorted(self._letters(reaction))))
                constant[r] *= 2 / max(degree, 1.0)
            else:
                constant[r] *= self.dt
                room[r] = len(reaction.products) == 2
                if reaction.reactants:
                    reactant[r] = reaction.reactants[0] - 1
        return Reactions(
            np.ascontiguousarray(self.network.stoichiometry.T),
            constant,
            reactant,
            room,
            pair,
            np.argsort(pair >= 0, kind="stable"),
            np.array([species.index(name[0]) for name in self.pairs], np.int64),
            np.array([species.index(name[1]) for name in self.pairs], np.int64),
            np.array([parameters.index(name) for name in species]),
            np.array([parameters.index(name) for name in self.pairs], np.int64),
            lattice.size,
            len(lattice.bonds),
        )

    @property
    def arguments(self) -> tuple:
        """Arguments that kernels share."""
        return self.reactions, self.grid.table, np.array(self.domain)

    def independent(self, numbers: np.ndarray) -> np.ndarray:
        """Mean pairs (..., K) of molecules at random sites, from their numbers (..., S)."""
        tables = self.reactions
        numbers, same = np.asarray(numbers, float), tables.first == tables.second
        product = numbers[..., tables.first] * (numbers[..., tables.second] - same)
        return tables.bonds * product * (2 - same) / (tables.sites * max(tables.sites - 1, 1))

    def state(self, numbers: np.ndarray, correlations: np.ndarray) -> np.ndarray:
        """Densities and correlations in the order of the model's parameters, (..., P)."""
        values = np.empty((*numbers.shape[:-1], len(self.model.parameters)))
        values[..., self.reactions.species] = numbers / self.reactions.sites
        values[..., self.reactions.couplings] = correlations
        return values

    def meetings(self, numbers: np.ndarray, correlations: np.ndarray, events: np.ndarray) -> np.ndarray:
        """Mean events of known steps without the factors exp(g_r).

        Parameters
        ----------
        numbers, correlations
            Before the steps, (..., S) and (..., K).
        events
            Events of these steps, (..., R).

        Returns
        -------
        float64, (..., R).
        """
        rows = [array.reshape(-1, array.shape[-1]) for array in (numbers.astype(float), correlations, events)]
        found = np.empty(rows[2].shape)
        _meetings(self.reactions, *rows, found)
        return found.reshape(events.shape)

    def follow(self, learned: Learned, numbers: np.ndarray) -> np.ndarray:
        """Correlations (runs, times, K) of runs whose numbers (runs, times, S) are known; the first are zero."""
        found = np.zeros((*numbers.shape[:2], len(self.pairs)))
        _follow(*self.arguments, learned.u[-len(self.pairs) :], learned.keep, numbers.astype(float), found)
        return found

    def simulate(
        self,
        learned: Learned,
        initial: np.ndarray,
        steps: int,
        generators: Sequence[np.random.Generator],
        threads: int = 1,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Reduced runs from molecules at random sites; the result does not depend on the number of threads.

        Parameters
        ----------
        learned
            What was learned.
        initial
            Numbers of molecules at the start of each run, int64, (runs, S).
        steps
            Number of steps.
        generators
            One random stream for each run.

        Returns
        -------
        Numbers of molecules, int64, (runs, steps + 1, S), and correlations, float64, (runs, steps + 1, K).
        """
        numbers = np.empty((len(initial), steps + 1, initial.shape[1]), np.int64)
        correlations = np.zeros((*numbers.shape[:2], len(self.pairs)))
        numbers[:, 0] = initial

        def run(index: int) -> None:
            _run(*self.arguments, *learned, numbers[index], correlations[index], generators[index])

        parallel(run, range(len(initial)), threads)
        return numbers, correlations


@njit(cache=True, nogil=True)
def pair_count(tables, k, numbers, correlation):
    """Mean number of pairs k."""
    a, b = tables.first[k], tables.second[k]
    other = numbers[b] - 1.0 if a == b else 2.0 * numbers[b]
    product = numbers[a] * max(other, 0.0)
    return np.exp(correlation) * tables.bonds * product / (tables.sites * max(tables.sites - 1.0, 1.0))


@njit(cache=True, nogil=True)
def _meeting(tables, r, numbers, correlations):
    """Events of reaction r that are expected without its factor, from the numbers (S,) before it."""
    if tables.pair[r] >= 0:
        return tables.constant[r] * pair_count(tables, tables.pair[r], numbers, correlations[tables.pair[r]])
    empty = tables.sites - numbers.sum()
    reacting = empty if tables.reactant[r] < 0 else numbers[tables.reactant[r]]
    if tables.room[r]:
        full = 1.0 - empty / tables.sites
        reacting *= 1.0 - full ** (2.0 * tables.bonds / tables.sites)
    return tables.constant[r] * reacting


@njit(cache=True, nogil=True)
def _meetings(tables, numbers, correlations, events, found):
    """Fill what meets in every reaction (n, R), from the numbers (n, S) before all of them, which are overwritten."""
    for n in range(len(found)):
        for r in tables.order:
            found[n, r] = _meeting(tables, r, numbers[n], correlations[n])
            for a in range(numbers.shape[1]):
                numbers[n, a] += events[n, r] * tables.change[r, a]


@njit(cache=True, nogil=True)
def fill_point(tables, table, domain, numbers, correlations, state, point):
    """Fill the point of the domain (d,) nearest to numbers and correlations; `state` (P,) is overwritten."""
    for a in range(len(tables.species)):
        state[tables.species[a]] = numbers[a] / tables.sites
    for k in range(len(tables.couplings)):
        state[tables.couplings[k]] = correlations[k]
    for m in range(len(domain)):
        upper = table.lower[m] + table.spacing[m] * table.cells[m]
        point[m] = min(max(state[domain[m]], table.lower[m]), upper)


@njit(cache=True, nogil=True)
def value_at(table, u, first, weight):
    """Value of a function with coefficients u (size,), in a cell with basis `weight`."""
    total = 0.0
    for local in range(len(weight)):
        total += u[first + table.offset[local]] * weight[local]
    return total


@njit(cache=True, nogil=True)
def _follow(tables, table, domain, u, keep, numbers, correlations):
    """Fill correlations[:, 1:] of runs (runs, times, K)."""
    point, state = np.empty(len(domain)), np.empty(len(tables.species) + len(tables.couplings))
    weight, slope = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    for run in range(len(numbers)):
        for n in range(1, numbers.shape[1]):
            before = correlations[run, n - 1]
            fill_point(tables, table, domain, numbers[run, n - 1], before, state, point)
            first = basis_at(table, point, weight, slope)
            for k in range(len(keep)):
                correlations[run, n, k] = keep[k] * before[k] + value_at(table, u[k], first, weight)


@njit(cache=True, nogil=True)
def draw_events(mean, ratio, generator):
    """A whole number with a mean, and a variance that is the mean times a ratio above zero."""
    if mean <= 0.0:
        return 0
    if abs(ratio - 1.0) < POISSON:
        return generator.poisson(mean)
    if ratio > 1.0:
        return generator.poisson(generator.gamma(mean / (ratio - 1.0), 1.0) * (ratio - 1.0))
    return generator.binomial(int(mean / (1.0 - ratio) + generator.random()), 1.0 - ratio)


@njit(cache=True, nogil=True)
def _possible(change, numbers, sites):
    """Most events of a reaction with a change (S,) of the numbers (S,)."""
    most, more, empty = np.inf, 0, float(sites)
    for a in range(len(change)):
        if change[a] < 0:
            most = min(most, numbers[a] // -change[a])
        more += change[a]
        empty -= numbers[a]
    return min(most, empty // more) if more > 0 else most


@njit(cache=True, nogil=True)
def _run(tables, table, domain, u, keep, ratio, numbers, correlations, generator):
    """Fill the numbers (times, S) and correlations (times, K) of a run behind the first ones."""
    reactions = len(ratio)
    point, state = np.empty(len(domain)), np.empty(len(tables.species) + len(tables.couplings))
    weight, slope = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    for n in range(1, len(numbers)):
        now = numbers[n - 1].astype(np.float64)
        fill_point(tables, table, domain, now, correlations[n - 1], state, point)
        first = basis_at(table, point, weight, slope)
        for r in tables.order:
            mean = _meeting(tables, r, now, correlations[n - 1]) * np.exp(value_at(table, u[r], first, weight))
            events = min(draw_events(mean, ratio[r], generator), _possible(tables.change[r], now, tables.sites))
            for a in range(len(now)):
                now[a] += events * tables.change[r, a]
        for a in range(len(now)):
            numbers[n, a] = round(now[a])
        for k in range(len(keep)):
            drive = value_at(table, u[reactions + k], first, weight)
            correlations[n, k] = keep[k] * correlations[n - 1, k] + drive
