"""Exact means and covariances of the numbers of molecules where molecules react alone: controls of the simulation.

In a network without reactions of two every propensity is linear in the numbers n of molecules, k n_a for a reaction of
a and k (sites - sum of n) for creation on empty sites. With the changes V (species, reaction), the propensities a(n)
and J = V da/dn the hierarchy of moments is then closed at any order,

    d<n>/dt = V a(<n>),        dC/dt = J C + C J^T + V diag(a(<n>)) V^T,

and molecules may move as they like. Where births find no room the simulation differs; it has to be a roomy lattice.
"""

from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from dbd.kinetics.reactions import ReactionNetwork

LIMITS = {"mean_score": 3.0, "variance_score": 5.0}
"""Of the discrete stochastic models test suite, for 10,000 runs: at most one of 50 points may be outside."""

_ACCURACY = 1e-10


class Numbers(NamedTuple):
    """Exact moments of the numbers of molecules."""

    mean: np.ndarray  # float64 (time, species)
    covariance: np.ndarray  # float64 (time, species, species)


def exact_numbers(network: ReactionNetwork, sites: int, initial: np.ndarray, times: np.ndarray) -> Numbers:
    """Means and covariances at `times` (ascending, from 0) of a run that starts with given numbers, (species,).

    Raises
    ------
    ValueError
        If molecules react in twos: nothing is known exactly then.
    """
    for reaction in network.reactions:
        if reaction.bimolecular:
            raise ValueError(
                f"reaction {reaction.equation!r} of two: exact means are known where molecules react alone"
            )
    species, change = len(network.species), network.stoichiometry.astype(float)
    slope, constant = np.zeros((len(network.reactions), species)), np.zeros(len(network.reactions))
    for row, reaction in enumerate(network.reactions):
        if reaction.reactants:
            slope[row, reaction.reactants[0] - 1] = reaction.constant
        else:
            slope[row], constant[row] = -reaction.constant, reaction.constant * sites
    jacobian = change @ slope

    def derivative(_, state: np.ndarray) -> np.ndarray:
        mean, covariance = state[:species], state[species:].reshape(species, species)
        propensity = slope @ mean + constant
        drift = jacobian @ covariance
        return np.append(change @ propensity, drift + drift.T + (change * propensity) @ change.T)

    start = np.append(np.asarray(initial, float), np.zeros(species**2))
    path = solve_ivp(
        derivative, (times[0], times[-1]), start, t_eval=times, method="DOP853", rtol=_ACCURACY, atol=_ACCURACY
    ).y.T
    return Numbers(path[:, :species], path[:, species:].reshape(-1, species, species))


def standard_scores(
    mean: np.ndarray, variance: np.ndarray, runs: int, exact_mean: np.ndarray, exact_variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of a sample's mean and variance, as the discrete stochastic models test suite defines them.

    ``sqrt(runs) (mean - exact) / standard deviation`` and ``sqrt(runs / 2) (variance / exact - 1)``: about standard
    normal if the simulation is right (the latter where the numbers are nearly normal). Zero where nothing varies.
    """
    known = exact_variance > 0
    spread = np.where(known, exact_variance, 1.0)
    of_mean = np.sqrt(runs / spread) * (mean - exact_mean)
    of_variance = np.sqrt(runs / 2) * (variance / spread - 1.0)
    return np.where(known, of_mean, 0.0), np.where(known, of_variance, 0.0)
