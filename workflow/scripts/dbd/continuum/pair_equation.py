"""Annihilation in a homogeneous periodic interval: density and pair density together, closed by a learned law.

For A + A -> 0 at rate ``rate`` within distance a the density rho(t) and the pair density p(r, t) obey exactly

    d rho / dt = -kappa rho,                                kappa = rate / rho * integral of p over |r| < a
    dp / dt    = 2 D p'' - rate 1[r < a] p - 2 kappa C p,

where kappa C is the rate at which one of a pair at distance r reacts with some third particle: C is a ratio of triplet
to pair density, and closing the hierarchy means to say what it is. With the pair potential of mean force
w = -ln(p / rho^2), the superposition of Kirkwood (J. Chem. Phys. 3, 300 (1935)) is C = exp(-w) as long as r is well
above a. Here

    C = exp(-A w),     A = A(S / (1 + S)),     S = 1 + integral over all r of (p / rho - rho),

with A an ordinary function on Hermite elements, learned from simulated densities. Distant particles stay independent
(C = 1 where w = 0) whatever A is. S is the variance of particle numbers relative to a Poisson process, 1 for Poisson
points, 0 for a regular chain, above 1 in clusters: the pair density says by itself how far superposition can be
trusted.

Space is r in (0, reach), reflecting at both ends, in equal bins; steps alternate between the linear part, solved
exactly by a matrix exponential, and the closure by the midpoint rule, and are of second order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import expm
from threadpoolctl import threadpool_limits

from dbd.messages import mismatch

PairClosure = Callable[[float, np.ndarray], np.ndarray]
"""From density and pair density (bins,) to C (bins,)."""


@dataclass(frozen=True)
class PairEquation:
    """The equations above for one system.

    Parameters
    ----------
    diffusion
        Diffusion constant of a particle.
    rate
        Rate at which a pair within `radius` reacts.
    radius
        Reaction radius, a whole number of bins.
    reach
        Largest distance; correlations have to be gone there.
    bins
        Number of bins of distance.
    dt
        Time between outputs.
    substeps
        Steps in it.
    """

    diffusion: float
    rate: float
    radius: float
    reach: float
    bins: int
    dt: float
    substeps: int

    def __post_init__(self):
        core = self.radius / self.width
        if abs(core - round(core)) > 1e-6 or not 1 <= round(core) < self.bins:
            raise ValueError(
                f"radius: {mismatch(self.radius, f'a multiple of the bin {self.width:g} below the reach')}"
            )

    @property
    def width(self) -> float:
        """Width of a bin."""
        return self.reach / self.bins

    @property
    def core(self) -> int:
        """Bins in the reaction radius."""
        return round(self.radius / self.width)

    @cached_property
    def distance(self) -> np.ndarray:
        """Middle of each bin; (bins,)."""
        return (np.arange(self.bins) + 0.5) * self.width

    @cached_property
    def _propagators(self) -> tuple[np.ndarray, np.ndarray]:
        """Diffusion and reaction of a lone pair over half a step and over a step."""
        lap = np.diag(np.full(self.bins, -2.0)) + np.eye(self.bins, k=1) + np.eye(self.bins, k=-1)
        lap[0, 0] = lap[-1, -1] = -1
        matrix = 2 * self.diffusion * lap / self.width**2
        matrix[: self.core, : self.core] -= self.rate * np.eye(self.core)
        half = expm(matrix * self.dt / self.substeps / 2)
        return half, half @ half

    def loss(self, pair: np.ndarray) -> np.ndarray:
        """Particles lost per length and time, kappa rho, from pair densities along the first axis."""
        return 2 * self.rate * self.width * pair[: self.core].sum(axis=0)

    def fluctuation(self, density: float, pair: np.ndarray) -> float:
        """S, the variance of particle numbers relative to a Poisson process; rounding may make it slightly negative."""
        return max(1 + 2 * self.width * float((pair / density - density).sum()), 0.0)

    def kirkwood(self, density: float, pair: np.ndarray) -> np.ndarray:
        """C by Kirkwood's superposition of all three pairs, with the integral over the third particle."""
        both = np.concatenate((pair[::-1], pair)) / density**2
        middle = np.arange(self.bins)
        total = np.zeros(self.bins)
        for z in range(-self.core, self.core):
            # The distance from the middle of bin z to that of another bin is an edge: mean of the bins on either side.
            right = self.bins + middle - z
            total += both[self.bins + z] * 0.5 * both[np.minimum([right - 1, right], 2 * self.bins - 1)].sum(axis=0)
        return total / both[self.bins - self.core : self.bins + self.core].sum()

    @threadpool_limits.wrap(limits=1)
    def solve(
        self, closure: PairClosure, density: float, pair: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Densities (steps + 1,) and pair densities (steps + 1, bins) at the output times, from those at time 0."""
        half, whole = self._propagators
        h = self.dt / self.substeps
        densities, pairs = np.empty(steps + 1), np.empty((steps + 1, self.bins))
        densities[0], pairs[0] = density, pair
        pair = half @ pair
        for step in range(1, steps * self.substeps + 1):
            lost = self.loss(pair)
            middle = pair * np.exp(-h * lost / density * closure(density, pair))
            at_middle = density - 0.5 * h * lost
            lost = self.loss(middle)
            pair = pair * np.exp(-2 * h * lost / at_middle * closure(at_middle, middle))
            density = density - h * lost
            if step % self.substeps == 0:
                densities[step // self.substeps] = density
                pairs[step // self.substeps] = half @ pair
            pair = whole @ pair
        return densities, pairs
