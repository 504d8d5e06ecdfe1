"""Random streams: every run, chain and draw has its own, found by its name and not by its turn.

A stream is ``SeedSequence(master, spawn_key=words)`` feeding PCG64DXSM. The words are the stage, the study, the split
and the indices of the draw, so results depend neither on cores nor on how an ensemble is cut into jobs.
"""

import hashlib

import numpy as np

from dbd.messages import mismatch

BIT_GENERATOR = "PCG64DXSM"


def _word(part: str | int) -> int:
    """One 32-bit word of a spawn key; text is hashed, so that its word depends on nothing but its letters."""
    if isinstance(part, str):
        return int.from_bytes(hashlib.blake2s(part.encode(), digest_size=4).digest(), "little")
    if not 0 <= part < 2**32:
        raise ValueError(f"stream index: {mismatch(part, '0 .. 2^32 - 1')}")
    return int(part)


def stream(master: int, *key: str | int) -> np.random.Generator:
    """Return the generator named by `key` below `master`, e.g. ``stream(1, "simulate", "decay", "test", 0, 7)``."""
    sequence = np.random.SeedSequence(master, spawn_key=tuple(_word(part) for part in key))
    return np.random.Generator(np.random.PCG64DXSM(sequence))
