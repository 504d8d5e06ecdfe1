"""Right-hand sides whose trajectories track given paths in parameter space.

Of all functions with given values at some points the one of least thin-plate energy is a combination of as many kernel
functions, one a point. Right-hand sides that only have to be right along a few paths are therefore sought in the span
of the kernels at the points of these paths: a few hundred functions instead of thousands of splines, and the energy is
the sum of their squares.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse

from dbd.learning.descent import Position
from dbd.learning.misfit import Misfit
from dbd.learning.problem import Problem
from dbd.numerics.hermite import HermiteGrid

ASIDE = 0.1  # distance of the points beside a path from it
RETURN = 0.15  # part of that distance by which the first guess goes back to the path in a time step
RIDGE = 0.1  # added to the thin-plate energy, which leaves linear functions free, per squared spline coefficient
INDEPENDENT = 1e-8  # smallest eigenvalue of the kernel between the points that counts, relative to the largest
COLLOCATION = 1e-2  # ridge of the first guess: root mean square of the functions at a point that counts as noise


@dataclass(frozen=True)
class Distance:
    """Squared distance of trajectories from given ones.

    Parameters
    ----------
    paths
        Where trajectories should be, (R, times, P).
    tolerance
        Distance that counts as one.
    """

    paths: np.ndarray
    tolerance: float

    def __call__(self, states: np.ndarray) -> Misfit:
        """Misfit of trajectories (R, times, P)."""
        distance = (states - self.paths[:, : states.shape[1]]) / self.tolerance
        curvature = np.eye(states.shape[2]) / self.tolerance**2
        return Misfit(
            (distance**2).sum(axis=-1) / 2,
            distance / self.tolerance,
            np.broadcast_to(curvature, (*states.shape, states.shape[2])),
        )


def kernel_functions(grid: HermiteGrid, points: np.ndarray) -> sparse.csr_array:
    """Orthonormal basis, in the energy, of the functions of least energy through values at `points` (n, d).

    Coefficients of the elements, shape (grid.size, functions); close points make fewer functions than points.
    """
    splines = grid.splines()
    energy = grid.spline_roughness() + RIDGE * sparse.eye_array(splines.shape[1])
    at_points = (grid.basis(points) @ splines).toarray()
    kernels = linalg.cho_solve(linalg.cho_factor(energy.toarray(), overwrite_a=True), at_points.T)
    eigenvalues, vectors = np.linalg.eigh(at_points @ kernels)
    kept = eigenvalues > INDEPENDENT * eigenvalues[-1]
    return sparse.csr_array(splines @ (kernels @ (vectors[:, kept] / np.sqrt(eigenvalues[kept]))))


@dataclass(frozen=True, kw_only=True)
class SpanProblem(Problem):
    """The problem of right-hand sides in the span of given functions, orthonormal in the energy.

    Parameters
    ----------
    functions
        Coefficients of the elements, (grid.size, functions).
    """

    functions: sparse.csr_array

    @property
    def splines(self) -> sparse.csr_array:
        """From coefficients of the span to those of the elements."""
        return self.functions

    @cached_property
    def energy(self) -> sparse.csc_array:
        """Energy of a right-hand side as a quadratic form in its coefficients."""
        return sparse.csc_array(sparse.eye_array(self.functions.shape[1]))

    def collocation(self, paths: np.ndarray) -> Position:
        """Right-hand sides with about the velocities, by central differences, of paths (R, times, P).

        At the points beside the paths (`tube`) the velocity is that on the path and a part that leads back to it, so
        that a trajectory that has strayed a little does not run away.
        """
        velocity = np.gradient(paths, self.dynamics.dt, axis=1).reshape(-1, paths.shape[2])
        domain = list(self.dynamics.domain)
        points, aside = tube(paths.reshape(velocity.shape)[:, domain])
        velocity = np.tile(velocity, (len(aside), 1))
        velocity[:, domain] -= RETURN / self.dynamics.dt * np.repeat(aside, len(points) // len(aside), axis=0)
        values = (self.dynamics.grid.basis(points) @ self.functions).toarray()
        noise = COLLOCATION**2 * np.sum(values**2) / len(values)
        square = values.T @ values + noise * np.eye(values.shape[1])
        return Position(np.linalg.solve(square, values.T @ velocity).T)


def tube(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (n, d) shifted to both sides of each axis, one shift after another; and the shifts (1 + 2d, d)."""
    axes = ASIDE * np.eye(points.shape[1])
    shifts = np.concatenate([0 * axes[:1], axes, -axes])
    return (points + shifts[:, None]).reshape(-1, points.shape[1]), shifts
