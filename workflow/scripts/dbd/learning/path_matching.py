"""Static matching along time: a smooth path of parameters whose sampled moments follow those of the data.

For each initial condition the path theta(t_n), n = 1 .. T, minimises

    sum over n of |(<O>_n - data_n) / (tolerance range)|^2 + |theta_n - theta_0|^2 / SPREAD^2 (all but visible biases)
                  + |theta_{n+1} - 2 theta_n + theta_{n-1}|^2 / BEND^2

with theta_0 given and the means those of a declared sampling law. Differences relative to an observable's range weigh
all observables alike. A divergence would not: the fluctuations of the sampled lattices, in which it is measured, are
small exactly where the family cannot follow the data.

The penalty of couplings keeps the model out of the ordered phases, where moments react to nothing, and the more so the
larger the tolerance: with one of a few hundredths moments are met by couplings near the transition, where the law of a
few sweeps is not that of many; with one of a tenth couplings stay below it. The penalty of the second differences makes
the path one that differential equations can follow, and averages the noise of sampling over neighbouring times.
Differences and steps are bounded: far from the data the covariance of the lattices says little.

"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve
from scipy.ndimage import gaussian_filter1d

from dbd.boltzmann.sampling_law import Response, SamplingLaw
from dbd.numerics.threads import parallel

TOLERANCE = 0.02  # difference of moments, relative to their range, that counts as one if nothing else is said
SPREAD = 0.6  # standard deviation of the prior of couplings and hidden parameters
BEND = 0.1  # second difference of a parameter that counts as one
REACH = 0.3  # damping: a change of a parameter in one step that counts as one
LONGEST = 0.25  # largest change of a parameter in one step
LARGEST = 0.2  # relative difference of moments beyond which it is taken for this
EVERY = 3  # time steps between those that the first path is matched at
TRIALS = 5  # steps at each of them
DIFFERENCES = 5  # time steps between those at which derivatives of moments are taken by differences
SMOOTHING = 2.5  # standard deviation in time steps of the Gaussian that takes the noise of sampling off a path


class Step(NamedTuple):
    """A step of a path."""

    path: np.ndarray  # parameters after it, (times, P)
    difference: np.ndarray  # of the moments before it, relative to their ranges, (times, observable)
    gradient: np.ndarray  # of the objective before it, (times - 1, P)


@dataclass(frozen=True)
class PathMatch:
    """Static matching of one initial condition.

    Parameters
    ----------
    law
        The model, and how its lattices are drawn.
    initial
        Parameters at time zero, (P,).
    target
        Moments of the data, (times, observable).
    scale
        Range of each observable, (observable,).
    fixed
        Names of the parameters that keep their initial values.
    differences
        Whether steps of a whole path use differences of moments instead of covariances.
    tolerance
        Difference of moments, relative to their range, that counts as one; positive.
    threads
        Size of the thread pool; results do not depend on it.
    """

    law: SamplingLaw
    initial: np.ndarray
    target: np.ndarray
    scale: np.ndarray
    fixed: tuple[str, ...] = ()
    differences: bool = False
    tolerance: float = TOLERANCE
    threads: int = 1

    def follow(self, generator_of: Callable[[int, int], np.random.Generator]) -> np.ndarray:
        """First path (times, P): every few times are matched alone, each starting from the one before.

        Starting anywhere else, such as from independent sites, moments at late times do not find back from the ordered
        phases. `generator_of` gives the stream of a time and a trial; of all trials at a time the best is kept.
        """
        times = np.unique(np.append(np.arange(0, len(self.target), EVERY), len(self.target) - 1))
        known = [self.initial]
        for time in times[1:]:
            known.append(self.match(known[-1], time, lambda trial, time=time: generator_of(time, trial)))
        return _interpolated(times, np.stack(known))

    def match(
        self, start: np.ndarray, time: int, generator_of: Callable[[int], np.random.Generator], trials: int = TRIALS
    ) -> np.ndarray:
        """Parameters, near `start`, that match a time alone: the best of some damped Gauss-Newton steps."""
        theta, best, least = start, start, np.inf
        for trial in range(trials):
            mean, jacobian = self.law.response(theta, generator_of(trial))
            residual, slope = self._relative(mean - self.target[time], jacobian)
            shift, moved = theta - self.initial, (theta - start) / REACH
            value = residual @ residual + self._prior @ shift**2 + moved @ moved
            if value < least:
                best, least = theta, value
            gradient = slope.T @ residual + self._prior * shift + moved / REACH
            curvature = slope.T @ slope + np.diag(self._prior + REACH**-2)
            theta = theta + _bounded(-solve(curvature, gradient, assume_a="pos"))
        return best

    def step(self, path: np.ndarray, generator_of: Callable[[int], np.random.Generator]) -> Step:
        """Damped Gauss-Newton step of the path (times, P) as a whole, with the stream of each time."""
        times, parameters = path.shape
        responses = parallel(lambda n: self.law.response(path[n], generator_of(n)), range(times), self.threads)
        difference = np.stack([response.mean for response in responses]) - self.target
        jacobian = self._jacobian(path, responses, generator_of)
        residual, slope = self._relative(difference[1:], jacobian[1:])
        # The penalty is a function of theta - theta_0: second differences and distances from the prior's centre are.
        shift, penalty = (path[1:] - path[0]).ravel(), _penalty(times, tuple(self._prior))
        gradient = penalty @ shift + np.einsum("nop,no->np", slope, residual).ravel()
        curvature = penalty + np.eye(len(shift)) / REACH**2
        index = np.arange(times - 1)
        curvature.reshape(times - 1, parameters, times - 1, parameters)[index, :, index] += np.einsum(
            "nop,noq->npq", slope, slope
        )
        change = np.zeros_like(path)
        change[1:] = _bounded(-solve(curvature, gradient, assume_a="pos").reshape(times - 1, parameters))
        return Step(path + change, difference / self.scale, gradient)

    def solve(self, iterations: int, generator_of: Callable[..., np.random.Generator]) -> np.ndarray:
        """Path (times, P) after a number of steps, averaged over the later half of them and smoothed."""
        path, total = self.follow(lambda *place: generator_of("follow", *place)), np.zeros(1)
        for turn in range(iterations):
            path = self.step(path, lambda time, turn=turn: generator_of("refine", turn, time)).path
            total = total + (path if turn >= iterations // 2 else 0.0)
        return smooth(total / (iterations - iterations // 2))

    def _jacobian(
        self, path: np.ndarray, responses: Sequence[Response], generator_of: Callable[[int], np.random.Generator]
    ) -> np.ndarray:
        """Derivatives of the moments along a path (times, P), (times, observable, P).

        They are noisier than the moments and change slowly, hence the filters.
        """
        if not self.differences:
            return gaussian_filter1d(np.stack([r.jacobian for r in responses]), 1.0, axis=0, mode="nearest")
        times = np.unique(np.append(np.arange(0, len(path), DIFFERENCES), len(path) - 1))
        slopes = parallel(
            lambda n: self.law.differences(path[n], responses[n].mean, self._free, lambda: generator_of(n)),
            times,
            self.threads,
        )
        return _interpolated(times, gaussian_filter1d(slopes, 0.7, axis=0, mode="nearest"))

    @cached_property
    def _free(self) -> np.ndarray:
        """Whether each parameter is free to change, (P,)."""
        return np.array([name not in self.fixed for name in self.law.sampler.model.parameters])

    @cached_property
    def _prior(self) -> np.ndarray:
        """Inverse variance of the prior of each parameter, (P,); none for visible biases."""
        model = self.law.sampler.model
        return np.array([0.0 if name in model.species else SPREAD**-2 for name in model.parameters])

    def _relative(self, difference: np.ndarray, jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bounded differences of moments (..., observable) and their Jacobian, in units of the tolerance."""
        bounded = np.clip(difference / self.scale, -LARGEST, LARGEST)
        return bounded / self.tolerance, jacobian * self._free / (self.scale[:, None] * self.tolerance)


