"""A small learning problem with known right-hand sides, and how it is solved, which tests of learning share."""

from dataclasses import replace

import numpy as np

from dbd.boltzmann.chain import Chain
from dbd.learning.descent import optimise
from dbd.learning.divergence import Divergence
from dbd.learning.dynamics import Dynamics
from dbd.learning.problem import Problem
from dbd.numerics.hermite import HermiteGrid

CHAIN = Chain(40, ("A", "AA"))
GRID = HermiteGrid((-2.0, -1.5), (0.75, 0.75), (6, 5))
DYNAMICS = Dynamics(GRID, 2, (0, 1), 0.1)
STEPS = 10


def true_splines(mixed=0.2):
    """Right-hand sides dh/dt = -0.8 - 0.3 h + 0.2 J, dJ/dt = -0.6 J + mixed h J, as spline coefficients."""
    h, j = np.meshgrid(-2.0 + 0.75 * np.arange(-1, 7), -1.5 + 0.75 * np.arange(-1, 6), indexing="ij")
    return np.stack([(-0.8 - 0.3 * h + 0.2 * j).ravel(), (-0.6 * j + mixed * h * j).ravel()])


def problem(rng, initial_conditions=8, noise=0.0, roughness=1e-6, truth=None):
    """Exact moments along the true trajectories, with noise in units of their standard error over ten runs."""
    initial = rng.uniform(-0.9, 0.9, (initial_conditions, 2))
    blank = Problem(DYNAMICS, initial, None, STEPS, roughness)
    exact = CHAIN.cumulants(blank.trajectories(true_splines() if truth is None else truth))
    error = np.sqrt(exact.jacobian[..., [0, 1], [0, 1]] / 10)
    mean = exact.mean[..., :2] + noise * error * rng.normal(size=error.shape)
    return replace(blank, objective=Divergence.of(CHAIN, mean, ("A", "AA"), 10))


def finish(learned, position, steps, tolerance):
    """Last position of an optimisation."""
    last = position
    for last in optimise(learned, position, steps, tolerance):  # noqa: B007
        pass
    return last
