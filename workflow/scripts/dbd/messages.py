"""How a mistake is reported: one line that says what was found and what was expected."""

from typing import Any


def mismatch(got: Any, expected: str) -> str:
    """Return the words ``got 0, expected 1 or more``; the name of what is wrong goes before them."""
    return f"got {got}, expected {expected}"
