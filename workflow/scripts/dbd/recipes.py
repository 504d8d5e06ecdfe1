"""Learning recipes: each is a sequence of states that end in learned right-hand sides, and can go on from any of them.

A state is a mapping of arrays. All have ``u`` (coefficients of the elements), ``action`` and ``gradient_norm`` (one
number for each step so far); the rest is what the recipe needs to go on.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbd.checkpoints import State
from dbd.dynamics import Dynamics
from dbd.learning import State as Position
from dbd.learning import cross_validate, optimise
from dbd.objectives import Divergence
from dbd.problem import Problem
from dbd.sliding_window import HISTORY, Progress, SlidingWindow

PIECES = (10, 40)  # time steps in the pieces of trajectories that the second-order recipe begins with
CHECKPOINTS = 100  # about the most states that a recipe of many small steps yields
CHOICES = 3  # how often the roughness may change
WARM_UP = (6, 1e-2)  # most steps on them, and the relative fall of the action at which the last one is taken


@dataclass(frozen=True)
class SecondOrder:
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
    folds
        Folds of the cross-validation.
    steps, tolerance
        Most steps on whole trajectories, and the relative fall of the action at which the last one is taken.
    threads
        Size of the thread pool; results do not depend on it.
    """

    divergence: Divergence
    dynamics: Dynamics
    initial: np.ndarray
    roughness: Sequence[float]
    folds: int
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
            begin = position or Position.zero(problem)
            for position in optimise(problem, begin, *((self.steps, self.tolerance) if whole else WARM_UP)):
                yield position.arrays(past) | {
                    "u": problem.coefficients(position.splines),
                    "phase": np.array(phase),
                    "roughness": np.array(roughness),
                }
            past = (np.append(past[0], position.action), np.append(past[1], position.gradient))
            if whole:
                scores = cross_validate(problem, position, self.roughness, self.folds)
                chosen = self.roughness[int(np.argmin(scores))]
                if chosen == roughness or phase == len(lengths) - 1 + CHOICES:
                    return
                roughness = chosen
            phase += 1
            position = Position(position.splines)

    def _problem(self, length: int, roughness: float) -> Problem:
        """The problem of pieces of trajectories of so many time steps."""
        pieces = self.divergence.pieces(length)
        starts = pieces.matched[:, 0].copy()
        starts[:: len(starts) // len(self.initial)] = self.initial
        return Problem(self.dynamics, starts, pieces, length, roughness, self.threads)


@dataclass(frozen=True)
class Published:
    """Stochastic gradient descent in a sliding window of time.

    Parameters
    ----------
    window
        The published algorithm with its settings.
    initial
        Parameters at time zero, (initial condition, parameter).
    lattices
        Occupancies of the data, one array (runs, times, sites) per initial condition.
    generator_of
        Stream of an optimisation step and an initial condition.
    steps
        Optimisation steps.
    """

    window: SlidingWindow
    initial: np.ndarray
    lattices: Sequence[np.ndarray]
    generator_of: Callable[[int, int], np.random.Generator]
    steps: int

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after every few steps, from the beginning or after `kept`."""
        progress = Progress(kept["u"], kept["history"]) if kept else self.window.begin()
        every = max(1, self.steps // CHECKPOINTS)
        while progress.step < self.steps:
            progress = self.window.advance(progress, self.initial, self.lattices, self.generator_of)
            if progress.step % every and progress.step < self.steps:
                continue
            yield {
                "u": progress.coefficients,
                "history": progress.history,
                "action": progress.history[:, HISTORY.index("mismatch")],
                "gradient_norm": progress.history[:, HISTORY.index("gradient_norm")],
            }
