"""Moments of a reduced model along trajectories of its parameters: exact ones, or those of a declared sampling law."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.lattice.observables import count_observables
from dbd.numerics.threads import parallel


class Moments(NamedTuple):
    """Predicted counts; float64, shape (initial condition, time, observable)."""

    mean: np.ndarray
    sem: np.ndarray  # standard error of the mean by sampling; zero if exact


def exact_moments(model: EnergyModel, theta: np.ndarray, observables: Sequence[str]) -> Moments:
    """Exact means at parameters `theta` (initial condition, time, parameter), from the transfer matrix."""
    chain = build_chain(model)
    mean = chain.solve(theta).mean[..., [chain.observables.index(name) for name in observables]]
    return Moments(mean, np.zeros_like(mean))


def sampled_moments(
    model: EnergyModel,
    theta: np.ndarray,
    observables: Sequence[str],
    law: Mapping[str, Any],
    generator_of: Callable[[int, int], np.random.Generator],
    *,
    threads: int = 1,
) -> Moments:
    """Means over lattices drawn by Gibbs sampling.

    Parameters
    ----------
    model, theta, observables
        The model, its parameters (initial condition, time, parameter), and what to count.
    law
        The sampling law: number of ``lattices``, ``sweeps`` of each chain, and ``start``, empty or random.
    generator_of
        Stream of an initial condition and a time; its chains follow one another.
    threads
        Size of the thread pool; results do not depend on it.
    """
    sampler = Sampler(model)

    def draw(place: tuple[int, int]) -> np.ndarray:
        generators = [generator_of(*place)] * law["lattices"]
        states = sampler.empty(len(generators)) if law["start"] == "empty" else sampler.random(generators)
        sampler.sample(theta[place], states, generators, law["sweeps"])
        return count_observables(sampler.visible(states), model.lattice, model.species, observables)

    counts = np.array(parallel(draw, np.ndindex(theta.shape[:2]), threads), float)
    counts = counts.reshape(*theta.shape[:2], law["lattices"], len(observables))
    return Moments(counts.mean(axis=2), counts.std(axis=2, ddof=1) / np.sqrt(law["lattices"]))


def moments_by_sweeps(
    model: EnergyModel,
    theta: np.ndarray,
    observables: Sequence[str],
    law: Mapping[str, Any],
    sweeps: Sequence[int],
    generator_of: Callable[[int, int], np.random.Generator],
) -> np.ndarray:
    """Means after each of several numbers of sweeps, in ascending order, of the same chains.

    Parameters are those of `sampled_moments` otherwise, of whose `law` the number of sweeps is not looked at. Returns
    float64, shape (sweeps, initial condition, time, observable).
    """
    sampler = Sampler(model)
    means = np.empty((len(sweeps), *theta.shape[:2], len(observables)))
    for place in np.ndindex(theta.shape[:2]):
        generators = [generator_of(*place)] * law["lattices"]
        states = sampler.empty(len(generators)) if law["start"] == "empty" else sampler.random(generators)
        for index, more in enumerate(np.diff(sweeps, prepend=0)):
            sampler.sample(theta[place], states, generators, more)
            counts = count_observables(sampler.visible(states), model.lattice, model.species, observables)
            means[index, *place] = counts.mean(axis=0)
    return means
