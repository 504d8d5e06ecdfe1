"""Values and slopes of functions on finite elements at all steps of runs whose numbers and correlations are known.

Kernels; tables, table and domain are the `arguments` of `dbd.learning.reduced_runs.ReducedRuns`.
"""

import numpy as np
from numba import njit

from dbd.learning.reduced_runs import fill_point
from dbd.numerics.hermite import basis_at


@njit(cache=True, nogil=True)
def values_along(tables, table, domain, span, numbers, correlations, found):
    """Fill the values of functions with coefficients (size, M) along runs (runs, times, M)."""
    point, state = np.empty(len(domain)), np.empty(numbers.shape[2] + correlations.shape[2])
    weight, slope = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    for run in range(found.shape[0]):
        for n in range(found.shape[1]):
            fill_point(tables, table, domain, numbers[run, n], correlations[run, n], state, point)
            first = basis_at(table, point, weight, slope)
            found[run, n] = 0.0
            for local in range(len(weight)):
                row = first + table.offset[local]
                for j in range(span.shape[1]):
                    found[run, n, j] += weight[local] * span[row, j]


@njit(cache=True, nogil=True)
def slopes_along(tables, table, domain, u, axis, numbers, correlations, found):
    """Fill the derivative of a function with coefficients (size,) along an axis, zero at and beyond its ends."""
    point, state = np.empty(len(domain)), np.empty(numbers.shape[2] + correlations.shape[2])
    weight, slope = np.empty(len(table.offset)), np.empty((len(domain), len(table.offset)))
    for run in range(found.shape[0]):
        for n in range(found.shape[1]):
            fill_point(tables, table, domain, numbers[run, n], correlations[run, n], state, point)
            first = basis_at(table, point, weight, slope)
            if point[axis] == state[domain[axis]]:
                for local in range(len(weight)):
                    found[run, n] += slope[axis, local] * u[first + table.offset[local]]
