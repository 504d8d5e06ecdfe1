"""Learning the functions of the reduced equation of a density from counts of particles.

The unknowns are the coefficients of cubic splines for F0, F1 and ln F2. The action, a quasi-likelihood, and a penalty
on the roughness of the functions are minimised together by Gauss-Newton steps. Roughness is the integral of the squared
second derivative of F0, and first derivative of F1 and ln F2: without evidence transport is plain diffusion. The
penalty is lowered step by step, each minimum the start of the next, and what it ends at is chosen by
held-out starting densities. The error band is a bootstrap over groups of runs: for each resampled data set one
Gauss-Newton step from the minimum, with the gradient by the adjoint. It shows the statistical error, not what the
penalty smooths away.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve

from dbd.continuum.density_equation import FUNCTIONS, DensityModel
from dbd.continuum.particle_counts import Tally
from dbd.messages import mismatch
from dbd.numerics.levenberg_marquardt import Expansion, Minimum, minimise

SMALLEST_DISPERSION = 0.05
SMOOTHED = (2, 1, 1)
"""Order of the derivative of each function that counts as its roughness."""


class DensityData(NamedTuple):
    """What is learned from: K starting densities.

    Attributes
    ----------
    start
        nu at time 0 at the centres of the cells; (K, cells).
    density
        Mean density in the cells; (K, times, cells).
    weight
        Weight of each time in the action, zero at time 0; (K, times).
    """

    start: np.ndarray
    density: np.ndarray
    weight: np.ndarray

    def subset(self, chosen: Sequence[int]) -> "DensityData":
        """The data of some of the starting densities."""
        return DensityData(*(array[list(chosen)] for array in self))


def collect(start: np.ndarray, cells: Sequence[Tally], totals: Sequence[Tally], length: float) -> DensityData:
    """Data from the tallies of each starting density: counts in cells (times, cells) and in all (times,).

    The weight of a time is the number of runs over the dispersion, variance over mean, of the number of particles
    between runs: a Poisson process has dispersion one, annihilation lowers it, branching raises it.
    """
    density = np.array([tally.mean for tally in cells])
    runs = np.array([tally.runs.sum() for tally in totals], float)
    mean = np.array([tally.mean for tally in totals])
    variance = np.array([tally.variance for tally in totals])
    dispersion = np.where(mean > 0, variance / np.where(mean > 0, mean, 1), 1)
    weight = runs[:, None] / np.maximum(dispersion, SMALLEST_DISPERSION)
    weight[:, 0] = 0
    return DensityData(start, density * density.shape[-1] / length, weight)


@dataclass(frozen=True)
class DensityProblem:
    """The functions of a model that minimise the action on data plus a penalty on roughness.

    Parameters
    ----------
    model
        The reduced equation.
    data
        What is learned from.
    roughness
        Factor of the penalty, half the sum of the integrals over nu of (F0'' / scale)^2, (F1' / scale)^2 and
        (ln F2' / scale)^2.
    scale
        Typical sizes of F0, F1 and ln F2, in which their roughness is measured.
    """

    model: DensityModel
    data: DensityData
    roughness: float
    scale: tuple[float, float, float]

    @cached_property
    def splines(self) -> np.ndarray:
        """From the unknowns to the coefficients of the elements; (3 * grid.size, unknowns)."""
        return block_diag(*[self.model.grid.splines().toarray()] * len(FUNCTIONS))

    @cached_property
    def penalty(self) -> np.ndarray:
        """Matrix of the penalty; (unknowns, unknowns)."""
        grid = self.model.grid
        energy = block_diag(
            *[grid.roughness(k).toarray() / scale**2 for k, scale in zip(SMOOTHED, self.scale, strict=True)]
        )
        return self.roughness * self.splines.T @ energy @ self.splines

    def constant(self, diffusion: float) -> np.ndarray:
        """Unknowns of plain diffusion: F0 = 0, F1 = -diffusion, F2 = diffusion."""
        each = self.splines.shape[1] // len(FUNCTIONS)
        return np.repeat([0.0, -diffusion, np.log(diffusion)], each)

    def coefficients(self, unknowns: np.ndarray) -> np.ndarray:
        """Coefficients u of the elements; (3, grid.size)."""
        return (self.splines @ unknowns).reshape(len(FUNCTIONS), -1)

    def misfit(self, unknowns: np.ndarray) -> float:
        """Action without the penalty: about half the number of counts for a model that is right."""
        return self.model.action(self.coefficients(unknowns), *self.data)

    def value(self, unknowns: np.ndarray) -> float:
        """Misfit with the penalty."""
        return self.misfit(unknowns) + 0.5 * unknowns @ self.penalty @ unknowns

    def expand(self, unknowns: np.ndarray) -> Expansion:
        """Value, gradient and Gauss-Newton matrix, from the sensitivities of the densities."""
        gradient = self.penalty @ unknowns
        curvature = self.penalty.copy()
        steps = self.data.density.shape[1] - 1
        cell = self.model.box.volume / self.model.cells
        for start, data, weight in zip(*self.data, strict=True):
            (density,), (slope,) = self.model.sensitivities(self.coefficients(unknowns), start[None], steps)
            slope = slope.reshape(-1, slope.shape[-1])
            weight = weight[:, None] * cell
            gradient += self.splines.T @ (slope.T @ (weight * (1 - data / density)).ravel())
            slope *= np.sqrt(weight / density).reshape(-1, 1)
            curvature += self.splines.T @ (slope.T @ slope) @ self.splines
        return Expansion(self.value(unknowns), gradient, curvature)

    def learn(self, start: np.ndarray, tolerance: float) -> Minimum:
        """Minimise from `start`; `tolerance` in units of the log-likelihood."""
        return minimise(self.value, self.expand, start, tolerance)


class Stage(NamedTuple):
    """One value of the penalty: its minimum on a part of the data, and the misfit there and on what was held out."""

    roughness: float
    unknowns: np.ndarray
    misfit: float
    held_out: float


def continuation(
    problem: DensityProblem,
    roughness: Sequence[float],
    held_out: Sequence[int],
    start: np.ndarray,
    tolerance: float,
) -> tuple[list[Stage], DensityProblem, Minimum]:
    """Lower the penalty through the values of `roughness`; keep the one that predicts the held-out starts best.

    Returns the stages, the problem with all data and the penalty chosen, and its minimum.
    """
    rest = [k for k in range(len(problem.data.start)) if k not in set(held_out)]
    if not rest or not len(held_out):
        raise ValueError(f"held_out: {mismatch(list(held_out), 'some, not all, of the starting densities')}")
    others = replace(problem, data=problem.data.subset(held_out))
    stages = []
    for factor in roughness:
        part = replace(problem, data=problem.data.subset(rest), roughness=factor)
        start = part.learn(start, tolerance).point
        stages.append(Stage(factor, start, part.misfit(start), others.misfit(start)))
    best = min(stages, key=lambda stage: stage.held_out)
    final = replace(problem, roughness=best.roughness)
    return stages, final, final.learn(best.unknowns, tolerance)


def bootstrap(
    rng: np.random.Generator, problem: DensityProblem, minimum: Minimum, cells: Sequence[Tally], replicates: int
) -> np.ndarray:
    """Coefficients u of the functions learned from resampled runs; (replicates, 3, grid.size).

    Each replicate draws the groups of runs of every starting density with replacement.
    """
    factor = cho_factor(minimum.expansion.curvature)
    learned = np.empty((replicates, *problem.coefficients(minimum.point).shape))
    scale = problem.model.cells / problem.model.box.volume
    for replicate in learned:
        density = np.empty_like(problem.data.density)
        for mean, tally in zip(density, cells, strict=True):
            groups = rng.integers(len(tally.runs), size=len(tally.runs))
            mean[:] = tally.sums[groups].sum(axis=0) / tally.runs[groups].sum() * scale
        gradient = problem.model.gradient(
            problem.coefficients(minimum.point), problem.data.start, density, problem.data.weight
        )
        step = cho_solve(factor, problem.splines.T @ gradient.ravel() + problem.penalty @ minimum.point)
        replicate[:] = problem.coefficients(minimum.point - step)
    return learned
