"""Static matching with sampled moments: parameters that give the mean counts of the data, at every time.

The parameters minimise the Kullback-Leibler divergence of the data, in mixed coordinates at the mean composition of the
data. Without hidden layers that is convex in the couplings, with

    gradient  <phi> - <phi>_data,      Hessian  G = Cov(phi), at fixed composition E Cov(phi | N)

With hidden layers the data are means of observables O, which respond to the parameters by Cov(O, phi). Their difference
from the data is weighed by Cov(O), which is the divergence to second order in it (generalised method of moments):

    gradient  R (<O> - <O>_data),      Hessian  G = R Cov(O, phi),      R = Cov(phi, O) Cov(O)^-1

and is the same as above where O are the statistics phi. It is solved by Newton steps with sampled means (stochastic
approximation: parameters and means are averaged over the steps, and the last step is taken from the averages), by
chains that go on from one time to the next. The parameters have a weak prior, an autoregressive process about their
initial values: what the data say nothing about, such as the couplings of a species that is absent or how sharply hidden
units switch, stays near where it began, and does not touch the others.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.chains import Chains
from dbd.boltzmann.family import Family
from dbd.numerics.threads import parallel

STEPS = 3  # Newton steps at every time
FIRST = 5  # times as many at the first one
SWEEPS = 5  # of all chains, before each
WALK = 0.3  # standard deviation of the prior change of a parameter in a time step
RETURN = 0.9  # part of its distance from the initial value that a parameter keeps in a time step, by the prior
LONGEST = 0.5  # largest change of a parameter in one step
MEMORY = 0.9  # weight of the past in the running estimate of covariances
LATTICES = (16, 96)  # chains of each initial condition: at least, at most
ALTOGETHER = 1024  # chains of all initial conditions, between these bounds
FLOOR = 1e-3  # part of its variance that is added to that of an observable, so that their covariance has an inverse


@dataclass(frozen=True)
class Ensemble:
    """Means of simulated runs; R initial conditions, S species.

    Parameters
    ----------
    density
        Mean particles of every species per site, (R, times, S).
    covariance
        Covariance between runs of the numbers of particles, (R, times, S, S).
    words
        What else was counted, and what is matched.
    counts
        Mean counts of the words, (R, times, words).
    runs
        Runs of each initial condition; they weigh against the prior.
    """

    density: np.ndarray
    covariance: np.ndarray
    words: Sequence[str]
    counts: np.ndarray
    runs: int


class Matched(NamedTuple):
    """Matched parameters along time; P parameters, K of them matched, the others known from the data."""

    theta: np.ndarray  # float64 (R, times, P)
    information: np.ndarray  # G, (R, times, K, K)
    error: np.ndarray  # standard error of the parameters, of data and sampling, (R, times, P); zero if known


class Running:
    """Running covariances of observables and statistics."""

    def __init__(self, words: Sequence[str], names: Sequence[str]):
        self.same = list(words) == list(names)
        self.words, self.size = len(words), len(words) if self.same else len(words) + len(names)
        self.total, self.weight = np.zeros((self.size, self.size)), 0.0

    def add(self, chains: Chains, words: Sequence[str], places: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Count chains, and return the mean counts of words and which of them vary."""
        drawn = chains.count(words)
        both = drawn if self.same else np.concatenate([drawn, chains.statistics(places)], axis=1)
        self.total = MEMORY * self.total + (1 - MEMORY) * chains.covariance(both)
        self.weight = MEMORY * self.weight + 1 - MEMORY
        return drawn.mean(axis=0), np.ptp(drawn, axis=0) > 0

    def response(self, varies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """R, (K, words), and G, (K, K), with words that do not vary left out."""
        covariance = self.total / self.weight
        own = covariance[: self.words, : self.words] * np.outer(varies, varies)
        if self.same:
            return np.diag(varies.astype(float)), own
        across = covariance[: self.words, self.words :] * varies[:, None]
        diagonal = np.diagonal(own)
        back = np.linalg.solve(own + np.diag(FLOOR * diagonal + (diagonal == 0)), across).T
        information = back @ across
        return back, (information + information.T) / 2


def match_path(
    family: Family, data: Ensemble, index: int, initial: np.ndarray, chains: Chains, threads: int = 1
) -> Matched:
    """Match the data of one initial condition at every time; the prior begins at `initial` parameters (P,)."""
    places = family.matched
    path = family.known(data.density[index], data.covariance[index])
    error, information = np.zeros(path.shape), np.empty((len(path), len(places), len(places)))
    own = len(family.model.parameters)
    prior = np.eye(len(places)) / (WALK**2 * data.runs)
    running = Running(data.words, [family.names[k] for k in places])
    before = initial[places]
    for time, wanted in enumerate(data.counts[index]):
        theta = path[time]
        chains.move(*family.numbers(theta))
        tried, means, varies = [], [], np.zeros(len(data.words), bool)
        here = before
        prior_mean = initial[places] + RETURN * (before - initial[places])
        for step in range(STEPS if time else STEPS * FIRST):
            theta[places] = here
            chains.advance(theta[:own], SWEEPS, threads)
            tried.append(here)
            mean, vary = running.add(chains, data.words, places)
            means.append(mean)
            varies |= vary
            response, fisher = running.response(varies)
            change = np.linalg.solve(fisher + prior, response @ (wanted - means[-1]) - prior @ (here - prior_mean))
            here = here + _bounded(change) * (0.6 if step else 1.0)
        late = slice(0 if time else STEPS, None)  # chains have come to equilibrium by then
        centre, curvature = np.mean(tried[late], axis=0), fisher + prior
        change = np.linalg.solve(
            curvature, response @ (wanted - np.mean(means[late], axis=0)) - prior @ (centre - prior_mean)
        )
        inverse = np.linalg.inv(curvature)
        drawn = len(chains.generators) * len(means[late])
        variance = np.diagonal(inverse @ fisher @ inverse) * (1 / drawn + 1 / data.runs)
        theta[places] = before = centre + _bounded(change)
        information[time], error[time, places] = fisher, np.sqrt(np.maximum(variance, 0.0))
    return Matched(path, information, error)


def match_paths(
    family: Family,
    data: Ensemble,
    initial: np.ndarray,
    generator_of: Callable[[int, int], np.random.Generator],
    threads: int = 1,
) -> Matched:
    """Match all initial conditions, each from its `initial` parameters (R, P).

    `generator_of` gives the stream of an initial condition and a chain; results do not depend on the number of threads.
    """
    lattices = int(np.clip(ALTOGETHER // len(initial), *LATTICES)) // 2 * 2
    inner = threads if len(initial) == 1 else 1

    def match(index: int) -> Matched:
        chains = family.chains(lattices, lambda chain: generator_of(index, chain))
        return match_path(family, data, index, initial[index], chains, inner)

    return Matched(*map(np.stack, zip(*parallel(match, range(len(initial)), threads), strict=True)))


def _bounded(change: np.ndarray) -> np.ndarray:
    """A change of parameters, shortened to the largest allowed."""
    return change * min(1.0, LONGEST / max(np.abs(change).max(initial=0.0), 1e-300))
