"""Exact statistics of an open binary chain: log Z, means, covariances and independent samples.

The energy counts particles, pairs, triplets and quartets in a row, so a configuration is a sequence of runs of
particles, and all a site has to remember is the length of the run that ends on it, saturating at three. A transfer
matrix of four states therefore serves every range up to four::

    state r -> 0               next site empty       weight 1
    state r -> min(r + 1, 3)   next site occupied    weight exp(theta_A + theta_AA + ...), r + 1 terms

Means and covariances are the first and second derivatives of log Z. The matrix is raised to the power of the chain's
length by repeated squaring in truncated Taylor arithmetic (jets): each entry carries its value, its four first and its
ten second derivatives. Each square is divided by the jet of the sum of its entries. This prevents overflow and keeps
the derivatives centred, so that no covariance is the small difference of two large numbers.

Hidden binary units attached to sites i and i + 1 are summed out first. A unit of bias b and weight W multiplies the
weight of a configuration by g_n = 1 + exp(b + W n), n = s_i + s_(i+1), so the visible marginal is again such a chain::

    h -> h + 2 ln(g_1 / g_0),   J -> J + ln(g_0 g_2 / g_1^2),   and a field ln(g_0 / g_1) on each of the two end sites

No hidden layer is the limit b = -infinity.
"""

from math import exp, log, log1p

import numpy as np
from numba import njit

RANGE = 4  # longest interaction, in sites
STATISTICS = RANGE + 2  # A, AA, AAA, AAAA and, of the hidden layer, AX and X
_JET = 15  # a value, four first and ten second derivatives

_SETTLED = 1e-14  # convergence is quadratic: a square this near to its root is exact to rounding

# Component of a jet that holds d^2 / dtheta_i dtheta_j, where i = 0 means "not differentiated".
_SLOT = np.zeros((RANGE + 1, RANGE + 1), np.int64)
_SLOT[np.triu_indices(RANGE + 1)] = np.arange(_JET)
_SLOT = np.maximum(_SLOT, _SLOT.T)


@njit(cache=True, nogil=True)
def _multiply(a, b, out):
    """Write the product of the jets `a` (rows, 15, 4) and `b` (4, 15, 4) to `out`, by the product rule."""
    for row in range(a.shape[0]):
        # Terms are grouped by the factor of `a`, so that the four products of a term stay in registers.
        a0, a1, a2, a3 = a[row, 0]
        for slot in range(_JET):
            for k in range(4):
                out[row, slot, k] = a0 * b[0, slot, k] + a1 * b[1, slot, k] + a2 * b[2, slot, k] + a3 * b[3, slot, k]
        for slot in range(1, _JET):
            a0, a1, a2, a3 = a[row, slot]
            for k in range(4):
                out[row, slot, k] += a0 * b[0, 0, k] + a1 * b[1, 0, k] + a2 * b[2, 0, k] + a3 * b[3, 0, k]
        for i in range(1, RANGE + 1):
            a0, a1, a2, a3 = a[row, i]
            for j in range(1, RANGE + 1):
                slot = _SLOT[i, j]
                orders = 2.0 if i == j else 1.0
                for k in range(4):
                    out[row, slot, k] += orders * (
                        a0 * b[0, j, k] + a1 * b[1, j, k] + a2 * b[2, j, k] + a3 * b[3, j, k]
                    )


@njit(cache=True, nogil=True)
def _normalise(a, log_scale):
    """Divide the jet `a` (rows, 15, 4) by the jet of the sum of its entries and add the logarithm of that jet."""
    total = np.zeros(_JET)
    for row in range(a.shape[0]):
        for slot in range(_JET):
            for k in range(4):
                total[slot] += a[row, slot, k]
    log_scale[0] += log(total[0])
    inverse = 1.0 / total[0]
    total *= inverse
    for row in range(a.shape[0]):
        jet = a[row]
        jet *= inverse
        for j in range(1, RANGE + 1):
            for k in range(4):
                jet[j, k] -= total[j] * jet[0, k]
        for j in range(1, RANGE + 1):
            for i in range(1, j + 1):
                slot = _SLOT[i, j]
                for k in range(4):
                    jet[slot, k] -= total[i] * jet[j, k] + total[j] * jet[i, k] + total[slot] * jet[0, k]
    for j in range(1, RANGE + 1):
        log_scale[j] += total[j]
        for i in range(1, j + 1):
            log_scale[_SLOT[i, j]] += total[_SLOT[i, j]] - total[i] * total[j]


