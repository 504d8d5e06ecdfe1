"""Static matching along time: a smooth path of parameters whose sampled moments follow those of the data.

For each initial condition the path theta(t_n), n = 1 .. T, minimises

    sum over n of |(<O>_n - data_n) / (TOLERANCE range)|^2 + |theta_n - theta_0|^2 / SPREAD^2 (not the biases)
                  + |theta_{n+1} - 2 theta_n + theta_{n-1}|^2 / BEND^2

with theta_0 given and the means those of a declared sampling law. Differences relative to an observable's range weigh
all observables alike. A divergence would not: the fluctuations of the sampled lattices, which it is measured in, are
small exactly where the family cannot follow the data.

The mild penalty of couplings keeps the model out of the ordered phases, where moments react to nothing. That of the
second differences makes the path one that differential equations can follow, and averages the noise of sampling over
neighbouring times. Steps are damped Gauss-Newton steps with fresh lattices each, differences and steps are clipped, and
the iterates of the second half are averaged (stochastic approximation), so that the noise that is left is that of all
their lattices together.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import interp1d
from scipy.linalg import solve
from scipy.ndimage import gaussian_filter1d

from dbd.sampled import SamplingLaw

TOLERANCE = 0.02  # difference of moments, relative to their range, that counts as one
SPREAD = 0.6  # standard deviation of the prior of couplings and hidden parameters
BEND = 0.1  # second difference of a parameter that counts as one
REACH = 0.3  # damping of a step: a change of a parameter that counts as one
LONGEST = 0.25  # largest change of a parameter in a step
EVERY, TRIALS = 3, 5  # times that are matched one after another, and trials at each
LARGEST = 0.2  # relative difference of moments at which it is clipped


def independent_biases(counts: np.ndarray, sites: int) -> np.ndarray:
    """Biases at which independent sites have the given mean numbers of each species, shape (..., species).

    The maximum-entropy distribution with these means: b_s = ln(p_s / (1 - sum of p)), p_s = <N_s> / sites. Half a
    molecule of each species is added, so that absent species have finite biases.
    """
    occupied = np.asarray(counts, float) + 0.5
    empty = sites + 0.5 - np.asarray(counts, float).sum(axis=-1, keepdims=True)
    return np.log(occupied / empty)


@dataclass(frozen=True)
class PathMatch:
    """Static matching of one initial condition.

    Parameters
    ----------
    law
        The model, and how its lattices are drawn.
    target
        Moments of the data, (times, observable).
    scale
        Range of each observable, (observable,).
    initial
        Parameters at time zero, (P,).
    iterations
        Steps; the later half of the iterates is averaged.
    threads
        Size of the thread pool; results do not depend on it.
    """

    law: SamplingLaw
    target: np.ndarray
    scale: np.ndarray
    initial: np.ndarray
    iterations: int
    threads: int = 1

    def follow(self, generator_of: Callable[[int, int], np.random.Generator]) -> np.ndarray:
        """First path (times, P): each time is matched alone, starting from the one before.

        `generator_of` gives the stream of a time and a trial. Of all trials at a time the best is kept.
        """
        prior = np.diag(self._prior + REACH**-2)
        path = np.tile(self.initial, (len(self.target), 1))
        for time in range(EVERY, len(path), EVERY):
            theta, before, least = path[time - EVERY], path[time - EVERY], np.inf
            for trial in range(TRIALS):
                mean, jacobian = self.law.response(theta, generator_of(time, trial))
                residual = np.clip((mean - self.target[time]) / self.scale, -LARGEST, LARGEST) / TOLERANCE
                shift = theta - self.initial
                value = residual @ residual + self._prior @ shift**2 + (((theta - before) / REACH) ** 2).sum()
                if value < least:
                    least, path[time : time + EVERY] = value, theta
                jacobian = jacobian / (self.scale[:, None] * TOLERANCE)
                gradient = jacobian.T @ residual + self._prior * shift + (theta - before) / REACH**2
                step = -solve(jacobian.T @ jacobian + prior, gradient, assume_a="pos")
                theta = theta + step * min(1.0, LONGEST / np.abs(step).max())
        known = np.arange(0, len(path), EVERY)
        return interp1d(known, path[known], axis=0, fill_value="extrapolate")(np.arange(len(path)))

    def refine(
        self, path: np.ndarray, generator_of: Callable[[int, int], np.random.Generator]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield after each step the path (times, P) and the relative differences of moments before it (times, O).

        From the second half on the path is the average of the iterates. `generator_of` gives the stream of a step and
        a time.
        """
        theta = path.copy()
        penalty = self._penalty()
        total, count = np.zeros_like(theta), 0
        for iteration in range(self.iterations):
            step, difference = self._step(theta, penalty, lambda time, turn=iteration: generator_of(turn, time))
            theta = theta + step
            if 2 * iteration >= self.iterations - 1:
                total, count = total + theta, count + 1
            yield (total / count if count else theta), difference

    @property
    def _prior(self) -> np.ndarray:
        """Inverse variance of the prior of each parameter, (P,); none for visible biases."""
        model = self.law.sampler.model
        return np.array([0.0 if name in model.species else SPREAD**-2 for name in model.parameters])

    def _penalty(self) -> np.ndarray:
        """Quadratic form of prior and second differences over all but the first time, (times - 1, P) squared."""
        times = len(self.target)
        bend = np.diff(np.eye(times), 2, axis=0)[:, 1:] / BEND
        identity = np.eye(len(self._prior))
        return np.kron(bend.T @ bend, identity) + np.kron(np.eye(times - 1), np.diag(self._prior))

    def _step(self, theta: np.ndarray, penalty: np.ndarray, generator_of) -> tuple[np.ndarray, np.ndarray]:
        """Damped Gauss-Newton step of the path, and the differences that it starts from."""
        times, parameters = theta.shape
        with ThreadPoolExecutor(self.threads) as pool:
            responses = list(pool.map(lambda n: self.law.response(theta[n], generator_of(n)), range(times)))
        difference = (np.stack([response.mean for response in responses]) - self.target) / self.scale
        jacobian = gaussian_filter1d(np.stack([r.jacobian for r in responses]), 1.0, axis=0, mode="nearest")
        jacobian = jacobian[1:] / (self.scale[:, None] * TOLERANCE)
        residual = np.clip(difference[1:], -LARGEST, LARGEST) / TOLERANCE
        # The penalty is a function of theta - theta_0: its second differences and its couplings' distance are.
        shift = (theta[1:] - theta[0]).ravel()
        gradient = penalty @ shift + np.einsum("nop,no->np", jacobian, residual).ravel()
        curvature = penalty + np.eye(len(shift)) / REACH**2
        blocks = curvature.reshape(times - 1, parameters, times - 1, parameters)
        index = np.arange(times - 1)
        blocks[index, :, index] += np.einsum("nop,noq->npq", jacobian, jacobian)
        step = -solve(curvature, gradient, assume_a="pos").reshape(times - 1, parameters)
        return np.concatenate([np.zeros((1, parameters)), step * np.minimum(1.0, LONGEST / np.abs(step).max(axis=1, keepdims=True))]), difference
