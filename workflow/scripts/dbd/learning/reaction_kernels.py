"""Kernels of the differential equations of `dbd.learning.reaction_dynamics`.

Trajectories are those of the classical Runge-Kutta scheme of order four, in smaller steps where a lattice nearly fills
or empties within one; sensitivities are their exact derivatives. Coefficients of the functions come with all functions
of a node side by side, (size, Q).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.numerics.hermite import basis_at

STEADY = 1.5  # largest product of a Runge-Kutta step and the rate at which a parameter relaxes; stable up to 2.8
MOST_STEPS = 64  # Runge-Kutta steps in a time step, whatever happens in it
ROUNDING = 1e-9  # of densities


class Rates(NamedTuple):
    """Functions g_r and F_k and what they do, as arrays; Q functions, P parameters, S species."""

    change: np.ndarray  # float64 (P, Q): change of the parameters by each
    constant: np.ndarray  # float64 (Q,): k_r; 1 for couplings
    power: np.ndarray  # int64 (Q, S + 1): exponents of the densities of empty sites and of every species
    room: np.ndarray  # int64 (Q,): neighbours of all molecules tried, of which one has to be empty; 0 for no such need
    flux: np.ndarray  # bool (Q,): whether it is a reaction
    relaxation: np.ndarray  # float64 (P,): rate at which a parameter relaxes to zero
    species: np.ndarray  # int64 (S,): places of the densities among the parameters


@njit(cache=True, nogil=True)
def _slope(rates, table, domain, coefficients, state, weight, gradient, slope, jacobian, response):
    """Fill d state / dt (P,), its derivative (P, P), and that with respect to the functions (P, Q).

    Also the basis `weight` (4^d,) at the state and its `gradient` (d, 4^d); return the first coefficient of its cell.
    """
    parameters, functions = rates.change.shape
    kinds = rates.power.shape[1]
    point = np.empty(len(domain))
    for m in range(len(domain)):
        point[m] = state[domain[m]]
    first = basis_at(table, point, weight, gradient)
    density = np.empty(kinds)  # of empty sites and of every species
    density[0] = 1.0
    for a in range(1, kinds):
        density[a] = max(state[rates.species[a - 1]], 0.0)
        density[0] -= density[a]
    density[0] = max(density[0], 0.0)
    for k in range(parameters):
        slope[k] = -rates.relaxation[k] * state[k]
        for j in range(parameters):
            jacobian[k, j] = 0.0
        jacobian[k, k] = -rates.relaxation[k]
    values, value_gradient = np.zeros(functions), np.zeros((len(domain), functions))
    for local in range(len(weight)):  # all functions at once, side by side in memory
        u = coefficients[first + table.offset[local]]
        for f in range(functions):
            values[f] += u[f] * weight[local]
        for m in range(len(domain)):
            slope_of_basis = gradient[m, local]
            for f in range(functions):
                value_gradient[m, f] += u[f] * slope_of_basis
    by_density = np.zeros(kinds)
    for f in range(functions):
        speed, by_value = values[f], 1.0
        if rates.flux[f]:
            meeting = rates.constant[f]
            for a in range(kinds):
                meeting *= density[a] ** rates.power[f, a]
                by_density[a] = 0.0
                if rates.power[f, a] > 0:
                    by_density[a] = rates.constant[f] * rates.power[f, a] * density[a] ** (rates.power[f, a] - 1)
                    for b in range(kinds):
                        if b != a:
                            by_density[a] *= density[b] ** rates.power[f, b]
            if rates.room[f] > 0:
                full = (1.0 - density[0]) ** (rates.room[f] - 1)
                for a in range(kinds):
                    by_density[a] *= 1.0 - full * (1.0 - density[0])
                by_density[0] += meeting * rates.room[f] * full
                meeting *= 1.0 - full * (1.0 - density[0])
            factor = np.exp(values[f])
            speed = by_value = meeting * factor
        for k in range(parameters):
            change = rates.change[k, f]
            response[k, f] = change * by_value
            if change != 0.0:
                slope[k] += change * speed
                for m in range(len(domain)):
                    jacobian[k, domain[m]] += change * by_value * value_gradient[m, f]
                if rates.flux[f]:
                    for a in range(1, kinds):
                        jacobian[k, rates.species[a - 1]] += change * factor * (by_density[a] - by_density[0])
    return first


@njit(cache=True, nogil=True)
def _sound(rates, state, jacobian, h):
    """Whether no site is short or in surplus at a stage, and no parameter relaxes too fast for Runge-Kutta steps h."""
    empty = 1.0
    for a in rates.species:
        empty -= state[a]
        if state[a] < -ROUNDING:
            return False
    for k in range(len(state)):
        if -jacobian[k, k] * h > STEADY:
            return False
    return empty > -ROUNDING


@njit(cache=True, nogil=True)
def _advance(rates, table, domain, dt, substeps, coefficients, before, after, weight, gradient, jacobian, response):
    """Fill the state `after` a time step (P,); return the number of Runge-Kutta steps that it took.

    These are `substeps`, doubled until every stage is sound.
    """
    ahead, share = np.array([0.0, 0.5, 0.5, 1.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    slope = np.zeros(len(before))
    steps = substeps
    while True:
        h, sound, last = dt / steps, True, 2 * steps > MOST_STEPS
        after[:] = before
        for _ in range(steps):
            start = after.copy()
            for i in range(4):
                stage = start + h * ahead[i] * slope if i > 0 else start
                _slope(rates, table, domain, coefficients, stage, weight, gradient, slope, jacobian, response)
                sound = sound and _sound(rates, stage, jacobian, h)
                after += h * share[i] * slope
            if not (sound or last):
                break
        if sound or last:
            return steps
        steps *= 2


@njit(cache=True, nogil=True)
def integrate(rates, table, domain, dt, substeps, coefficients, states):
    """Fill states[:, 1:] of trajectories (R, times, P); coefficients (size, Q)."""
    parameters, functions = rates.change.shape
    weight, gradient = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    jacobian, response = np.empty((parameters, parameters)), np.empty((parameters, functions))
    work = weight, gradient, jacobian, response
    for r in range(len(states)):
        for n in range(1, states.shape[1]):
            _advance(rates, table, domain, dt, substeps, coefficients, states[r, n - 1], states[r, n], *work)


@njit(cache=True, nogil=True)
def sensitivity(rates, table, domain, dt, substeps, coefficients, trajectory, span, times, derivative):
    """Fill the derivatives (times, P, Q * M) of a trajectory with respect to coefficients in a span (size, M)."""
    parameters, functions = rates.change.shape
    width = span.shape[1]
    weight, gradient = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    slope, jacobian = np.zeros(parameters), np.empty((4, parameters, parameters))
    response, basis, after = np.empty((4, parameters, functions)), np.empty((4, width)), np.empty(parameters)
    ahead, share = np.array([0.0, 0.5, 0.5, 1.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6.0
    total = np.zeros((parameters, functions * width))
    onward = np.zeros((4, parameters, parameters))  # derivative of the end of a step by the slope of a stage
    found = 0
    for n in range(len(trajectory)):
        if n > 0:
            state = trajectory[n - 1].copy()
            work = weight, gradient, jacobian[0], response[0]
            steps = _advance(rates, table, domain, dt, substeps, coefficients, state, after, *work)
            h = dt / steps
            for _ in range(steps):
                start = state.copy()
                for i in range(4):
                    stage = start + h * ahead[i] * slope if i > 0 else start
                    first = _slope(
                        rates, table, domain, coefficients, stage, weight, gradient, slope, jacobian[i], response[i]
                    )
                    state += h * share[i] * slope
                    basis[i] = 0.0
                    for local in range(len(weight)):
                        for j in range(width):
                            basis[i, j] += weight[local] * span[first + table.offset[local], j]
                whole = np.eye(parameters)
                for i in range(3, -1, -1):
                    onward[i] = h * share[i] * np.eye(parameters)
                    if i < 3:
                        onward[i] += h * ahead[i + 1] * (onward[i + 1] @ jacobian[i + 1])
                    whole += onward[i] @ jacobian[i]
                total = whole @ total
                for i in range(4):
                    effect = onward[i] @ response[i]
                    for k in range(parameters):
                        for f in range(functions):
                            if effect[k, f] != 0.0:
                                for j in range(width):
                                    total[k, f * width + j] += effect[k, f] * basis[i, j]
        if found < len(times) and times[found] == n:
            derivative[found] = total
            found += 1