@njit(cache=True, nogil=True)
def _distance(a, b):
    """Largest difference of two jets (4, 15, 4)."""
    distance = 0.0
    for row in range(4):
        for slot in range(_JET):
            for k in range(4):
                distance = max(distance, abs(a[row, slot, k] - b[row, slot, k]))
    return distance


@njit(cache=True, nogil=True)
def _step_weights(fields):
    """Weight of an occupied site after a run of r particles, r = 0..3; `fields` of A, AA, AAA, AAAA and the ends."""
    weights = np.empty(4)
    exponent = 0.0
    for run in range(4):
        exponent += fields[run]
        weights[run] = exp(exponent)
    return weights


@njit(cache=True, nogil=True)
def _ends(size, fields, log_scale, ends):
    """Jets of Z for a given occupancy of the first and last site, `ends` (15, 2, 2) times exp(`log_scale` (15))."""
    weights = _step_weights(fields)
    power = np.zeros((4, _JET, 4))  # the transfer matrix to the power 2^k, divided by exp(power_scale)
    square = np.zeros((4, _JET, 4))
    power_scale = np.zeros(_JET)
    growth = np.empty(_JET)
    left = np.zeros((2, _JET, 4))  # row 0: chain that starts empty, row 1: chain that starts occupied
    product = np.empty((2, _JET, 4))
    power[:, 0, 0] = 1.0
    for run in range(4):
        for j in range(run + 2):  # the weight is the exponential of its first run + 1 fields: so are its derivatives
            for i in range(j + 1):
                power[run, _SLOT[i, j], min(run + 1, 3)] = weights[run]
    left[0, 0, 0] = 1.0
    left[1, :, 1] = power[0, :, 1]
    log_scale[:] = 0.0
    steps = size - 1  # times 2^k: what is left to do
    while steps > 0:
        growth[:] = 0.0
        _normalise(power, growth)
        power_scale += growth
        # Once a square equals its root the matrix is a projection, and every further square adds the same growth.
        settled = _distance(power, square) < _SETTLED
        if settled:
            log_scale += steps * power_scale + (steps - 1) * growth
        elif steps & 1:
            log_scale += power_scale
        if settled or steps & 1:
            _multiply(left, power, product)
            left, product = product, left
            _normalise(left, log_scale)
        if settled:
            break
        _multiply(power, power, square)
        power, square = square, power
        power_scale *= 2.0
        steps >>= 1
    for first in range(2):
        ends[:, first, 0] = left[first, :, 0]
        ends[:, first, 1] = left[first, :, 1] + left[first, :, 2] + left[first, :, 3]


@njit(cache=True, nogil=True)
def _visible_cumulants(size, fields, mean, covariance):
    """Log Z, `mean` (5) and `covariance` (5, 5) of A, AA, AAA, AAAA and the number of occupied end sites."""
    log_z = np.empty(_JET)
    ends = np.empty((_JET, 2, 2))
    _ends(size, fields, log_z, ends)
    z = np.zeros((RANGE + 2, RANGE + 2))  # second-order jet of the rest of Z, with the end field as the fifth source
    for first in range(2):
        for last in range(2):
            occupied = first + last
            weight = exp(fields[RANGE] * occupied)
            for j in range(RANGE + 1):
                for i in range(j + 1):
                    z[i, j] += weight * ends[_SLOT[i, j], first, last]
                z[j, RANGE + 1] += weight * ends[j, first, last] * occupied
            z[RANGE + 1, RANGE + 1] += weight * ends[0, first, last] * occupied**2
    value = z[0, 0]
    z /= value
    for j in range(RANGE + 1):
        mean[j] = z[0, j + 1]
        for i in range(j + 1):
            covariance[i, j] = z[i + 1, j + 1] - z[0, i + 1] * z[0, j + 1]
    for j in range(RANGE):
        mean[j] += log_z[j + 1]
        for i in range(j + 1):
            covariance[i, j] += log_z[_SLOT[i + 1, j + 1]]
    for j in range(RANGE + 1):
        for i in range(j):
            covariance[j, i] = covariance[i, j]
    return log_z[0] + log(value)


@njit(cache=True, nogil=True)
def _softplus(x):
    """Return ln(1 + exp(x)) without overflow."""
    return max(x, 0.0) + log1p(exp(-abs(x)))


