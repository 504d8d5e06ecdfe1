"""What every learning recipe is: a sequence of states that ends in learned right-hand sides and can be resumed."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator

import numpy as np

from dbd.files.checkpoints import State
from dbd.learning.descent import Past, Position, optimise
from dbd.learning.problem import Problem


class Recipe(ABC):
    """A way to learn right-hand sides.

    A state is a mapping of arrays. All have ``u`` (coefficients of the elements, (parameter, grid.size)), ``action``
    and ``gradient_norm`` (one number per step so far); the rest is what the recipe needs to go on.
    """

    @abstractmethod
    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after each step, from the beginning or after `kept`; the last one holds the result.

        States after `kept` are those that an uninterrupted run would have yielded, bit for bit.
        """


def run_phase(
    problem: Problem, start: Position, past: Past, steps: int, tolerance: float, **more: np.ndarray
) -> Generator[State, None, tuple[Position, Past]]:
    """Yield the state after each step of one problem of a recipe that solves several, one after the other.

    Parameters
    ----------
    problem
        What is solved.
    start
        Where it begins, or goes on.
    past
        Actions and gradient norms of the phases before.
    steps, tolerance
        Limits of the optimisation, as in `optimise`.
    more
        What else each state holds.

    Returns
    -------
    Where the phase ended, and the past of the next one.
    """
    position = start
    for position in optimise(problem, start, steps, tolerance):
        yield position.arrays(past) | {"u": problem.coefficients(position.splines)} | more
    return position, (np.append(past[0], position.action), np.append(past[1], position.gradient))
