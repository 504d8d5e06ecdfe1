"""Moments of a Boltzmann model under a declared sampling law: Gibbs sweeps from an empty lattice or a random one.

With few sweeps this law is not the Boltzmann distribution, and beyond the lattice-gas transition, where equilibrium is
reached over a barrier, it is far from it; `compare_sweeps` shows how far.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.moment_map import MomentMap, Moments
from dbd.lattice.observables import count_observables
from dbd.numerics.threads import parallel


@dataclass(frozen=True)
class SamplingLaw(MomentMap):
    """The law that a model's lattices are drawn from.

    Parameters
    ----------
    sampler
        Draws configurations of the model.
    observables
        What is counted.
    lattices
        Independent chains.
    sweeps
        Gibbs sweeps of each.
    start
        ``empty`` or ``random``: where each chain starts.
    """

    sampler: Sampler
    observables: Sequence[str]
    lattices: int
    sweeps: int
    start: Literal["empty", "random"] = "empty"

    def draw(self, theta: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """States of all chains at parameters `theta`, one after another; shape (lattices, all units + 1)."""
        *_, states = self._after(theta, generator, [self.sweeps])
        return states

    def _after(self, theta: np.ndarray, generator: np.random.Generator, sweeps: Sequence[int]) -> Iterator[np.ndarray]:
        """Yield the states of all chains after each of several numbers of sweeps, in ascending order."""
        generators = [generator] * self.lattices
        states = self.sampler.empty(self.lattices) if self.start == "empty" else self.sampler.random(generators)
        for more in np.diff(sweeps, prepend=0):
            yield self.sampler.sample(theta, states, generators, more)

    def moments(self, theta, generator_of, threads=1):
        """Moments along trajectories, as `MomentMap.moments`."""

        def counts(point: tuple[int, int]) -> np.ndarray:
            return self._count(self.draw(theta[point], generator_of(*point)), self.observables)

        drawn = np.array(parallel(counts, np.ndindex(theta.shape[:2]), threads), float)
        return Moments.of(drawn.reshape(*theta.shape[:2], self.lattices, len(self.observables)))

    def draw_visible(self, theta, lattices, generator):
        """Lattices of chains with the sweeps of the law, as `MomentMap.draw_visible`."""
        return self.sampler.visible(replace(self, lattices=lattices).draw(theta, generator)).copy()

    def means_by_sweeps(
        self, theta: np.ndarray, sweeps: Sequence[int], generator_of: Callable[[int, int], np.random.Generator]
    ) -> np.ndarray:
        """Means after each of several numbers of sweeps, in ascending order, of the same chains.

        As `moments` otherwise. Returns float64, shape (sweeps, initial condition, time, observable).
        """
        means = np.empty((len(sweeps), *theta.shape[:2], len(self.observables)))
        for point in np.ndindex(theta.shape[:2]):
            for index, states in enumerate(self._after(theta[point], generator_of(*point), sweeps)):
                means[index, *point] = self._count(states, self.observables).mean(axis=0)
        return means

    def _count(self, states: np.ndarray, words: Sequence[str]) -> np.ndarray:
        """Visible counts of chains, (lattices, word)."""
        visible, model = np.ascontiguousarray(self.sampler.visible(states)), self.sampler.model
        return count_observables(visible, model.lattice, model.species, words)
