"""Mixed coordinates with numbers that vary: the mean density and couplings of an exactly solvable chain.

    p(s) = exp(h N(s) + sum_k J_k phi_k(s)) / Z,      coordinates n = <N> / sites and J

It is the distribution of natural parameters, with the bias h in terms of the mean; numbers vary between lattices as
they do there. So densities can change by reactions, and moments are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import logit

from dbd.boltzmann.chain import Chain, Cumulants, build_chain
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.family import CompositionAndCouplings
from dbd.boltzmann.moment_map import ExactMoments, MomentMap

ITERATIONS = 60
LONGEST = 1.0  # largest change of a bias in a Newton step
ACCURACY = 1e-10  # of logit n
LEAST = 1e-9  # density that stands for none, and its distance from one for all


@dataclass(frozen=True)
class MeanComposition(CompositionAndCouplings):
    """Mean density and couplings of a chain of one species without hidden layers; others raise ValueError.

    Parameters are those of `CompositionAndCouplings` without spread.
    """

    def __post_init__(self):
        _ = self.chain
        if self.model.layers or self.model.species[0] not in self.model.interactions:
            raise ValueError("family mean_composition: expected a chain without hidden layers, its species with a bias")

    @cached_property
    def chain(self) -> Chain:
        """The chain in natural parameters."""
        return build_chain(self.model)

    def natural(self, theta: np.ndarray) -> np.ndarray:
        """Natural parameters (..., P) at mean densities and couplings (..., P).

        Newton's iteration for logit n, one step of which is exact without couplings.
        """
        (place,), sites = self.species, self.model.lattice.size
        found = np.array(theta, float).reshape(-1, len(self.names))
        wanted = logit(np.clip(found[:, place], LEAST, 1 - LEAST))
        found[:, place] = wanted
        active = np.arange(len(found))
        for _ in range(ITERATIONS):
            cumulants = self.chain.cumulants(found[active])
            density = np.clip(cumulants.mean[:, self.chain.own[place]] / sites, 1e-300, 1 - 1e-16)
            slope = cumulants.jacobian[:, self.chain.own[place], place] / (sites * density * (1 - density))
            missing = wanted[active] - logit(density)
            found[active, place] += np.clip(missing / slope, -LONGEST, LONGEST)
            active = active[np.abs(missing) > ACCURACY]
            if not len(active):
                break
        return found.reshape(np.shape(theta))

    def mixed(self, natural: np.ndarray) -> np.ndarray:
        """Mean densities and couplings (..., P) at natural parameters (..., P)."""
        theta = np.array(natural, float)
        theta[..., self.species[0]] = self.chain.cumulants(theta).mean[..., 0] / self.model.lattice.size
        return theta

    def at_composition(self, cumulants: Cumulants) -> np.ndarray:
        """Fisher matrix of the couplings at constant mean density, (..., K, K)."""
        own, place = self.chain.own, self.species
        covariance = cumulants.jacobian[..., own, :]
        across = covariance[..., self.matched, :][..., place]
        inner = covariance[..., self.matched, :][..., self.matched]
        return inner - across @ np.swapaxes(across, -1, -2) / covariance[..., place, :][..., place]


@dataclass(frozen=True)
class MeanCompositionMoments(MomentMap):
    """Exact moments of a chain in these coordinates; parameters as those of `ExactMoments`."""

    family: MeanComposition
    observables: Sequence[str]

    @property
    def _exact(self) -> ExactMoments:
        model: EnergyModel = self.family.model
        return ExactMoments(model, self.observables)

    def moments(self, theta, generator_of=None, threads=1):
        """Moments along trajectories, as `MomentMap.moments`; nothing is drawn."""
        return self._exact.moments(self.family.natural(theta))

    def draw_visible(self, theta, lattices, generator):
        """Independent lattices, as `MomentMap.draw_visible`."""
        return self._exact.draw_visible(self.family.natural(theta), lattices, generator)
