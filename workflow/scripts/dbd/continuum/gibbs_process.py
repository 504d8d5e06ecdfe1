"""Gibbs point process with a pair interaction: the Boltzmann distribution over positions with nu_1 and nu_2(r).

In a periodic box of volume V the density of a configuration of n points is (Phys. Rev. E 99, 063315, with interactions
of up to K = 2 particles)

    p~(x_1 .. x_n) = exp(-n nu_1 - sum over pairs of nu_2(|x_i - x_j|)) / Z,         with measure dx_1 .. dx_n / n!,

where nu_2 is a function of distance on Hermite elements, taken as constant in narrow bins and zero beyond `reach`. The
number of points and the number of pairs in each bin are then sufficient statistics, and matching them to data is a
convex problem, the static learning problem of a Boltzmann distribution.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from threadpoolctl import threadpool_limits

from dbd.continuum.box import Box, Space, distance
from dbd.continuum.brownian import Snapshots
from dbd.continuum.particle_counts import count_pairs
from dbd.messages import mismatch
from dbd.numerics.hermite import HermiteGrid

SMALLEST_STEP = 0.1
"""Newton steps start at this fraction and grow to one: the moments of the first models are far from the data."""


@dataclass(frozen=True)
class GibbsProcess:
    """A homogeneous point process in a periodic box.

    Parameters
    ----------
    box
        Periodic.
    nu_1
        Minus the logarithm of the activity, points per volume without interaction.
    nu_2
        Pair interaction in equal bins of distance from 0 to `reach`, repulsive where positive; (bins,).
    reach
        Range of the interaction.
    """

    box: Box
    nu_1: float
    nu_2: np.ndarray
    reach: float

    def __post_init__(self):
        if not self.box.periodic or not 0 < self.reach <= self.box.longest_range:
            raise ValueError(f"reach: {mismatch(self.reach, f'up to {self.box.longest_range} in a periodic box')}")

    def sample(self, rng: np.random.Generator, start: np.ndarray, samples: int, moves: int, most: int) -> Snapshots:
        """Metropolis chain of displacements, births and deaths (Geyer and Moller, Scand. J. Stat. 21, 359 (1994)).

        A birth at x among n points is accepted with probability min(1, V exp(-nu_1 - sum of nu_2) / (n + 1)), a death
        with the inverse of that of the birth that would undo it.

        Parameters
        ----------
        start
            Points to start from; (points, dimension).
        samples
            Configurations to return, the last of the chain after each `moves` proposals.
        most
            Births beyond this many points are refused; the law is that of the process given it is not exceeded.
        """
        position = np.empty((most, self.box.dimension))
        position[: len(start)] = start
        arguments = (len(start), self.nu_1, np.ascontiguousarray(self.nu_2, float), self.reach, samples, moves)
        x, offsets = _sample(rng, self.box.space, position, *arguments)
        return Snapshots(x, np.ones(len(x), np.uint8), offsets)


@njit(cache=True, nogil=True)
def _energy(position, count, but, x, space: Space, nu_2, reach):
    """Interaction of a point at x with all points but one."""
    total = 0.0
    for j in range(count):
        if j != but:
            bin = int(distance(x, position[j], space) / reach * nu_2.size)
            if bin < nu_2.size:
                total += nu_2[bin]
    return total


@njit(cache=True, nogil=True)
def _sample(rng, space: Space, position, count, nu_1, nu_2, reach, samples, moves):
    """Samples of the chain: half the proposals displace a point, a quarter each are births and deaths."""
    axes = space.lengths.size
    volume = 1.0
    for axis in range(axes):
        volume *= space.lengths[axis]
    offsets = np.zeros(samples + 1, np.int64)
    kept = np.empty((samples * position.shape[0], axes))
    x = np.empty(axes)
    for sample in range(samples):
        for _ in range(moves):
            kind = rng.random()
            if kind < 0.5:
                if count == 0:
                    continue
                i = int(rng.random() * count)
                for axis in range(axes):
                    x[axis] = (position[i, axis] + (2 * rng.random() - 1) * reach) % space.lengths[axis]
                old = _energy(position, count, i, position[i], space, nu_2, reach)
                if rng.random() < np.exp(old - _energy(position, count, i, x, space, nu_2, reach)):
                    position[i] = x
            elif kind < 0.75:
                for axis in range(axes):
                    x[axis] = rng.random() * space.lengths[axis]
                cost = nu_1 + _energy(position, count, -1, x, space, nu_2, reach)
                if count < position.shape[0] and rng.random() * (count + 1) < volume * np.exp(-cost):
                    position[count] = x
                    count += 1
            elif count > 0:
                i = int(rng.random() * count)
                cost = nu_1 + _energy(position, count, i, position[i], space, nu_2, reach)
                if rng.random() * volume * np.exp(-cost) < count:
                    position[i] = position[count - 1]
                    count -= 1
        offsets[sample + 1] = offsets[sample] + count
        kept[offsets[sample] : offsets[sample + 1]] = position[:count]
    return kept[: offsets[-1]].copy(), offsets


class MatchedProcess(NamedTuple):
    """A process whose moments agree with data: nu_1, coefficients u of nu_2, and the process."""

    nu_1: float
    u: np.ndarray
    process: GibbsProcess


@threadpool_limits.wrap(limits=1)
def match_pair_counts(
    rng: np.random.Generator,
    box: Box,
    grid: HermiteGrid,
    reach: float,
    number: float,
    pairs: np.ndarray,
    steps: int = 30,
    samples: int = 2000,
) -> MatchedProcess:
    """Find nu_1 and nu_2 for which the mean number of points and of pairs by distance are those of the data.

    Newton steps with the covariance of the statistics in samples, started at a Poisson process; the mean of the last
    third of the steps is returned. nu_2 is a spline on `grid` over (0, reach) that falls to zero at the reach.

    Parameters
    ----------
    number
        Mean number of points.
    pairs
        Mean number of ordered pairs in equal bins of distance from 0 to `reach`, as `count_pairs` counts; (bins,).
    """
    middle = (np.arange(len(pairs)) + 0.5) * reach / len(pairs)
    splines = grid.splines().toarray()
    # Functions of the elements that vanish with their slope at the reach.
    ends = np.stack([splines[-2], splines[-1]])
    free = np.linalg.svd(ends)[2][2:].T
    basis = grid.basis(middle[:, None]).toarray() @ splines @ free
    goal = np.append(number, 0.5 * pairs @ basis)
    c = np.zeros(1 + basis.shape[1])
    c[0] = -np.log(number / box.volume)
    most = int(number + 12 * np.sqrt(number) + 20)
    points = rng.random((int(number), box.dimension)) * box.lengths
    history = []
    for step in range(steps):
        process = GibbsProcess(box, c[0], basis @ c[1:], reach)
        snapshots = process.sample(rng, points, samples, 4 * int(number) + 20, most)
        points = snapshots.position[snapshots.offsets[-2] :]
        histogram = count_pairs(snapshots, box, reach, len(pairs), 1)[:, 0, 0]
        statistics = np.column_stack([np.diff(snapshots.offsets), 0.5 * histogram @ basis])
        covariance = np.cov(statistics.T)
        damped = covariance + 1e-3 * np.diag(np.diag(covariance)) + 1e-9 * np.eye(len(c))
        c = c + min(1.0, SMALLEST_STEP * (step + 1)) * np.linalg.solve(damped, statistics.mean(axis=0) - goal)
        history.append(c)
    c = np.mean(history[-(steps // 3) :], axis=0)
    return MatchedProcess(c[0], splines @ free @ c[1:], GibbsProcess(box, c[0], basis @ c[1:], reach))
