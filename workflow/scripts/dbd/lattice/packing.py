"""Lattices at several times in the space of one: the states of a site at consecutive times are the digits of a byte.

With two states 8 times fit in a byte, with three 5, with four 4, with five or six 3. Bytes compress better than single
states, as those of a site at consecutive times depend on one another, and several times as fast.
"""

from collections.abc import Iterator

import numpy as np

BLOCK = 2**23
"""Bytes of lattices that are held in memory unpacked at one time, about."""


def times_per_byte(states: int) -> int:
    """Digits in base `states`, 2 to 255, that a byte has room for."""
    digits = 1
    while states ** (digits + 1) <= 256:
        digits += 1
    return digits


def pack(occupancy: np.ndarray, states: int) -> np.ndarray:
    """Pack lattices.

    Parameters
    ----------
    occupancy
        States 0 to `states` - 1; uint8, shape (..., times, sites).
    states
        Number of states: the species and empty.

    Returns
    -------
    packed
        uint8, shape (..., bytes, sites); byte k holds the times from k * `times_per_byte`, the first as lowest digit.
        Behind the last time digits are 0.
    """
    digits, times = times_per_byte(states), occupancy.shape[-2]
    packed = np.zeros((*occupancy.shape[:-2], -(-times // digits), occupancy.shape[-1]), np.uint8)
    for digit in reversed(range(min(digits, times))):
        packed *= np.uint8(states)
        slots = occupancy[..., digit::digits, :]
        packed[..., : slots.shape[-2], :] += slots
    return packed


def unpack(packed: np.ndarray, states: int, times: int) -> np.ndarray:
    """Lattices at a number of times, uint8 (..., times, sites), from those packed, (..., bytes, sites)."""
    occupancy = np.empty((*packed.shape[:-2], times, packed.shape[-1]), np.uint8)
    digits = times_per_byte(states)
    for digit in range(min(digits, times)):
        rest = packed // np.uint8(states)
        slots = occupancy[..., digit::digits, :]
        slots[...] = (packed - rest * np.uint8(states))[..., : slots.shape[-2], :]
        packed = rest
    return occupancy


def blocks(runs: int, size: int, least: int = 1) -> Iterator[slice]:
    """Cut runs whose lattices at all times take `size` bytes each into blocks of at least `least` runs."""
    length = max(least, BLOCK // size)
    return (slice(first, min(first + length, runs)) for first in range(0, runs, length))
