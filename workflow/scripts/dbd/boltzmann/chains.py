"""Chains of lattices that follow a trajectory of a model: they move on from one time to the next.

Chains at fixed composition (mixed coordinates) are advanced by swaps. There is no transition of the number of
particles, so that they are in equilibrium after a few sweeps. Two chains share each composition: half the mean square
difference between them is the covariance of the statistics at fixed composition, E Cov(phi | N), the Fisher matrix of
the couplings. Free chains (natural parameters) are advanced by Gibbs sampling.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from dbd.boltzmann.composition import STARTS, change_composition, nodes
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.swaps import SwapSampler
from dbd.lattice.observables import count_observables

Streams = Callable[..., np.random.Generator]


class Chains(ABC):
    """Chains of a model.

    Parameters
    ----------
    model
        The model.
    lattices
        Number of chains, even.
    generator_of
        Stream of a chain.
    """

    def __init__(self, model: EnergyModel, lattices: int, generator_of: Streams):
        self.model = model
        self.generators = [generator_of(chain) for chain in range(lattices)]
        self.states: np.ndarray | None = None

    @cached_property
    def gibbs(self) -> Sampler:
        """Gibbs sampler of the model, which knows how states are cut up."""
        return Sampler(self.model)

    @property
    def visible(self) -> np.ndarray:
        """Occupancies, (lattices, sites); a view."""
        return self.gibbs.visible(self.states)

    @abstractmethod
    def move(self, numbers: np.ndarray, covariance: np.ndarray | None) -> None:
        """Make chains ready for mean numbers of particles (species,) and their covariance between runs, if any."""

    @abstractmethod
    def advance(self, theta: np.ndarray, sweeps: int, threads: int = 1) -> None:
        """Advance all chains by sweeps with parameters of the model, (P,)."""

    @abstractmethod
    def covariance(self, counts: np.ndarray) -> np.ndarray:
        """Covariance of counts (lattices, K) in equilibrium, of which the parameters of the family change the means."""

    def count(self, words: Sequence[str]) -> np.ndarray:
        """Counts of words in every chain, int32, shape (lattices, words)."""
        return count_observables(np.ascontiguousarray(self.visible), self.model.lattice, self.model.species, words)

    def statistics(self, places: Sequence[int]) -> np.ndarray:
        """Statistics of the parameters at some places, (lattices, len(places)), with the hidden units as they are."""
        if not self.model.layers:
            return self.count([self.model.parameters[k] for k in places])
        return self.model.statistics(self.visible, self.gibbs.hidden(self.states))[:, places]


class ChainsAtComposition(Chains):
    """Chains at fixed composition; `start` is one of `dbd.boltzmann.composition.STARTS`."""

    def __init__(self, model: EnergyModel, lattices: int, generator_of: Streams, start: str = "random"):
        super().__init__(model, lattices, generator_of)
        self.sampler, self.start = SwapSampler(model), STARTS[start]

    def move(self, numbers, covariance=None):
        """Bring all chains to compositions with these moments; few particles change places."""
        sites, half = self.model.lattice.size, len(self.generators) // 2
        numbers = np.maximum(numbers, 0.0)
        numbers = numbers * min(1.0, sites / max(numbers.sum(), 1e-300))
        if covariance is not None:
            values, vectors = np.linalg.eigh(covariance)
            covariance = (vectors * np.maximum(values, 0.0)) @ vectors.T
            covariance *= np.outer(numbers > 0, numbers > 0)
        compositions = np.tile(nodes(numbers, covariance, sites, half), (2, 1))
        if self.states is None:
            rows = zip(compositions, self.generators, strict=True)
            self.states = self.gibbs.start(np.stack([self.start(n, self.model.lattice, g) for n, g in rows]))
        change_composition(self.visible, compositions, self.generators)

    def advance(self, theta, sweeps, threads=1):
        """Sweeps of swaps; parameters that count particles have no effect."""
        self.sampler.sample(theta, self.states, self.generators, sweeps, threads=threads)

    def covariance(self, counts):
        """E Cov(counts | N), from chains whose second half has the compositions of the first."""
        half = len(counts) // 2
        difference = (counts[:half] - counts[half:]).astype(float)
        return difference.T @ difference / (2 * half)


class FreeChains(Chains):
    """Chains in which numbers of particles are free; they start from random lattices of any density."""

    def move(self, numbers, covariance=None):
        """Start if need be; chains find their composition by themselves."""
        if self.states is None:
            self.states = self.gibbs.random(self.generators)

    def advance(self, theta, sweeps, threads=1):
        """Sweeps of Gibbs sampling."""
        self.gibbs.sample(theta, self.states, self.generators, sweeps, threads=threads)

    def covariance(self, counts):
        """Cov(counts)."""
        return np.cov(counts.T).reshape(counts.shape[1], counts.shape[1])
