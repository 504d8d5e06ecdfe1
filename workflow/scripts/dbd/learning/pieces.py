"""Pieces of trajectories: learning begins with short ones, each from a start of its own, so that nothing runs away."""

import numpy as np


def segments(trajectories: np.ndarray, length: int) -> np.ndarray:
    """Cut (R, times, ...) into pieces of `length` steps that share their end points: (R * pieces, length + 1, ...).

    Right-hand sides that fit such pieces, each from its own start, are where to begin with whole trajectories.
    """
    pieces = (trajectories.shape[1] - 1) // length
    index = length * np.arange(pieces)[:, None] + np.arange(length + 1)
    return trajectories[:, index].reshape(-1, length + 1, *trajectories.shape[2:])


def overlapping(trajectories: np.ndarray, length: int) -> np.ndarray:
    """Pieces of `length` steps, as few as cover trajectories (R, times, ...): (R * pieces, length + 1, ...)."""
    last = trajectories.shape[1] - 1
    starts = np.linspace(0, last - length, -(-last // length)).round().astype(int)
    pieces = trajectories[:, starts[:, None] + np.arange(length + 1)]
    return np.ascontiguousarray(pieces.reshape(-1, length + 1, *trajectories.shape[2:]))
