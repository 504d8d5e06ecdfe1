"""What every learning recipe is: a sequence of states that ends in learned right-hand sides and can be resumed."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from dbd.files.checkpoints import State


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
