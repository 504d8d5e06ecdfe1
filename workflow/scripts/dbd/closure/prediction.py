"""Predictions of a learned model: its equations integrated, and the moments along the trajectories."""

from collections.abc import Callable

import numpy as np
import xarray as xr

from dbd.boltzmann.family import Family
from dbd.boltzmann.moment_map import MomentMap
from dbd.files.netcdf import time_axis, variable
from dbd.learning.dynamics import Dynamics
from dbd.learning.reaction_dynamics import ReactionDynamics


def predicted(
    family: Family,
    dynamics: Dynamics | ReactionDynamics,
    moment_map: MomentMap,
    coefficients: np.ndarray,
    initial: np.ndarray,
    steps: int,
    generator_of: Callable[[int, int], np.random.Generator],
    threads: int = 1,
) -> xr.Dataset:
    """Trajectories and moments from initial conditions.

    Parameters
    ----------
    family
        The model in its coordinates, P parameters.
    dynamics, coefficients
        Differential equations, and the coefficients of their functions.
    moment_map
        From parameters to the moments of its observables.
    initial
        Parameters at time zero, (initial condition, P).
    steps
        Time steps.
    generator_of
        Stream of an initial condition and a time, for moments that are sampled.
    threads
        Size of the thread pool; results do not depend on it.

    Returns
    -------
    ``theta``, ``mean``, its standard error ``sem`` by sampling, ``std`` and ``covariance`` between lattices of the
    model (between runs, as far as it knows: in mixed coordinates without ``spread`` all have the mean composition), and
    ``excess``: how far outside the grid of the learned functions a trajectory is, in grid units. Outside they go on
    linearly and know nothing of the data.
    """
    theta = dynamics.integrate(coefficients, initial, steps, threads=threads)
    moments = moment_map.moments(theta, generator_of, threads)
    observables, points = list(moment_map.observables), "initial_condition time"
    return xr.Dataset(
        {
            "theta": variable(f"{points} parameter", theta, "parameters of the Boltzmann distribution"),
            "excess": variable(
                points, dynamics.excess(theta), "distance from the grid of the functions, in grid units"
            ),
            "mean": variable(f"{points} observable", moments.mean, "predicted mean count"),
            "sem": variable(f"{points} observable", moments.sem, "standard error of the predicted mean, by sampling"),
            "std": variable(f"{points} observable", moments.std, "predicted standard deviation between lattices"),
            "covariance": variable(
                f"{points} observable other_observable",
                moments.covariance,
                "predicted covariance of two counts between lattices",
            ),
        },
        {
            **time_axis(np.arange(steps + 1), dynamics.dt),
            "parameter": list(family.names),
            "observable": observables,
            "other_observable": observables,
        },
    )
