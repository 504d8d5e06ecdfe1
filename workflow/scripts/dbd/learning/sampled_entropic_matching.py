"""Entropic matching with sampled lattices: composition and pair couplings, driven by the reactions alone.

As `dbd.kinetics.entropic_matching`, in mixed coordinates. All lattices have the mean composition n, and mean counts of
pairs mu in the place of the couplings J that go with them:

    dn/dt = E[L N],    d mu/dt = E[L phi],    J such that <phi>_{n, J} = mu

so that dJ/dt = G^-1 (E[L phi] - (d<phi> / dn) dn/dt) with the Fisher matrix G = E Cov(phi | N). Expected values are
those of chains at the composition, which sum over all possible events (`dbd.learning.event_drift`); nothing is
simulated. In every step J follows mu by G^-1, with a correction for what is still missing (stochastic approximation:
Robbins and Monro 1951). Sampling errors do not accumulate, because couplings are always fitted to mu.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement

import numpy as np

from dbd.boltzmann.chains import ChainsAtComposition
from dbd.boltzmann.energy import EnergyModel
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.learning.event_drift import event_drift

SITES = 8_000  # of all chains together
FEWEST = 2  # chains
SUBSTEPS = 6  # Adams-Bashforth steps in a time step: pairs come apart at a rate of 2 / dt
SWEEPS = 2  # of swaps in each
SETTLING = 30  # iterations that find the couplings at the start
CORRECTION = 0.3  # part of the missing pairs that a step makes up for
MEMORY = 0.95  # weight of the steps before in the Fisher matrix
RIDGE = 0.05  # added to its diagonal, relative, and in pairs squared
LONGEST = 0.5  # change of a coupling in a step
LARGEST = 5.0  # coupling


@dataclass(frozen=True)
class SampledMatching:
    """Entropic matching of a network on a lattice with time step `dt`."""

    network: ReactionNetwork
    lattice: Lattice
    dt: float

    @cached_property
    def model(self) -> EnergyModel:
        """All species, then all pairs."""
        species = self.network.species
        pairs = map("".join, combinations_with_replacement(species, 2))
        return EnergyModel(self.lattice, species, (*species, *pairs))

    def integrate(self, counts: np.ndarray, steps: int, generator_of: Callable[..., np.random.Generator]) -> np.ndarray:
        """Mean counts of species and pairs at steps 0 to `steps`, (time, K), from those at the start, (K,).

        `generator_of` gives the stream of a chain by its number.
        """
        species = len(self.network.species)
        lattices = 2 * max(FEWEST // 2, round(SITES / self.lattice.size / 2))
        chains = ChainsAtComposition(self.model, lattices, generator_of)
        first, second = np.triu_indices(species)

        def independent(numbers: np.ndarray) -> np.ndarray:
            return numbers[first] * np.maximum(numbers[second] - (first == second), 0.0)

        theta, now, path = np.zeros(counts.shape), counts.astype(float), [counts]
        fisher, last = np.zeros((len(first), len(first))), None
        for step in range(-SETTLING, steps * SUBSTEPS):
            chains.move(now[:species])
            chains.advance(theta, SWEEPS)
            found = chains.count(self.model.interactions[species:])
            weight = MEMORY if step > -SETTLING else 0.0
            fisher = weight * fisher + (1.0 - weight) * chains.covariance(found)
            missing, change = now[species:] - found.mean(axis=0), np.zeros(counts.shape)
            if step >= 0:
                drift = event_drift(chains.visible, self.network, self.lattice, self.dt).mean(axis=0)
                ahead = drift if last is None else 1.5 * drift - 0.5 * last
                change, last = np.maximum(ahead * self.dt / SUBSTEPS, -now), drift
            before, after = independent(now[:species]), independent(now[:species] + change[:species])
            alone = np.where(before > 0, after / np.where(before > 0, before, 1.0) - 1.0, 0.0)
            wanted = change[species:] - found.mean(axis=0) * alone + CORRECTION * missing
            metric = fisher + RIDGE * np.diag(np.diag(fisher) + 1.0)
            theta[species:] += np.clip(np.linalg.solve(metric, wanted), -LONGEST, LONGEST)
            theta = np.clip(theta, -LARGEST, LARGEST)
            now = now + change
            if step >= 0 and step % SUBSTEPS == SUBSTEPS - 1:
                path.append(now)
        return np.stack(path)