@njit(cache=True, nogil=True)
def _bond_sum(values, out):
    """Coefficients on A, AA and the occupied ends of a sum over bonds of `values`[s_i + s_(i+1)], into `out` (5).

    The constant that is left is (bonds) * values[0].
    """
    out[:] = 0.0
    out[0] = 2.0 * (values[1] - values[0])
    out[1] = values[2] - 2.0 * values[1] + values[0]
    out[RANGE] = values[0] - values[1]


@njit(cache=True, nogil=True)
def effective_fields(theta, fields):
    """Fields of the visible marginal of `theta` (6), into `fields` (5): A, AA, AAA, AAAA, end sites.

    Returns the constant per hidden unit, ln g_0.
    """
    log_g = np.empty(3)
    for n in range(3):
        log_g[n] = _softplus(theta[RANGE + 1] + theta[RANGE] * n)
    _bond_sum(log_g, fields)
    fields[:RANGE] += theta[:RANGE]
    return log_g[0]


@njit(cache=True, nogil=True)
def cumulants(size, theta, log_z, mean, covariance):
    """Log Z (n), `mean` (n, 6) and `covariance` (n, 6, 6) of A, AA, AAA, AAAA, AX, X at each `theta` (n, 6)."""
    fields = np.empty(RANGE + 1)
    visible_mean = np.empty(RANGE + 1)
    visible_covariance = np.empty((RANGE + 1, RANGE + 1))
    active = np.empty(3)  # probability that a hidden unit above n particles is occupied
    rows = np.zeros((STATISTICS, RANGE + 1))  # the six statistics given the visible ones, on A .. AAAA and the ends
    for k in range(RANGE):
        rows[k, k] = 1.0
    half = np.empty((STATISTICS, RANGE + 1))
    for point in range(theta.shape[0]):
        bias, weight = theta[point, RANGE + 1], theta[point, RANGE]
        constant = effective_fields(theta[point], fields)
        log_z[point] = (size - 1) * constant + _visible_cumulants(size, fields, visible_mean, visible_covariance)
        for n in range(3):
            active[n] = 1.0 / (1.0 + exp(-(bias + weight * n)))
        _bond_sum(active * np.arange(3), rows[RANGE])
        _bond_sum(active, rows[RANGE + 1])
        for row in range(STATISTICS):
            mean[point, row] = (size - 1) * active[0] if row == RANGE + 1 else 0.0
            for k in range(RANGE + 1):
                mean[point, row] += rows[row, k] * visible_mean[k]
                half[row, k] = 0.0
                for m in range(RANGE + 1):
                    half[row, k] += rows[row, m] * visible_covariance[m, k]
        for row in range(STATISTICS):
            for column in range(STATISTICS):
                covariance[point, row, column] = 0.0
                for k in range(RANGE + 1):
                    covariance[point, row, column] += half[row, k] * rows[column, k]
        # Spread of the hidden units at a given visible configuration: bonds holding n particles, times p (1 - p).
        pairs, singles = visible_mean[1], 2.0 * (visible_mean[0] - visible_mean[1]) - visible_mean[RANGE]
        spread = active * (1.0 - active) * np.array([size - 1 - singles - pairs, singles, pairs])
        covariance[point, RANGE, RANGE] += spread[1] + 4.0 * spread[2]
        covariance[point, RANGE, RANGE + 1] += spread[1] + 2.0 * spread[2]
        covariance[point, RANGE + 1, RANGE] += spread[1] + 2.0 * spread[2]
        covariance[point, RANGE + 1, RANGE + 1] += spread[0] + spread[1] + spread[2]


@njit(cache=True, nogil=True)
def draw_occupancy(theta, generator, occupancy):
    """Fill `occupancy` (samples, size; uint8) with independent chains at `theta` (6): backward filter, forward draw."""
    samples, size = occupancy.shape
    fields = np.empty(RANGE + 1)
    effective_fields(theta, fields)
    weights = _step_weights(fields)
    end = exp(fields[RANGE])
    occupied = np.empty((size, 4))  # probability that a site is occupied after a run of r particles
    rest = np.array([1.0, end, end, end])  # weight of everything to the right of a site in state r
    for site in range(size - 1, -1, -1):
        step = weights * (end if site == 0 else 1.0)
        both = np.empty(4)
        for run in range(4):
            filled = step[run] * rest[min(run + 1, 3)]
            both[run] = rest[0] + filled
            occupied[site, run] = filled / both[run]
        rest = both / both.sum()
    for sample in range(samples):
        run = 0
        for site in range(size):
            run = min(run + 1, 3) if generator.random() < occupied[site, run] else 0
            occupancy[sample, site] = run > 0
