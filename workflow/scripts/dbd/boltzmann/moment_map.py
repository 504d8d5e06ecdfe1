"""From the parameters of a Boltzmann distribution to its moments: what every way to get them has in common."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.energy import EnergyModel


class Moments(NamedTuple):
    """Mean counts; float64, shape (initial condition, time, observable)."""

    mean: np.ndarray
    sem: np.ndarray  # standard error of the mean by sampling; zero if exact
    std: np.ndarray | None = None  # standard deviation between lattices; None if exact


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
        mean = chain.cumulants(theta).mean[..., [chain.observables.index(name) for name in self.observables]]
        return Moments(mean, np.zeros_like(mean))
