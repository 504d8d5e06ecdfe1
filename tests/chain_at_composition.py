"""Exact moments of an open chain at fixed composition, by a transfer matrix that counts particles.

The chain grows site by site. For every state of its last sites and every composition so far, the weight is a
coefficient of the generating function sum_N z^N Z_N; it is carried on along with the mean and the covariance of the
statistics among the configurations that have it. Where configurations of several histories meet, means and covariances
are those of a mixture: all terms are positive, so there is no cancellation, and weights are logarithms, so there is no
overflow.

Hidden units are summed out. A unit sees a window of the chain and joins when the last site of the window does: its
statistics have a mean and a covariance given the window, and units are independent of each other given the chain.

Cost: sites x windows x compositions, of which there are (sites + 1)^species. One species on 1000 sites takes less than
a second.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from numba import njit
from scipy.special import logsumexp

from dbd.boltzmann.energy import EnergyModel


class Canonical(NamedTuple):
    """Exact statistics at every composition; the leading axes are the numbers 0 .. sites of every species."""

    log_z: np.ndarray  # (numbers), -inf where there are more molecules than sites
    mean: np.ndarray  # (numbers, parameter): E[phi | N]
    covariance: np.ndarray  # (numbers, parameter, parameter): Cov(phi | N)


class _Window(NamedTuple):
    """What a new site adds, by the states of the last sites and its own; first without, then with a hidden unit."""

    log_weight: np.ndarray  # (2, windows)
    mean: np.ndarray  # (2, windows, parameter)
    covariance: np.ndarray  # (2, windows, parameter, parameter)


def cumulants_at_composition(model: EnergyModel, theta: np.ndarray) -> Canonical:
    """Exact log Z, means and covariances of the statistics of an open chain at all compositions.

    Statistics that are only observed may be among the interactions of the model, with parameter zero.

    Parameters
    ----------
    model
        Words of any length, and at most one hidden layer without connections around the ends.
    theta
        Parameters in the order of `EnergyModel.parameters`.

    Raises
    ------
    ValueError
        When the lattice is not an open chain, or there are several hidden layers or units on bonds.
    """
    if model.lattice.dimension > 1 or model.lattice.boundary != "open":
        raise ValueError(f"lattice {model.lattice.shape}, {model.lattice.boundary}: expected an open chain")
    if len(model.layers) > 1 or any(layer.bonds or layer.wrap for layer in model.layers):
        raise ValueError("hidden layers: expected at most one, with offsets and without connections around the ends")
    sites, species, coupled = model.lattice.size, len(model.species), np.asarray(theta, float)
    length = max([2, *map(len, model.interactions), *(np.ptp(layer.offsets) + 1 for layer in model.layers)])
    last = np.concatenate([table.max(axis=1) for table in model.connections] or [np.empty(0, int)])
    log_z, mean, covariance = _grow(
        sites, species, length, np.isin(np.arange(sites), last).astype(np.int64), _window(model, coupled, length)
    )
    numbers = (sites + 1,) * species
    return Canonical(
        log_z.reshape(numbers),
        mean.reshape(*numbers, -1),
        covariance.reshape(*numbers, len(coupled), -1),
    )


def _window(model: EnergyModel, theta: np.ndarray, length: int) -> _Window:
    """Contributions of a site that ends a window of `length` sites."""
    states = np.array(list(product(range(len(model.species) + 1), repeat=length)))
    parameters = len(theta)
    visible = np.zeros((len(states), parameters))
    for k, word in enumerate(model.interactions):
        code = [1 + model.species.index(letter) for letter in word]
        tail = states[:, length - len(word) :]
        visible[:, k] = (tail == code).all(axis=1) | (tail == code[::-1]).all(axis=1)
    log_weight = np.tile(visible @ theta, (2, 1))
    mean, covariance = np.tile(visible, (2, 1, 1)), np.zeros((2, len(states), parameters, parameters))
    for layer in model.layers:
        seen = states[:, length - 1 + np.ravel(layer.offsets) - np.max(layer.offsets)]
        features = np.zeros((len(states), len(layer.species) + 1, parameters))  # of the unit's states, the first empty
        for x, letter in enumerate(layer.species, start=1):
            features[:, x, model.parameters.index(letter)] = 1
            for weight in layer.weights:
                if weight[1] == letter:
                    count = (seen == 1 + model.species.index(weight[0])).sum(axis=1)
                    features[:, x, model.parameters.index(weight)] = count
        exponents = features @ theta
        log_unit = logsumexp(exponents, axis=1)
        chances = np.exp(exponents - log_unit[:, None])
        unit = np.einsum("wx,wxk->wk", chances, features)
        log_weight[1] += log_unit
        mean[1] += unit
        covariance[1] = np.einsum("wx,wxk,wxl->wkl", chances, features, features) - unit[:, :, None] * unit[:, None]
    return _Window(log_weight, mean, covariance)


@njit(cache=True, nogil=True)
def _grow(sites, species, length, units, window):
    """Log Z (compositions), means and covariances of the whole chain; `units` (sites) says where a hidden unit joins.

    Compositions are numbers in base `sites` + 1, the last species in the lowest digit.
    """
    states, parameters = species + 1, window.mean.shape[2]
    codes, compositions = states ** (length - 1), (sites + 1) ** species
    stride = np.zeros(states, np.int64)
    for x in range(1, states):
        stride[x] = (sites + 1) ** (species - x)
    log_weight = np.full((codes, compositions), -np.inf)
    mean = np.zeros((codes, compositions, parameters))
    covariance = np.zeros((codes, compositions, parameters, parameters))
    log_weight[0, 0] = 0.0  # before the chain there are empty sites
    next_weight, next_mean, next_covariance = log_weight.copy(), mean.copy(), covariance.copy()
    grown_mean, grown_covariance = np.empty(parameters), np.empty((parameters, parameters))
    for site in range(sites):
        unit = units[site]
        next_weight[:] = -np.inf
        for code in range(codes):
            x = code % states  # the new site
            for now in range(compositions):
                if x > 0 and now // stride[x] % (sites + 1) == 0:
                    continue
                before = now - stride[x]
                largest = -np.inf
                for oldest in range(states):
                    source = (oldest * codes + code) // states
                    largest = max(largest, log_weight[source, before] + window.log_weight[unit, oldest * codes + code])
                if largest == -np.inf:
                    continue
                total = 0.0
                for oldest in range(states):
                    full = oldest * codes + code
                    source = full // states
                    weight = np.exp(log_weight[source, before] + window.log_weight[unit, full] - largest)
                    for k in range(parameters):
                        grown_mean[k] = mean[source, before, k] + window.mean[unit, full, k]
                        for l in range(parameters):
                            grown_covariance[k, l] = (
                                covariance[source, before, k, l] + window.covariance[unit, full, k, l]
                            )
                    total = _mix(
                        total, next_mean[code, now], next_covariance[code, now], weight, grown_mean, grown_covariance
                    )
                next_weight[code, now] = largest + np.log(total)
        log_weight, next_weight = next_weight, log_weight
        mean, next_mean = next_mean, mean
        covariance, next_covariance = next_covariance, covariance
    log_z = np.full(compositions, -np.inf)
    for now in range(compositions):
        largest = log_weight[:, now].max()
        if largest > -np.inf:
            total = 0.0
            for code in range(codes):
                weight = np.exp(log_weight[code, now] - largest)
                total = _mix(
                    total, next_mean[0, now], next_covariance[0, now], weight, mean[code, now], covariance[code, now]
                )
            log_z[now] = largest + np.log(total)
    return log_z, next_mean[0], next_covariance[0]


@njit(cache=True, nogil=True)
def _mix(total, mean, covariance, weight, other_mean, other_covariance):
    """Add a component to a mixture of weight `total`, whose moments change in place, and return the new weight."""
    if weight == 0.0:
        return total
    share = weight / (total + weight)
    for k in range(mean.shape[0]):
        for l in range(mean.shape[0]):
            between = (1.0 - share) * (other_mean[k] - mean[k]) * (other_mean[l] - mean[l])
            covariance[k, l] += share * (other_covariance[k, l] - covariance[k, l] + between)
    for k in range(mean.shape[0]):
        mean[k] += share * (other_mean[k] - mean[k])
    return total + weight
