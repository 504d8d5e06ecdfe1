"""Lattices of a model in mixed coordinates: the composition is given, couplings act at fixed composition.

    p(s) = [N(s) = n] exp(sum_k J_k phi_k(s)) / Z_n(J)

The parameters of a model that count particles are densities n here, all others couplings J. Behind them may follow the
covariances of the numbers between runs, divided by the number of sites (`spread_names`): then compositions are nodes
of a law with this mean and covariance, else all are next to n, with mean n. Two chains share each composition, so that
half the mean square difference between them is the covariance of the statistics at fixed composition, E Cov(phi | N):
the Fisher matrix of the couplings.

There is no transition of the number of particles, so that chains are in equilibrium after a few sweeps of swaps, and
those of a trajectory go on from one time to the next.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from dbd.boltzmann.composition import STARTS, change_composition, nodes
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.moment_map import MomentMap, Moments
from dbd.boltzmann.swaps import SwapSampler
from dbd.lattice.observables import count_observables
from dbd.numerics.threads import parallel

FIRST = 5  # times as many sweeps at the start of a trajectory as at every later time

Streams = Callable[..., np.random.Generator]


class Chains:
    """Chains at fixed composition, for one trajectory.

    Parameters
    ----------
    model
        A model that interacts by every species alone, and without hidden layers.
    lattices
        Number of chains, even.
    generator_of
        Stream of a chain.
    start
        Where chains start, one of `dbd.boltzmann.composition.STARTS`.
    """

    def __init__(self, model: EnergyModel, lattices: int, generator_of: Streams, start: str = "random"):
        self.model, self.sampler, self.start = model, SwapSampler(model), STARTS[start]
        self.species = [model.parameters.index(name) for name in model.species]
        self.generators = [generator_of(chain) for chain in range(lattices)]
        self.states: np.ndarray | None = None

    def move(self, density: np.ndarray, covariance: np.ndarray | None = None) -> None:
        """Bring all chains to compositions with a mean density (species,) and a covariance of numbers between runs."""
        sites, half = self.model.lattice.size, len(self.generators) // 2
        density = np.maximum(density, 0.0)
        numbers = density * sites / max(1.0, density.sum())
        if covariance is not None:
            values, vectors = np.linalg.eigh(covariance)
            covariance = (vectors * np.maximum(values, 0.0)) @ vectors.T
            covariance *= np.outer(numbers > 0, numbers > 0)
        compositions = np.tile(nodes(numbers, covariance, sites, half), (2, 1))
        if self.states is None:
            rows = zip(compositions, self.generators, strict=True)
            self.states = self.sampler.gibbs.start(np.stack([self.start(n, self.model.lattice, g) for n, g in rows]))
        change_composition(self.visible, compositions, self.generators)

    @property
    def visible(self) -> np.ndarray:
        """Occupancies, (lattices, sites); a view."""
        return self.sampler.gibbs.visible(self.states)

    def advance(self, theta: np.ndarray, sweeps: int, threads: int = 1) -> None:
        """Advance all chains by sweeps of swaps with the couplings of `theta` (P or more,)."""
        self.sampler.sample(theta[: len(self.model.parameters)], self.states, self.generators, sweeps, threads=threads)

    def count(self, words: Sequence[str]) -> np.ndarray:
        """Counts of words in every chain, int32, shape (lattices, words)."""
        return count_observables(np.ascontiguousarray(self.visible), self.model.lattice, self.model.species, words)


def spread_names(model: EnergyModel) -> tuple[str, ...]:
    """Names of the covariances of the numbers of any two species, such as ``var AB``."""
    return tuple(f"var {a}{b}" for a, b in combinations_with_replacement(model.species, 2))


def spread_of(model: EnergyModel, theta: np.ndarray) -> np.ndarray | None:
    """Covariance of the numbers of particles, (species, species), at a point (P or more,); None without one."""
    values = theta[len(model.parameters) :]
    if not len(values):
        return None
    covariance = np.zeros((len(model.species),) * 2)
    covariance[np.triu_indices(len(covariance))] = values * model.lattice.size
    return covariance + np.triu(covariance, 1).T


def covariance_at_composition(counts: np.ndarray) -> np.ndarray:
    """E Cov(phi | N) from counts (lattices, K) of chains whose second half has the compositions of the first."""
    half = len(counts) // 2
    difference = (counts[:half] - counts[half:]).astype(float)
    return difference.T @ difference / (2 * half)


@dataclass(frozen=True)
class CompositionLaw(MomentMap):
    """Moments of a model in mixed coordinates, from chains that follow each trajectory.

    Parameters
    ----------
    model
        The model.
    observables
        What is counted.
    lattices
        Chains of each trajectory, even.
    sweeps
        Sweeps of each at every time, after which it is counted.
    start
        Where chains start, one of `dbd.boltzmann.composition.STARTS`.
    """

    model: EnergyModel
    observables: Sequence[str]
    lattices: int
    sweeps: int
    start: str = "random"

    @cached_property
    def _species(self) -> list[int]:
        return [self.model.parameters.index(name) for name in self.model.species]

    def moments(self, theta, generator_of, threads=1):
        """Moments along trajectories, as `MomentMap.moments`; streams are those of the first time."""
        inner = threads if len(theta) == 1 else 1

        def follow(index: int) -> np.ndarray:
            parent = generator_of(index, 0)
            generators = parent.spawn(self.lattices)
            chains = Chains(self.model, self.lattices, generators.__getitem__, self.start)
            found = np.empty((2, theta.shape[1], len(self.observables)))
            for time, point in enumerate(theta[index]):
                chains.move(point[self._species], spread_of(self.model, point))
                chains.advance(point, self.sweeps * (1 if time else FIRST), inner)
                counts = chains.count(self.observables)
                found[:, time] = counts.mean(axis=0), counts.std(axis=0, ddof=1)
            return found

        mean, std = np.stack(parallel(follow, range(len(theta)), threads), axis=1)
        return Moments(mean, std / np.sqrt(self.lattices), std)

    def means_by_sweeps(
        self, theta: np.ndarray, sweeps: Sequence[int], generator_of: Callable[[int, int], np.random.Generator]
    ) -> np.ndarray:
        """Means after each of several numbers of sweeps, ascending, of chains that start afresh at every time.

        Returns float64, shape (sweeps, initial condition, time, observable).
        """
        means = np.empty((len(sweeps), *theta.shape[:2], len(self.observables)))
        for point in np.ndindex(theta.shape[:2]):
            for index, counts in enumerate(self._afresh(theta[point], sweeps, generator_of(*point))):
                means[index, *point] = counts.mean(axis=0)
        return means

    def _afresh(self, theta: np.ndarray, sweeps: Sequence[int], parent: np.random.Generator) -> Iterator[np.ndarray]:
        """Yield the counts after each of several numbers of sweeps, ascending, from the start."""
        chains = Chains(self.model, self.lattices, parent.spawn(self.lattices).__getitem__, self.start)
        chains.move(theta[self._species], spread_of(self.model, theta))
        for more in np.diff(sweeps, prepend=0):
            chains.advance(theta, more)
            yield chains.count(self.observables)
