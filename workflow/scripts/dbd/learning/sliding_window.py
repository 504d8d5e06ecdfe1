"""Learning right-hand sides in a window of time that slides forward, by stochastic gradient descent (paper, algorithm).

One optimisation step goes over all initial conditions in turn, with an update for each: theta is integrated from time
zero to the end of the window, the gradient of the divergence is estimated from lattices at the window's time steps
(`contrastive`), and the adjoint is solved inside the window only. What an update descends is

    S = sum over the time steps n in the window of dt D_n,    n = first + 1, ..., first + window,

with theta(first) held fixed, by the exact gradient with respect to u of the trajectory as integrated.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from dbd.boltzmann.contrastive_divergence import Contrast, choose_runs
from dbd.learning.dynamics import Dynamics, add_gradient, advance, workspace
from dbd.messages import mismatch

HISTORY = ("gradient_norm", "mismatch", "outside")
"""Columns of `Progress.history`, over the updates of an optimisation step:

- root mean square of the norms of their gradients dS/du;
- mean square over initial conditions, times and parameters of asleep minus awake moments, in counts squared. It falls
  with the action but is not it: sweeps that start from data carry moments only a part of the way to the model's, and
  noise remains;
- number of initial conditions whose trajectory left the grid.
"""


class Progress(NamedTuple):
    """How far learning has come; all that is needed to go on.

    Parameters
    ----------
    coefficients
        u, shape (parameter, grid.size).
    history
        What happened in each optimisation step done, see `HISTORY`; shape (steps, 3).
    """

    coefficients: np.ndarray
    history: np.ndarray

    @property
    def step(self) -> int:
        """Number of optimisation steps done."""
        return len(self.history)


@dataclass(frozen=True)
class SlidingWindow:
    """The recipe.

    Parameters
    ----------
    dynamics
        The differential equations.
    contrast
        Estimator of the gradient of the divergence.
    rate
        Learning rate of the right-hand side of each parameter, shape (parameter,).
    window
        Time steps in the window.
    steps_per_shift
        Optimisation steps after which the window moves on by one time step.
    batch
        Runs per update, drawn at random without repetition; the same ones at all time steps.
    adjoint
        ``exact``, or ``released`` for that of the released code (`released_share`), which is no gradient.
    """

    dynamics: Dynamics
    contrast: Contrast
    rate: Sequence[float]
    window: int
    steps_per_shift: int
    batch: int
    adjoint: Literal["exact", "released"] = "exact"

    def __post_init__(self):
        if len(self.rate) != self.dynamics.parameters:
            raise ValueError(f"learning rates {self.rate}: needs {self.dynamics.parameters}, one for each parameter")
        if min(self.window, self.steps_per_shift) < 1:
            raise ValueError(f"window, steps per shift: {mismatch((self.window, self.steps_per_shift), '1 or more')}")

    def begin(self) -> Progress:
        """Right-hand sides that are zero everywhere."""
        shape = (self.dynamics.parameters, self.dynamics.grid.size)
        return Progress(np.zeros(shape), np.empty((0, len(HISTORY))))

    def advance(
        self,
        progress: Progress,
        initial: np.ndarray,
        lattices: Sequence[np.ndarray],
        generator_of: Callable[[int, int], np.random.Generator],
    ) -> Progress:
        """Do one optimisation step.

        An initial condition whose trajectory is not finite gives no update; it counts as one that left the grid.

        Parameters
        ----------
        progress
            Where to go on from. Its coefficients are changed in place: an update touches few of many.
        initial
            theta at time zero, shape (initial condition, parameter).
        lattices
            Occupancies for each initial condition, shape (runs, times, sites), at every time step from zero on.
        generator_of
            Stream of an optimisation step (from 0) and an initial condition, so that learning can be resumed.

        Returns
        -------
        The progress after the step.

        Raises
        ------
        ValueError
            If lattices end before the window, or there are fewer runs than a batch.
        FloatingPointError
            If no trajectory is finite any more.
        """
        first = progress.step // self.steps_per_shift
        inside = slice(first + 1, first + self.window + 1)
        coefficients, scratch = progress.coefficients, np.zeros(progress.coefficients.shape)
        share = released_share(self.dynamics)
        if self.adjoint == "exact":
            share = np.ones(share.shape)
        norms, squares, outside = [], [], 0
        for index, (theta, runs) in enumerate(zip(initial, lattices, strict=True)):
            if runs.shape[1] < inside.stop:
                raise ValueError(f"window up to time step {inside.stop - 1}: lattices end at {runs.shape[1] - 1}")
            states = self.dynamics.integrate(coefficients, theta[None], inside.stop - 1)
            outside += not (self.dynamics.excess(states) == 0).all()
            if not np.isfinite(states).all():
                continue
            generator = generator_of(progress.step, index)
            chosen = choose_runs(len(runs), self.batch, generator)
            difference = self.contrast.difference(states[0, inside], runs[chosen, inside], generator)
            gradients = self.dynamics.dt * np.concatenate([np.zeros((1, len(theta))), difference])
            arguments = (coefficients, states[:, first:], gradients[None], share, np.array(self.rate, float), scratch)
            norms.append(_descend(*self.dynamics.arguments, *arguments))
            squares.append(np.mean(difference**2))
        if not norms:
            raise FloatingPointError(f"optimisation step {progress.step}: no trajectory is finite any more")
        row = np.sqrt(np.mean(np.square(norms))), np.mean(squares), outside
        return Progress(coefficients, np.append(progress.history, [row], axis=0))


def released_share(dynamics: Dynamics) -> np.ndarray:
    """What the adjoint of the released code of the paper takes of the Jacobian dF/dtheta_D, as factors (P, d).

    Of the sum over right-hand sides only the last term, and not divided by the grid spacing.
    """
    share = np.zeros((dynamics.parameters, len(dynamics.domain)))
    share[-1] = dynamics.grid.spacing
    return share


@njit(cache=True, nogil=True)
def _descend(scheme, table, domain, step, substeps, coefficients, states, gradients, share, rate, scratch):
    """Take rate times dS/du off the coefficients (P, size), in place, and return the norm of dS/du.

    Trajectories and gradients are (1, times, P). Few coefficients are touched, and only those are looked at: `scratch`
    (P, size) is zero before and after.
    """
    parameters, stages = len(coefficients), len(scheme.weights)
    work = workspace(scheme, table, domain, coefficients)
    cells = np.empty(((states.shape[1] - 1) * substeps, stages), np.int64)
    state = np.empty(parameters)
    for i in range(len(cells)):
        if i % substeps == 0:
            state[:] = states[0, i // substeps]
        advance(scheme, table, domain, step, coefficients, work, state)
        cells[i] = work.first
    initial = np.empty((1, parameters))
    add_gradient(scheme, table, domain, step, substeps, coefficients, states, gradients, share, scratch, initial)
    square = 0.0
    for first in np.unique(cells):
        for local in range(len(table.offset)):
            place = first + table.offset[local]
            for k in range(parameters):
                square += scratch[k, place] ** 2
                coefficients[k, place] -= rate[k] * scratch[k, place]
                scratch[k, place] = 0.0
    return np.sqrt(square)
