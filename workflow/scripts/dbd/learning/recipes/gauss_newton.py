"""Levenberg-Marquardt steps on whole trajectories, with exact moments: recipe ``gauss_newton``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from dbd.files.checkpoints import State
from dbd.learning.descent import Position, cross_validate
from dbd.learning.divergence import Divergence
from dbd.learning.dynamics import Dynamics
from dbd.learning.gauss_newton import evaluate, linearise, solve_positive_definite
from dbd.learning.problem import Problem
from dbd.learning.recipes.base import Recipe, run_phase
from dbd.learning.uncertainty import drawn

PIECES = (10, 40)  # time steps in the pieces of trajectories that learning begins with
WARM_UP = (6, 1e-2)  # most steps on them, and the relative fall of the action at which the last one is taken
CLUSTERS = 10  # of initial conditions, at most, that say how sure functions are
ROUNDING = 1e-9  # of energies
CHOICES = 3  # how often the roughness may change


@dataclass(frozen=True)
class GaussNewton(Recipe):
    """Levenberg-Marquardt steps on the divergence along whole trajectories, with exact moments.

    It begins with short pieces of trajectories, each from parameters that match the data where it starts, so that
    nothing can run away. Longer pieces and whole trajectories follow. Cross-validation over training initial conditions
    around the solution then chooses the roughness, and whole trajectories are learned with it, until the choice stays.

    Parameters
    ----------
    divergence
        Divergence of the data from the model.
    dynamics
        The model's differential equations.
    initial
        Parameters at time zero, (R, P).
    roughness
        Candidates of the factor of the thin-plate energy; the first is used until one is chosen.
    fold
        Fold of the cross-validation that each initial condition belongs to, (R,); 0, 1, ... without gaps.
    steps, tolerance
        Most steps on whole trajectories, and the relative fall of the action at which the last one is taken.
    threads
        Size of the thread pool; results do not depend on it.
    """

    divergence: Divergence
    dynamics: Dynamics
    initial: np.ndarray
    roughness: Sequence[float]
    fold: np.ndarray
    steps: int
    tolerance: float
    threads: int = 1

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after each step, from the beginning or after `kept`."""
        last = self.divergence.mean.shape[1] - 1
        lengths = [length for length in PIECES if length < last] + [last]
        roughness, phase, past, position = self.roughness[0], 0, (np.empty(0), np.empty(0)), None
        if kept is not None:
            roughness, phase = float(kept["roughness"]), int(kept["phase"])
            position, past = Position.of_arrays(kept)
        while True:
            whole = phase >= len(lengths) - 1
            problem = self._problem(last if whole else lengths[phase], roughness)
            position, past = yield from run_phase(
                problem,
                position or Position.zero(problem),
                past,
                *((self.steps, self.tolerance) if whole else WARM_UP),
                phase=np.array(phase),
                roughness=np.array(roughness),
            )
            if whole:
                if not self.fold.any():  # a single one: there is nothing to leave out
                    return
                scores = cross_validate(problem, position, self.roughness, self.fold)
                chosen = self.roughness[int(np.argmin(scores))]
                if chosen == roughness or phase == len(lengths) - 1 + CHOICES:
                    return
                roughness = chosen
            phase += 1
            position = Position(position.splines)

    @threadpool_limits.wrap(limits=1)
    def draws(self, state: State, generator: np.random.Generator) -> np.ndarray | None:
        """Functions that the data leave possible, as splines, (DRAWS, P, splines), around the last state.

        Clusters of data are initial conditions, drawn into ten groups where there are more; None if there is but one.
        """
        if len(self.initial) < 2:
            return None
        roughness, splines = float(state["roughness"]), state["splines"]
        problem = self._problem(self.divergence.mean.shape[1] - 1, roughness)
        point, cluster = evaluate(problem, splines), generator.permutation(len(self.initial)) % CLUSTERS
        system = linearise(problem, splines, point, np.zeros_like(cluster))
        energy = roughness * system.energy
        curvature, left_out = system.matrix[0] + energy, []
        for k in range(cluster.max() + 1):
            own = linearise(problem, splines, point, np.where(cluster == k, 0, -1))  # of the others there are no sums
            left_out.append(solve_positive_definite(curvature - own.matrix[0], own.gradient[0]))
        flat = ROUNDING * energy.trace() / len(energy)  # functions without energy: the prior says nothing about them
        root = np.linalg.cholesky(energy + flat * np.eye(len(energy)))
        points = drawn(splines[:, system.touched].ravel(), curvature, np.stack(left_out), root, generator)
        return points.reshape(len(points), len(splines), -1) @ system.extension.T

    def _problem(self, length: int, roughness: float) -> Problem:
        """The problem of pieces of trajectories of `length` time steps."""
        pieces = self.divergence.pieces(length)
        starts = pieces.matched[:, 0].copy()
        starts[:: len(starts) // len(self.initial)] = self.initial
        return Problem(self.dynamics, starts, pieces, length, roughness, self.threads)
