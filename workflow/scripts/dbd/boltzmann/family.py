"""Coordinates of a distribution: natural parameters, or composition and couplings (mixed coordinates).

    natural    p(s) = exp(sum_k theta_k phi_k(s)) / Z(theta)
    mixed      p(s) = rho(N(s)) exp(sum_k J_k phi_k(s)) / Z_N(J)

In mixed coordinates the parameters of a model that count particles are densities n, all others couplings J at fixed
composition. Behind them may follow the covariances of the numbers between runs, divided by the number of sites: then
rho is a law with this mean and covariance, else all lattices have the mean composition. It is the same exponential
family, with means for the numbers and natural parameters for the rest.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from dbd.boltzmann.chains import Chains, ChainsAtComposition, FreeChains, Streams
from dbd.boltzmann.energy import EnergyModel


@dataclass(frozen=True)
class Family(ABC):
    """What coordinates mean; P parameters, K of them matched to data, S species."""

    model: EnergyModel

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, those of the model first."""
        return self.model.parameters

    @property
    @abstractmethod
    def matched(self) -> list[int]:
        """Places of the parameters that are matched to mean counts; all others are known from numbers of particles."""

    @abstractmethod
    def words(self, observables: Sequence[str]) -> list[str]:
        """Which of the observables, or of its own statistics, the family is matched to."""

    @abstractmethod
    def known(self, density: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Parameters (..., P) of which only those known from the data are filled in.

        Mean density of every species (..., S), and the covariance of the numbers between runs (..., S, S).
        """

    @abstractmethod
    def numbers(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Mean numbers of particles (S,) and their covariance, where the parameters (P,) say."""

    @abstractmethod
    def metric(self, density: np.ndarray, covariance: np.ndarray, information: np.ndarray) -> np.ndarray:
        """Fisher matrix of a run, (..., P, P), from that of the matched parameters, (..., K, K)."""

    @abstractmethod
    def chains(self, lattices: int, generator_of: Streams) -> Chains:
        """Chains of the model in these coordinates."""

    def _pairs(self, observables: Sequence[str]) -> list[str]:
        """What the couplings are matched to: their own statistics, or with hidden layers all that is observed."""
        words = observables if self.model.layers else self.model.interactions
        return [word for word in words if len(word) > 1]


@dataclass(frozen=True)
class NaturalParameters(Family):
    """All parameters are biases and couplings, and numbers of particles are free."""

    @property
    def matched(self):
        """All."""
        return list(range(len(self.model.parameters)))

    def words(self, observables):
        """Numbers of particles among them, where the model has their biases."""
        species = self.model.species if self.model.layers else self.model.interactions
        return [word for word in species if len(word) == 1] + self._pairs(observables)

    def known(self, density, covariance):
        """None."""
        return np.zeros((*density.shape[:-1], len(self.names)))

    def numbers(self, theta):
        """Not said."""
        return np.zeros(len(self.model.species)), None

    def metric(self, density, covariance, information):
        """That of all parameters."""
        return information

    def chains(self, lattices, generator_of):
        """Chains with free numbers of particles."""
        return FreeChains(self.model, lattices, generator_of)


@dataclass(frozen=True)
class CompositionAndCouplings(Family):
    """Mixed coordinates; with `spread` the covariance of the numbers between runs is part of them."""

    spread: bool = False

    @cached_property
    def names(self):
        """Those of the model, then such as ``var AB`` for the covariances of the numbers of any two species."""
        pairs = combinations_with_replacement(self.model.species, 2)
        return self.model.parameters + tuple(f"var {a}{b}" for a, b in pairs if self.spread)

    @cached_property
    def species(self) -> list[int]:
        """Places of the densities."""
        return [self.model.parameters.index(name) for name in self.model.species]

    @cached_property
    def matched(self):
        """Couplings, and all that belongs to hidden layers."""
        return [k for k, name in enumerate(self.model.parameters) if name not in self.model.species]

    def words(self, observables):
        """All but numbers of particles, which are the same in the model."""
        return self._pairs(observables)

    def known(self, density, covariance):
        """Densities and covariances."""
        path = np.zeros((*density.shape[:-1], len(self.names)))
        path[..., self.species] = density
        if self.spread:
            first, second = np.triu_indices(len(self.model.species))
            path[..., len(self.model.parameters) :] = covariance[..., first, second] / self.model.lattice.size
        return path

    def numbers(self, theta):
        """Those of the composition, in bounds, where nothing keeps them if they are driven without reactions."""
        sites, values = self.model.lattice.size, theta[len(self.model.parameters) :]
        density = np.maximum(theta[self.species], 0.0)
        numbers = density / max(density.sum(), 1.0) * sites
        if not self.spread:
            return numbers, None
        covariance = np.zeros((len(self.species),) * 2)
        covariance[np.triu_indices(len(covariance))] = values * sites
        return numbers, covariance + np.triu(covariance, 1).T

    def metric(self, density, covariance, information):
        """Block diagonal: couplings, then numbers as a normal law with their covariance between runs.

        To this are added a molecule squared and what chance makes of as many independent molecules, so that starts
        that are the same in all runs do not outweigh all that follows.
        """
        sites, own, species = self.model.lattice.size, len(self.model.parameters), self.species
        metric = np.zeros((*density.shape[:-1], len(self.names), len(self.names)))
        inverse = np.linalg.inv(covariance + (density * sites + 1.0)[..., None] * np.eye(len(species)))
        metric[..., np.ix_(species, species)[0], np.ix_(species, species)[1]] = sites**2 * inverse
        matched = np.ix_(self.matched, self.matched)
        metric[..., matched[0], matched[1]] = information
        if self.spread:
            moved = np.einsum("...ab,ibc->...iac", inverse, symmetric_basis(len(species)) * sites)
            metric[..., own:, own:] = np.einsum("...iab,...jba->...ij", moved, moved) / 2
        return metric

    def chains(self, lattices, generator_of, start="random"):
        """Chains at fixed composition, from one of the starts of `dbd.boltzmann.composition.STARTS`."""
        return ChainsAtComposition(self.model, lattices, generator_of, start)


def symmetric_basis(size: int) -> np.ndarray:
    """Symmetric matrices whose upper triangle has a single one: (size (size + 1) / 2, size, size)."""
    first, second = np.triu_indices(size)
    basis = np.zeros((len(first), size, size))
    basis[range(len(first)), first, second] = basis[range(len(first)), second, first] = 1.0
    return basis
