"""Independent pieces of work by a thread pool, with results that do not depend on its size."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def parallel(function: Callable[[Any], Any], items: Iterable[Any], threads: int) -> list:
    """Results of a function of each item, in order."""
    if threads == 1:  # a pool would only wait for its thread
        return [function(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))
