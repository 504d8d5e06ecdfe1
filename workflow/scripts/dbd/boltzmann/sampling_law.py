"""Moments of a Boltzmann model under a declared sampling law, with the derivatives that matching needs.

Models in three dimensions have no exact moments. Their moments are *defined* by a sampling law: a number of Gibbs
sweeps from the empty lattice or from a random one. With few sweeps this law is not the Boltzmann distribution, and
beyond the lattice-gas transition, where equilibrium is reached over a barrier, it is far from it; but it is what the
model is used with, its moments depend on the parameters smoothly, and it has no memory of earlier parameters.

In equilibrium the derivative of a mean is the covariance of observable and statistic,

    d<O> / d theta_k = Cov(O, phi_k),

which the same lattices give for nothing. Away from equilibrium this is an approximation. It is used as the Jacobian of
quasi-Newton steps, which need it only to point the right way: where steps stop, differences of means have vanished
as far as smoothness and prior allow, whatever Jacobian led there.

Hidden layers take more sweeps to equilibrate, and the covariance can be wrong by factors: too small early on, and much
too large where some chains have changed phase and others have not. Then differences of means between chains that use
the same random numbers are worth their price, a sample for each parameter.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.moment_map import MomentMap, Moments
from dbd.lattice.observables import count_observables
from dbd.numerics.threads import parallel

SHIFT = 0.1  # of a parameter, for differences


class Response(NamedTuple):
    """Sampled means and how they respond to the parameters."""

    mean: np.ndarray  # float64 (observable,)
    jacobian: np.ndarray  # float64 (observable, parameter): covariance of observables and statistics


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
        drawn = drawn.reshape(*theta.shape[:2], self.lattices, len(self.observables))
        std = drawn.std(axis=2, ddof=1)
        return Moments(drawn.mean(axis=2), std / np.sqrt(self.lattices), std)

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

    def differences(
        self, theta: np.ndarray, mean: np.ndarray, free: np.ndarray, generator_of: Callable[[], np.random.Generator]
    ) -> np.ndarray:
        """Forward differences of the means with respect to the `free` parameters, (observable, parameter).

        Those of other parameters are zero. `generator_of` returns the generator that gave `mean` at `theta`, each time
        in its first state.
        """
        slopes = np.zeros((len(mean), len(theta)))
        for k in np.flatnonzero(free):
            shifted = theta + SHIFT * (np.arange(len(theta)) == k)
            counts = self._count(self.draw(shifted, generator_of()), self.observables)
            slopes[:, k] = (counts.mean(axis=0) - mean) / SHIFT
        return slopes

    def response(self, theta: np.ndarray, generator: np.random.Generator) -> Response:
        """Means of the observables at parameters `theta`, and their approximate Jacobian."""
        model, states = self.sampler.model, self.draw(theta, generator)
        counts = self._count(states, self.observables)
        # The kernel counts visible statistics faster than the model's own definition, which knows hidden layers too.
        statistics = self._count(states, model.interactions)
        if model.layers:
            all_statistics = model.statistics(self.sampler.visible(states), self.sampler.hidden(states))
            statistics = np.concatenate([statistics, all_statistics[:, len(model.interactions) :]], axis=1)
        mean = counts.mean(axis=0)
        return Response(mean, (counts - mean).T @ (statistics - statistics.mean(axis=0)) / (self.lattices - 1))

    def _count(self, states: np.ndarray, words: Sequence[str]) -> np.ndarray:
        """Visible counts of chains, (lattices, word)."""
        visible, model = np.ascontiguousarray(self.sampler.visible(states)), self.sampler.model
        return count_observables(visible, model.lattice, model.species, words)
