"""Damped Gauss-Newton descent (Levenberg-Marquardt) for a function of a few hundred variables."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from threadpoolctl import threadpool_limits

LARGEST_DAMPING = 1e8


class Expansion(NamedTuple):
    """A function to second order around a point: value, gradient (P,), positive semi-definite curvature (P, P)."""

    value: float
    gradient: np.ndarray
    curvature: np.ndarray


class Minimum(NamedTuple):
    """Where a descent ended."""

    point: np.ndarray
    expansion: Expansion
    history: tuple[float, ...]
    converged: bool


@threadpool_limits.wrap(limits=1)
def minimise(
    value: Callable[[np.ndarray], float],
    expand: Callable[[np.ndarray], Expansion],
    start: np.ndarray,
    tolerance: float,
    steps: int = 50,
    damping: float = 1e-2,
    fraction: float = 0.0,
) -> Minimum:
    """Descend from `start` until a step gains less than `tolerance`, or no step gains anything, or `steps` are done.

    Linear algebra runs on one thread, in `value` and `expand` too, so that results do not depend on the
    number of cores.

    Parameters
    ----------
    value
        The function; infinite or not a number where it does not exist: such points are never stepped to.
    expand
        The function with its gradient and Gauss-Newton curvature.
    tolerance
        Gain in units of the function. For a log-likelihood a gain well below one means nothing.
    damping
        First damping relative to the diagonal of the curvature; a tenth after a gain, tenfold after a failure.
    fraction
        Gain relative to the function before the step; the larger of the two limits counts.

    Raises
    ------
    ValueError
        If the function is not finite at the start.
    """
    point, current = start, expand(start)
    if not np.isfinite(current.value):
        raise ValueError("the function to minimise is not finite at the start")
    history = [current.value]
    while len(history) <= steps:
        diagonal = np.diag(current.curvature)
        floor = 1e-12 * diagonal.mean()
        while damping <= LARGEST_DAMPING:
            damped = current.curvature + np.diag(damping * diagonal + floor)
            trial = point - cho_solve(cho_factor(damped), current.gradient)
            found = value(trial)
            if found < current.value:
                break
            damping *= 10
        else:
            return Minimum(point, current, tuple(history), True)
        gain = current.value - found
        point, current = trial, expand(trial)
        damping = max(damping / 10, 1e-9)
        history.append(current.value)
        if gain < max(tolerance, fraction * (current.value + gain)):
            return Minimum(point, current, tuple(history), True)
    return Minimum(point, current, tuple(history), False)
