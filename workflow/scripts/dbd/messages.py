"""How a mistake is reported: one line that says what was found and what was expected."""

from collections.abc import Iterable
from typing import Any


def mismatch(got: Any, expected: str) -> str:
    """Return the words ``got 0, expected 1 or more``; the name of what is wrong goes before them."""
    return f"got {got}, expected {expected}"


def one_of(choices: Iterable[str]) -> str:
    """Return the words ``one of a, b``, for what is expected."""
    return f"one of {', '.join(choices)}"
