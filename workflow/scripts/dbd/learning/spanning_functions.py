"""Functions for data along a few paths: there only a few directions of the finite elements matter.

They are those combinations, orthonormal in the energy, of the functions of least energy through values at points of
the paths that have the largest values there. The energy is that of thin plates with a part of the squared coefficients,
so that functions go to zero where there are no data.
"""

import numpy as np
from scipy import linalg, sparse

from dbd.numerics.hermite import HermiteGrid

FUNCTIONS = 100  # most functions of the span
RIDGE = 0.1  # of the squared spline coefficients in the energy


def spanning_functions(grid: HermiteGrid, points: np.ndarray) -> np.ndarray:
    """Coefficients of the elements, (grid.size, functions), of `spanning_splines`."""
    return np.ascontiguousarray(grid.splines() @ spanning_splines(grid, points))


def spanning_splines(grid: HermiteGrid, points: np.ndarray) -> np.ndarray:
    """Orthonormal functions, in the energy, that matter most at `points` (n, d), as splines, (splines, functions).

    The energy is taken in grid units, so that it does not depend on the units of the parameters.
    """
    unit = HermiteGrid((0.0,) * grid.dimension, (1.0,) * grid.dimension, grid.shape)
    splines = grid.splines()
    energy = (unit.spline_roughness() + RIDGE * sparse.eye_array(splines.shape[1])).toarray()
    values = (grid.basis(points) @ splines).toarray()
    kernels = linalg.cho_solve(linalg.cho_factor(energy, overwrite_a=True), values.T)
    size, vectors = np.linalg.eigh(values @ kernels)
    kept = np.flatnonzero(size > 1e-8 * size[-1])[-FUNCTIONS:]
    return kernels @ (vectors[:, kept] / np.sqrt(size[kept]))
