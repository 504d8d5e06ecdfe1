"""The published recipe, ``contrastive``: stochastic gradient descent in a sliding window of time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbd.files.checkpoints import State
from dbd.learning.recipes.base import Recipe
from dbd.learning.sliding_window import HISTORY, Progress, SlidingWindow

CHECKPOINTS = 100  # about the most states that are yielded: steps are many and small


@dataclass(frozen=True)
class Contrastive(Recipe):
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
