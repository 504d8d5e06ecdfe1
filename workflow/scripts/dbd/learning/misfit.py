"""Misfit of trajectories, to second order: what learning makes small."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Misfit(NamedTuple):
    """A misfit at the points of trajectories, and how it depends on the parameters there."""

    value: np.ndarray  # (R, times)
    gradient: np.ndarray  # (R, times, P)
    curvature: np.ndarray  # (R, times, P, P), positive semi-definite: Gauss-Newton or Fisher matrix


Objective = Callable[[np.ndarray], Misfit]
"""Misfit of trajectories (R, times, P); for a horizon shorter than the data, those of its first times."""
