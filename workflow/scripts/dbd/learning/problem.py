"""The problem of learning right-hand sides: trajectories of a model's differential equations and their misfit.

Right-hand sides are cubic splines, the twice continuously differentiable functions of the Q3 C1 space, and the sum of
their thin-plate energies of the orders two and three is penalised. Where data end, they go on as quadratic functions
over about one parameter unit, which held-out initial conditions bear out better than going on straight, and straight
beyond, so that they do not run away.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from dbd.learning.dynamics import Dynamics, quadrature
from dbd.learning.misfit import Objective


@dataclass(frozen=True)
class Problem:
    """Right-hand sides to learn.

    Parameters
    ----------
    dynamics
        The differential equations; P parameters.
    initial
        Parameters at time zero of each initial condition, (R, P).
    objective
        Misfit of the trajectories.
    steps
        Time steps of the trajectories; the action is the integral of the misfit over them.
    roughness
        Factor of the thin-plate energies of the right-hand sides, added to the action.
    threads
        Size of the thread pool; results do not depend on it.
    """

    dynamics: Dynamics
    initial: np.ndarray
    objective: Objective
    steps: int
    roughness: float
    threads: int = 1

    @cached_property
    def splines(self) -> sparse.csr_array:
        """From spline coefficients to those of the elements, (grid.size, splines)."""
        return self.dynamics.grid.splines()

    @cached_property
    def energy(self) -> sparse.csc_array:
        """Thin-plate energy of a right-hand side as a quadratic form in its spline coefficients."""
        grid = self.dynamics.grid
        return sparse.csc_array(self.splines.T @ (grid.roughness(3) + grid.roughness(2)) @ self.splines)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weights of the times in the action, (steps + 1,)."""
        return quadrature(self.steps, self.dynamics.dt)

    def coefficients(self, splines: np.ndarray) -> np.ndarray:
        """Coefficients of the elements, (P, grid.size), of right-hand sides given as splines, (P, splines)."""
        return np.ascontiguousarray((self.splines @ splines.T).T)

    def trajectories(self, splines: np.ndarray) -> np.ndarray:
        """Trajectories (R, steps + 1, P)."""
        return self.dynamics.integrate(self.coefficients(splines), self.initial, self.steps, self.threads)

    def penalty(self, splines: np.ndarray) -> float:
        """Roughness times the thin-plate energies, over two."""
        return self.roughness / 2 * float((splines * (self.energy @ splines.T).T).sum())
