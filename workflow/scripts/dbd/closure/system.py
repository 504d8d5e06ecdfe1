"""The differential equations of a learned model as data, and their plainest evaluation.

One form for both families: d theta / dt = change @ speed - relaxation * theta, with a speed for each learned function f
of the domain D. In natural parameters it is f(theta_D) itself; in mixed coordinates so it is for couplings, and for a
reaction k <what meets> exp(f(theta_D)), see `dbd.learning.reaction_dynamics`. What writes the equations down, as text
or for another program, starts from here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dbd.learning.dynamics import Dynamics
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.learning.reaction_kernels import Rates
from dbd.numerics.hermite import HermiteGrid


@dataclass(frozen=True)
class System:
    """Differential equations of a learned model; P parameters, Q functions.

    Attributes
    ----------
    names, functions
        Names of the parameters, and of the functions: reactions, and the parameters that are driven.
    domain, grid
        Indices of the parameters that functions depend on, and the grid over them.
    coefficients
        Of the functions on the grid, float64 (Q, grid.size).
    rates
        What the functions do.
    dt, scheme, substeps
        Time between recorded steps, and the Runge-Kutta scheme and its steps between two of them.
    """

    names: tuple[str, ...]
    functions: tuple[str, ...]
    domain: tuple[int, ...]
    grid: HermiteGrid
    coefficients: np.ndarray
    rates: Rates
    dt: float
    scheme: str
    substeps: int

    @classmethod
    def of(cls, dynamics: Dynamics | ReactionDynamics, names: Sequence[str], coefficients: np.ndarray) -> "System":
        """Equations from their integrator, the names of the parameters and the coefficients."""
        if isinstance(dynamics, ReactionDynamics):
            functions, rates, scheme = dynamics.functions, dynamics.rates, "rk4"
        else:
            functions, scheme, count = tuple(names), dynamics.integrator, len(names)
            none = np.zeros(count, np.int64)
            rates = Rates(np.eye(count), np.ones(count), none[:, None], none, none > 0, np.zeros(count), none[:0])
        rest = coefficients, rates, dynamics.dt, scheme, dynamics.substeps
        return cls(tuple(names), functions, dynamics.domain, dynamics.grid, *rest)

    @property
    def species(self) -> list[str]:
        """Names of the densities; none in natural parameters."""
        return [self.names[k] for k in self.rates.species]

    def identifier(self, name: str) -> str:
        """Symbol of a parameter: a density n, coupling J, covariance var, or natural parameter theta, with its name."""
        if not self.species:
            return f"theta_{name}"
        return name.replace(" ", "_") if " " in name else f"{'n' if name in self.species else 'J'}_{name}"

    @property
    def symbols(self) -> list[str]:
        """Symbols of all parameters."""
        return [self.identifier(name) for name in self.names]

    def flux(self, function: int, density: Sequence[str], times: str) -> str:
        """Flux of a reaction without its learned factor, from symbols of the densities of empty sites and species."""
        power, room = self.rates.power[function], self.rates.room[function]
        factors = [repr(float(self.rates.constant[function]))]
        factors += [symbol if k == 1 else f"{symbol}^{k}" for symbol, k in zip(density, power, strict=True) if k]
        if room:
            factors.append(f"(1 - (1 - {density[0]})^{room})")
        return times.join(factors)

    def right_hand_side(self, theta: np.ndarray) -> np.ndarray:
        """Return d theta / dt at parameters `theta` (..., P)."""
        theta, rates = np.asarray(theta, float), self.rates
        points = theta.reshape(-1, len(self.names))
        value = self.grid.value(self.coefficients, points[:, list(self.domain)])
        density = np.maximum(points[:, rates.species], 0)
        empty = np.maximum(1 - density.sum(axis=1, keepdims=True), 0)
        meeting = rates.constant * (np.hstack([empty, density])[:, None] ** rates.power).prod(axis=-1)
        meeting *= np.where(rates.room > 0, 1 - (1 - empty) ** rates.room, 1)
        speed = np.where(rates.flux, meeting * np.exp(np.where(rates.flux, value, 0)), value)
        return (speed @ rates.change.T - rates.relaxation * points).reshape(theta.shape)