def _interpolated(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (times, ...) at every step from zero to the last of `times`, linear in between."""
    steps = np.arange(times[-1] + 1)
    right = np.clip(np.searchsorted(times, steps), 1, len(times) - 1)
    extra = (1,) * (values.ndim - 1)
    slope = (values[right] - values[right - 1]) / (times[right] - times[right - 1]).reshape(-1, *extra)
    return slope * (steps - times[right - 1]).reshape(-1, *extra) + values[right - 1]


@cache
def _penalty(times: int, prior: tuple[float, ...]) -> np.ndarray:
    """Quadratic form of prior and second differences over all but the first time, ((times - 1) P, same).

    The same for all initial conditions.
    """
    bend = np.diff(np.eye(times), 2, axis=0)[:, 1:] / BEND
    return np.kron(bend.T @ bend, np.eye(len(prior))) + np.diag(np.tile(prior, times - 1))


def _bounded(step: np.ndarray) -> np.ndarray:
    """Steps (..., P), shortened so that no parameter changes too much."""
    return step * np.minimum(1.0, LONGEST / np.abs(step).max(axis=-1, keepdims=True))


def smooth(path: np.ndarray) -> np.ndarray:
    """A path (times, P) without the noise of single times: its ends stay where they are.

    What is left of that noise is small beside the error of the moments, but not its derivative, which is what
    right-hand sides are learned from.
    """
    beyond = min(len(path) - 1, int(4 * SMOOTHING))
    longer = np.pad(path, ((beyond, beyond), (0, 0)), mode="reflect", reflect_type="odd")
    smoothed = gaussian_filter1d(longer, SMOOTHING, axis=0)[beyond:-beyond]
    smoothed[[0, -1]] = path[[0, -1]]  # to the last digit
    return smoothed


def path_matches(
    law: SamplingLaw,
    initial: np.ndarray,
    means: np.ndarray,
    *,
    last_step: int | None = None,
    fixed: Sequence[str] = (),
    differences: bool = False,
    tolerance: float = TOLERANCE,
    threads: int = 1,
) -> list[PathMatch]:
    """Static problems of all initial conditions.

    Parameters
    ----------
    law
        The model, and how its lattices are drawn.
    initial
        Parameters at time zero, (initial condition, P).
    means
        Simulated means, (initial condition, time, observable); their ranges are over all initial conditions and times.
    last_step
        Last time step that is matched; all if None.
    fixed, differences, tolerance
        As in `PathMatch`.
    threads
        Size of the thread pool; results do not depend on it.
    """
    target = means if last_step is None else means[:, : last_step + 1]
    scale = np.ptp(target, axis=(0, 1))
    how = {"fixed": tuple(fixed), "differences": differences, "tolerance": tolerance, "threads": threads}
    return [PathMatch(law, *pair, scale, **how) for pair in zip(initial, target, strict=True)]
