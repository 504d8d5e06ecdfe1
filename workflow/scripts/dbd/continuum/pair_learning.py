"""The learned closure of the pair equation: its sensitivities, and the least-squares fit to simulated densities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from dbd.continuum.pair_equation import PairClosure, PairEquation
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.levenberg_marquardt import Expansion, Minimum, minimise

SMALLEST_CORRELATION = 1e-9
"""Below this p / rho^2 counts as this: in the hole of a regular chain there is nobody to react."""


@dataclass(frozen=True)
class LearnedClosure:
    """C = exp(-A w), with A on one-dimensional elements over S / (1 + S); its coefficients are u (grid.size,)."""

    equation: PairEquation
    grid: HermiteGrid

    def of(self, u: np.ndarray) -> PairClosure:
        """The closure for given coefficients."""

        def closure(density: float, pair: np.ndarray) -> np.ndarray:
            s = self.equation.fluctuation(density, pair)
            exponent = self.grid.value(u[None], np.array([[s / (1 + s)]]))[0, 0]
            return np.maximum(pair / density**2, SMALLEST_CORRELATION) ** exponent

        return closure

    def _with_slope(self, u, density, d_density, pair, d_pair):
        """C (bins,) and its derivative by u, (bins, size), given those of density and pair density."""
        equation = self.equation
        s = equation.fluctuation(density, pair)
        d_s = (
            2 * equation.width * (d_pair.sum(axis=0) / density - (pair.sum() / density**2 + equation.bins) * d_density)
            if s > 0
            else 0 * d_density
        )
        at = np.array([[s / (1 + s)]])
        value, gradient = self.grid.evaluate(u[None], at)
        exponent = value[0, 0]
        d_exponent = gradient[0, 0, 0] * d_s / (1 + s) ** 2 + self.grid.basis(at).toarray()[0]
        correlation = pair / density**2
        real = correlation > SMALLEST_CORRELATION
        correlation = np.where(real, correlation, SMALLEST_CORRELATION)
        c = correlation**exponent
        d_log = np.where(real[:, None], d_pair / np.where(real, pair, 1)[:, None] - 2 * d_density / density, 0)
        return c, c[:, None] * (np.log(correlation)[:, None] * d_exponent + exponent * d_log)

    @threadpool_limits.wrap(limits=1)
    def sensitivities(
        self, u: np.ndarray, density: float, pair: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Densities (steps + 1,) as by `PairEquation.solve`, and their derivatives by u (steps + 1, size)."""
        equation = self.equation
        half, whole = equation._propagators
        h = equation.dt / equation.substeps
        densities, slopes = np.empty(steps + 1), np.zeros((steps + 1, u.size))
        densities[0] = density
        pair = half @ pair
        d_density, d_pair = np.zeros(u.size), np.zeros((equation.bins, u.size))
        for step in range(1, steps * equation.substeps + 1):
            lost, d_lost = equation.loss(pair), equation.loss(d_pair)
            c, d_c = self._with_slope(u, density, d_density, pair, d_pair)
            middle, d_middle = _decayed(pair, d_pair, lost, d_lost, density, d_density, c, d_c, h)
            at_middle, d_at_middle = density - 0.5 * h * lost, d_density - 0.5 * h * d_lost
            lost, d_lost = equation.loss(middle), equation.loss(d_middle)
            c, d_c = self._with_slope(u, at_middle, d_at_middle, middle, d_middle)
            pair, d_pair = _decayed(pair, d_pair, lost, d_lost, at_middle, d_at_middle, c, d_c, 2 * h)
            density, d_density = density - h * lost, d_density - h * d_lost
            if step % equation.substeps == 0:
                densities[step // equation.substeps], slopes[step // equation.substeps] = density, d_density
            pair, d_pair = whole @ pair, whole @ d_pair
        return densities, slopes


def _decayed(pair, d_pair, lost, d_lost, density, d_density, c, d_c, h):
    """The pair density times exp(-h kappa C), and its derivative."""
    rate, d_rate = lost / density, d_lost / density - lost / density**2 * d_density
    left = np.exp(-h * rate * c)
    return pair * left, left[:, None] * (d_pair - h * pair[:, None] * (c[:, None] * d_rate + rate * d_c))


class PairData(NamedTuple):
    """One start: density and pair density (bins,) at time 0, then densities and their errors (steps + 1,)."""

    density: float
    pair: np.ndarray
    densities: np.ndarray
    error: np.ndarray


def learn_closure(
    closure: LearnedClosure, data: Sequence[PairData], roughness: float, tolerance: float
) -> tuple[np.ndarray, Minimum]:
    """Coefficients u of the exponent that fit the densities best in least squares, from A = 1 (Kirkwood).

    `roughness` is the factor of the penalty, half the integral of A''^2.
    """
    splines = closure.grid.splines().toarray()
    penalty = roughness * splines.T @ closure.grid.roughness().toarray() @ splines

    def value(c: np.ndarray) -> float:
        total = 0.5 * c @ penalty @ c
        for one in data:
            with np.errstate(over="ignore", invalid="ignore"):
                predicted, _ = closure.equation.solve(
                    closure.of(splines @ c), one.density, one.pair, len(one.densities) - 1
                )
            total += 0.5 * (((predicted - one.densities) / one.error)[1:] ** 2).sum()
        return total if np.isfinite(total) else np.inf

    def expand(c: np.ndarray) -> Expansion:
        gradient, curvature = penalty @ c, penalty.copy()
        for one in data:
            predicted, slope = closure.sensitivities(splines @ c, one.density, one.pair, len(one.densities) - 1)
            slope = (slope / one.error[:, None])[1:] @ splines
            gradient += slope.T @ ((predicted - one.densities) / one.error)[1:]
            curvature += slope.T @ slope
        return Expansion(value(c), gradient, curvature)

    minimum = minimise(value, expand, np.ones(splines.shape[1]), tolerance)
    return splines @ minimum.point, minimum
