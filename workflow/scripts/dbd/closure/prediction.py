"""Predictions of a learned model: its equations integrated, and the moments along the trajectories."""

from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr

from dbd.boltzmann.family import CompositionAndCouplings, Family
from dbd.boltzmann.mean_composition import MeanComposition
from dbd.boltzmann.moment_map import MomentMap, Moments
from dbd.files.netcdf import time_axis, variable
from dbd.learning.dynamics import Dynamics
from dbd.learning.reaction_dynamics import ReactionDynamics

SMALL = 1e-3  # part of the way to a draw, over which trajectories change in proportion


def predicted(
    family: Family,
    dynamics: Dynamics | ReactionDynamics,
    moment_map: MomentMap,
    coefficients: np.ndarray,
    initial: np.ndarray,
    steps: int,
    constants: np.ndarray | None,
    generator_of: Callable[[int, int], np.random.Generator],
    threads: int = 1,
    draws: np.ndarray | None = None,
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
    constants
        Rates of all reactions for every initial condition, (initial condition, reaction); None where there are only
        those of the dynamics.
    generator_of
        Stream of an initial condition and a time, for moments that are sampled.
    threads
        Size of the thread pool; results do not depend on it.
    draws
        Functions that the data leave possible, as splines, (draw, function, splines), if they are known.

    Returns
    -------
    ``theta``, ``mean``, its standard error ``sem`` by sampling, ``std`` and ``covariance`` between lattices of the
    model (between runs, as far as it knows: in mixed coordinates without ``spread`` all have the mean composition), and
    ``excess``: how far outside the grid of the learned functions a trajectory is, in grid units. Outside they go on
    linearly and know nothing of the data. With draws also ``theta_error`` and, for a model without hidden layers and
    spread whose statistics are observed, ``mean_error``: standard errors by what the data leave open of the functions.
    """
    theta = _integrated(dynamics, coefficients, initial, steps, threads, constants)
    moments = moment_map.moments(theta, generator_of, threads)
    observables, points = list(moment_map.observables), "initial_condition time"
    dataset = xr.Dataset(
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
    if draws is not None:
        changes = {"theta": changes_of_trajectories(dynamics, coefficients, draws, theta, threads, constants)}
        if _responds(family, observables):
            changes["mean"] = changes_of_means(family, theta, changes["theta"], moments, observables)
        for name, change in changes.items():
            meaning = f"standard error of {dataset[name].attrs['long_name']}, by what the data leave open"
            dataset[f"{name}_error"] = variable(
                " ".join(dataset[name].dims), np.sqrt((change**2).mean(axis=0)), meaning
            )
            dataset[name].attrs["ancillary_variables"] = f"{name}_error"
    return dataset


def changes_of_trajectories(
    dynamics: Dynamics | ReactionDynamics,
    coefficients: np.ndarray,
    draws: np.ndarray,
    theta: np.ndarray,
    threads: int = 1,
    constants: np.ndarray | None = None,
) -> np.ndarray:
    """Changes of trajectories `theta` (R, times, P) with those of the functions to draws; (draw, R, times, P).

    To first order, as draws are those of the quadratic model of the action: far along a direction that the data leave
    open trajectories would go astray that the data do not allow.
    """
    splines, steps = dynamics.grid.splines(), theta.shape[1] - 1
    moved = (coefficients + SMALL * ((splines @ draw.T).T - coefficients) for draw in draws)
    others = (_integrated(dynamics, one, theta[:, 0], steps, threads, constants) for one in moved)
    with np.errstate(invalid="ignore"):  # trajectories that run away to infinity
        return np.stack([(other - theta) / SMALL for other in others])


def _integrated(
    dynamics: Dynamics | ReactionDynamics,
    coefficients: np.ndarray,
    initial: np.ndarray,
    steps: int,
    threads: int,
    constants: np.ndarray | None,
) -> np.ndarray:
    """Trajectories, at rates of their own if there are some; only dynamics with reactions have them."""
    rates = () if constants is None else (constants,)
    return dynamics.integrate(coefficients, initial, steps, threads, *rates)


def _responds(family: Family, observables: Sequence[str]) -> bool:
    """Whether moments say how means change with all parameters: no hidden units or spread, statistics observed."""
    seen = {family.names[k] for k in family.matched} <= {*observables}
    fixed = not isinstance(family, MeanComposition)  # covariances of couplings are those at fixed composition
    return seen and fixed and not family.model.layers and not getattr(family, "spread", False)


def changes_of_means(
    family: Family, theta: np.ndarray, change: np.ndarray, moments: Moments, observables: Sequence[str]
) -> np.ndarray:
    """Changes of mean counts with those of parameters, to first order.

    With natural parameters and couplings they are covariances with their statistics, those of couplings at fixed
    composition. With a density all counts of words that hold the species grow in proportion, as at random sites.

    Parameters
    ----------
    theta, change
        Parameters (..., P) and their changes (draw, ..., P).
    moments
        Those at the parameters.
    observables
        What they are of; the statistics of all parameters but densities are among them.

    Returns
    -------
    (draw, ..., observable).
    """
    names, covariance, grown = list(observables), moments.covariance, 0.0
    if isinstance(family, CompositionAndCouplings):
        density, places = theta[..., family.species], family.species
        letters = np.array([[word.count(letter) for letter in family.model.species] for word in names])
        grown = change[..., places] / np.maximum(density, 1 / family.model.lattice.size) @ letters.T * moments.mean
    statistics = [names.index(family.names[k]) for k in family.matched]
    return grown + np.einsum("...ok,d...k->d...o", covariance[..., statistics], change[..., family.matched])
