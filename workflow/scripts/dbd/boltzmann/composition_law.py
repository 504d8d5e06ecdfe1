"""Moments of a model in mixed coordinates, from chains at fixed composition."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbd.boltzmann.family import CompositionAndCouplings
from dbd.boltzmann.moment_map import MomentMap, Moments
from dbd.numerics.threads import parallel

FIRST = 5  # times as many sweeps at the start of a trajectory as at every later time


@dataclass(frozen=True)
class CompositionLaw(MomentMap):
    """Moments from chains that follow each trajectory.

    Parameters
    ----------
    family
        The model in its coordinates.
    observables
        What is counted.
    lattices
        Chains of each trajectory, even.
    sweeps
        Sweeps of each at every time, after which it is counted.
    start
        Where chains start, one of `dbd.boltzmann.composition.STARTS`.
    """

    family: CompositionAndCouplings
    observables: Sequence[str]
    lattices: int
    sweeps: int
    start: str = "random"

    def moments(self, theta, generator_of, threads=1):
        """Moments along trajectories, as `MomentMap.moments`; streams are those of the first time."""
        inner = threads if len(theta) == 1 else 1

        def follow(index: int) -> np.ndarray:
            generators = generator_of(index, 0).spawn(self.lattices)
            chains = self.family.chains(self.lattices, generators.__getitem__, self.start)
            counts = np.empty((theta.shape[1], self.lattices, len(self.observables)))
            for time, point in enumerate(theta[index]):
                chains.move(*self.family.numbers(point))
                chains.advance(self._of_model(point), self.sweeps * (1 if time else FIRST), inner)
                counts[time] = chains.count(self.observables)
            return counts

        return Moments.of(np.stack(parallel(follow, range(len(theta)), threads)))

    def draw_visible(self, theta, lattices, generator):
        """Lattices of chains that start at this point, two of each composition, as `MomentMap.draw_visible`."""
        chains = self.family.chains(lattices + lattices % 2, generator.spawn(lattices + 1).__getitem__, self.start)
        chains.move(*self.family.numbers(theta))
        chains.advance(self._of_model(theta), self.sweeps * FIRST)
        return chains.visible[:lattices].copy()

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
        chains = self.family.chains(self.lattices, parent.spawn(self.lattices).__getitem__, self.start)
        chains.move(*self.family.numbers(theta))
        for more in np.diff(sweeps, prepend=0):
            chains.advance(self._of_model(theta), more)
            yield chains.count(self.observables)

    def _of_model(self, theta: np.ndarray) -> np.ndarray:
        """Parameters of the model alone."""
        return theta[: len(self.family.model.parameters)]
