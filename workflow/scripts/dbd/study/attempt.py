"""Building something to see whether it can be built."""

from collections.abc import Callable, Generator
from typing import Any


def attempt(key: str, build: Callable, *arguments) -> Generator[tuple[str, str], None, Any]:
    """Build something; yield the mistake that its constructor finds and return None, or return what was built."""
    try:
        return build(*arguments)
    except ValueError as error:
        yield key, str(error)
        return None
