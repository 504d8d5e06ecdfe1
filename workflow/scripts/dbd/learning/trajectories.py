"""Whole trajectories against matched paths: the action, its gradient and its Gauss-Newton matrix.

The action is the Kullback-Leibler divergence of all runs along the trajectories, to second order around the matched
paths theta*(t):

    S = runs / 2 * sum over initial conditions and steps of (theta - theta*)^T G(theta*) (theta - theta*)

G is the Fisher matrix of the family (`Family.metric`).
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.numerics.levenberg_marquardt import Expansion
from dbd.numerics.threads import parallel

TOGETHER = 4  # trajectories whose derivatives are held in memory at a time


@dataclass(frozen=True)
class Trajectories:
    """Trajectories and the quadratic form that compares them with matched paths; R trajectories.

    Parameters
    ----------
    dynamics
        The differential equations.
    span
        Coefficients of the elements of M functions, (size, M).
    scale
        Size of each function, (Q,): coefficients in the span count in units of it.
    starts
        Parameters at time zero, (R, P).
    paths, metric
        Matched paths, (R, times, P), and the metric there, (R, times, P, P).
    every
        Steps between those that are looked at; the last one is always.
    constants
        Rates of all reactions of every trajectory, (R, reactions); None where they are those of the dynamics.
    free
        Which of the coefficients in the span of f_0 and all f_r, as places in ((1 + V) Q M,), are learned, L of them.
    threads
        Size of the thread pool; results do not depend on it.
    """

    dynamics: ReactionDynamics
    span: np.ndarray
    scale: np.ndarray
    starts: np.ndarray
    paths: np.ndarray
    metric: np.ndarray
    every: int
    constants: np.ndarray | None
    free: np.ndarray
    threads: int = 1

    @cached_property
    def times(self) -> np.ndarray:
        """Steps that are looked at."""
        last = self.paths.shape[1] - 1
        return np.unique(np.append(np.arange(self.every, last, self.every), last))

    @cached_property
    def root(self) -> np.ndarray:
        """Square root of the metric with the weight of every step, (R, times, P, P)."""
        weights = np.diff(self.times, prepend=0)[:, None, None]
        values, vectors = np.linalg.eigh(self.metric[:, self.times] * weights)
        return np.sqrt(np.maximum(values, 0.0))[..., None] * np.swapaxes(vectors, -1, -2)

    def coefficients(self, point: np.ndarray) -> np.ndarray:
        """Coefficients of the elements, ((1 + V) Q, size), from those in the span that are learned, (L,)."""
        scale = np.tile(self.scale, 1 + len(self.dynamics.varied))
        whole = np.zeros((len(scale), self.span.shape[1]))
        whole.ravel()[self.free] = point
        return np.ascontiguousarray(scale[:, None] * whole @ self.span.T)

    def residuals(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Trajectories and whitened differences, (R, times, P)."""
        coefficients = self.coefficients(point)
        states = self.dynamics.integrate(
            coefficients, self.starts, self.paths.shape[1] - 1, self.threads, self.constants
        )
        difference = (states - self.paths)[:, self.times]
        return states, np.einsum("rtij,rtj->rti", self.root, difference)

    def values(self, point: np.ndarray) -> np.ndarray:
        """The action of every trajectory, (R,)."""
        with np.errstate(all="ignore"):
            return np.nan_to_num((self.residuals(point)[1] ** 2).sum(axis=(1, 2)) / 2, nan=np.inf, posinf=np.inf)

    def value(self, point: np.ndarray) -> float:
        """The action."""
        return float(self.values(point).sum())

    def rows(self, point: np.ndarray, states: np.ndarray, index: int) -> np.ndarray:
        """Derivatives of the whitened differences of one of the trajectories `states`, (times * P, L)."""
        system, coefficients, weights = self.dynamics, self.coefficients(point), np.ones(1)
        if self.constants is not None:
            weights = system.weights(self.constants[index])
            system, coefficients = system.at(self.constants[index], coefficients)
        derivative = system.sensitivity(coefficients, states[index], self.span, self.times)
        scale = np.repeat(self.scale, self.span.shape[1])
        part, place = np.divmod(self.free, len(scale))
        matrix = (self.root[index] @ derivative).reshape(-1, len(scale)) * scale
        return matrix[:, place] * weights[part]

    def expand(self, point: np.ndarray) -> Expansion:
        """The action, its gradient and its Gauss-Newton matrix."""
        states, residuals = self.residuals(point)
        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        for first in range(0, len(states), TOGETHER):
            some = range(first, min(first + TOGETHER, len(states)))
            matrix = np.concatenate(parallel(partial(self.rows, point, states), some, self.threads))
            gradient += matrix.T @ residuals[some].ravel()
            curvature += matrix.T @ matrix
        return Expansion(float((residuals**2).sum() / 2), gradient, curvature)
