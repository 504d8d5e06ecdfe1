"""From the parameters of a Boltzmann distribution to its moments: what every way to get them has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.energy import EnergyModel


class Moments(NamedTuple):
    """Moments of counts; float64, shape (initial condition, time, observable)."""

    mean: np.ndarray
    sem: np.ndarray  # standard error of the mean by sampling; zero if exact
    covariance: np.ndarray  # between lattices, (initial condition, time, observable, observable)

    @classmethod
    def of(cls, counts: np.ndarray) -> "Moments":
        """Moments of counts in lattices that were drawn; (initial condition, time, lattice, observable)."""
        centred = counts - counts.mean(axis=-2, keepdims=True)
        covariance = np.swapaxes(centred, -1, -2) @ centred / (counts.shape[-2] - 1)
        variance = np.diagonal(covariance, axis1=-2, axis2=-1)
        return cls(counts.mean(axis=-2), np.sqrt(variance / counts.shape[-2]), covariance)

    @property
    def std(self) -> np.ndarray:
        """Standard deviation between lattices."""
        return np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1))


class MomentMap(ABC):
    """The moments of a model as a function of its parameters."""

    @abstractmethod
    def moments(
        self, theta: np.ndarray, generator_of: Callable[[int, int], np.random.Generator], threads: int = 1
    ) -> Moments:
        """Moments along trajectories.

        Parameters
        ----------
        theta
            Parameters, (initial condition, time, parameter).
        generator_of
            Stream of an initial condition and a time, for moments that are sampled.
        threads
            Size of the thread pool; results do not depend on it.
        """

    @abstractmethod
    def draw_visible(self, theta: np.ndarray, lattices: int, generator: np.random.Generator) -> np.ndarray:
        """Lattices at one point `theta` (parameter,), visible sites alone; uint8, shape (lattices, sites)."""


@dataclass(frozen=True)
class ExactMoments(MomentMap):
    """Moments from the transfer matrix.

    Parameters
    ----------
    model
        A model that has an exactly solvable form (`build_chain`).
    observables
        What is counted.
    """

    model: EnergyModel
    observables: Sequence[str]

    def moments(self, theta, generator_of=None, threads=1):
        """Moments along trajectories, as `MomentMap.moments`; nothing is drawn."""
        chain = build_chain(self.model)
        found = [chain.observables.index(name) for name in self.observables]
        cumulants = chain.cumulants(theta)
        mean = cumulants.mean[..., found]
        return Moments(mean, np.zeros_like(mean), cumulants.covariance[..., found, :][..., found])

    def draw_visible(self, theta, lattices, generator):
        """Independent lattices, as `MomentMap.draw_visible`."""
        return build_chain(self.model).sample(theta, lattices, generator)
