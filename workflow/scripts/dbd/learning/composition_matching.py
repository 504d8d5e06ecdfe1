"""Static matching in mixed coordinates: couplings at fixed composition that give the mean counts of the data.

At every time the couplings J minimise the Kullback-Leibler divergence of the data, which is convex with

    gradient  <phi>_J - <phi>_data,      Hessian  G = E Cov(phi | N)

at the mean composition of the data. It is solved by Newton steps with sampled means (stochastic approximation: J and
the means are averaged over the steps, and the last step is taken from the averages), by chains that go on from one time
to the next. Between two times the couplings have a weak prior, a random walk, that holds those the data say nothing
about: a statistic that is always zero or never varies leaves its coupling where it was, and does not touch the others.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.composition_law import FIRST, Chains, covariance_at_composition
from dbd.boltzmann.energy import EnergyModel
from dbd.numerics.threads import parallel

STEPS = 3  # Newton steps at every time
SWEEPS = 5  # of all chains, before each
WALK = 0.3  # standard deviation of the prior change of a coupling in a time step
LONGEST = 0.5  # largest change of a coupling in one step
MEMORY = 0.9  # weight of the past in the running estimate of G
LATTICES = (16, 96)  # chains of each initial condition: at least, at most
ALTOGETHER = 1024  # chains of all initial conditions, between these bounds


class Matched(NamedTuple):
    """Matched couplings along time; K couplings."""

    couplings: np.ndarray  # float64 (..., times, K)
    information: np.ndarray  # G, (..., times, K, K)
    error: np.ndarray  # standard error of the couplings by sampling, (..., times, K)


def match_path(
    model: EnergyModel,
    density: np.ndarray,
    counts: np.ndarray,
    runs: int,
    lattices: int,
    generator_of: Callable[[int], np.random.Generator],
    threads: int = 1,
    covariance: np.ndarray | None = None,
) -> Matched:
    """Match the data of one initial condition at every time.

    Parameters
    ----------
    model
        The model; parameters that do not count particles are the couplings, in their order.
    density
        Mean particles of every species per site, (times, species).
    counts
        Mean of the statistic of every coupling, (times, K).
    runs
        Runs that were averaged; they weigh against the prior.
    lattices
        Number of chains, even.
    generator_of
        Stream of a chain.
    threads
        Size of the thread pool; results do not depend on it.
    covariance
        Covariance of the numbers of particles between runs, (times, species, species); none if all runs have the mean
        composition.
    """
    coupled = couplings_of(model)
    words = [model.parameters[k] for k in coupled]
    theta = np.zeros(len(model.parameters))
    prior = np.eye(len(words)) / (WALK**2 * runs)
    chains = Chains(model, lattices, generator_of)
    found = Matched(np.empty(counts.shape), np.empty((*counts.shape, len(words))), np.empty(counts.shape))
    matrix, weight = np.zeros((len(words), len(words))), 0.0
    before = np.zeros(len(words))
    for time, (numbers, data) in enumerate(zip(density, counts, strict=True)):
        chains.move(numbers, None if covariance is None else covariance[time])
        tried, means, varies = [], [], np.zeros(len(words), bool)
        here = before
        for step in range(STEPS * (1 if time else FIRST)):
            theta[coupled] = here
            chains.advance(theta, SWEEPS, threads)
            drawn = chains.count(words)
            matrix = MEMORY * matrix + (1 - MEMORY) * covariance_at_composition(drawn)
            weight = MEMORY * weight + 1 - MEMORY
            varies |= np.ptp(drawn, axis=0) > 0
            fisher = matrix / weight * np.outer(varies, varies)
            tried.append(here)
            means.append(drawn.mean(axis=0))
            change = np.linalg.solve(fisher + prior, varies * (data - means[-1]) - prior @ (here - before))
            here = here + _bounded(change) * (0.6 if step else 1.0)
        late = slice(0 if time else STEPS, None)  # chains have come to equilibrium by then
        centre, mean, curvature = np.mean(tried[late], axis=0), np.mean(means[late], axis=0), fisher + prior
        here = centre + _bounded(np.linalg.solve(curvature, varies * (data - mean) - prior @ (centre - before)))
        inverse = np.linalg.inv(curvature)
        variance = np.diagonal(inverse @ fisher @ inverse) / (lattices * len(means[late]))
        for array, value in zip(found, (here, fisher, np.sqrt(variance)), strict=True):
            array[time] = value
        before = here
    return found


def match_paths(
    model: EnergyModel,
    density: np.ndarray,
    counts: np.ndarray,
    runs: int,
    generator_of: Callable[[int, int], np.random.Generator],
    threads: int = 1,
    covariance: np.ndarray | None = None,
) -> Matched:
    """Match all initial conditions, as `match_path`: densities (R, times, species), counts (R, times, K)."""
    lattices = int(np.clip(ALTOGETHER // len(density), *LATTICES)) // 2 * 2
    inner = threads if len(density) == 1 else 1

    def match(index: int) -> Matched:
        spread = None if covariance is None else covariance[index]
        streams = lambda chain: generator_of(index, chain)  # noqa: E731
        return match_path(model, density[index], counts[index], runs, lattices, streams, inner, spread)

    return Matched(*map(np.stack, zip(*parallel(match, range(len(density)), threads), strict=True)))


def couplings_of(model: EnergyModel) -> list[int]:
    """Indices of the parameters that are couplings, not numbers of particles."""
    return [k for k, name in enumerate(model.parameters) if name not in model.species]


def _bounded(change: np.ndarray) -> np.ndarray:
    """A change of couplings, shortened to the largest allowed."""
    return change * min(1.0, LONGEST / max(np.abs(change).max(initial=0.0), 1e-300))
