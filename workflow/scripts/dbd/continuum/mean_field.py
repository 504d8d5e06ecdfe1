"""Mean-field theory of the density equation: particles of one species that know nothing of each other.

A reaction A -> m A at rate k adds (1 - m) k to F0, and A + A -> m A at rate lambda within a adds (2 - m) lambda a
exp(-nu) on an interval; diffusion is F1 = -D, F2 = D. Without reactions of pairs this is exact.
"""

import numpy as np
from scipy.optimize import minimize_scalar

from dbd.continuum.brownian import BrownianSystem
from dbd.continuum.density_equation import DensityModel
from dbd.continuum.density_learning import DensityData
from dbd.numerics.hermite import HermiteGrid

FACTORS, TRIALS = (1e-3, 1e2), 26
TOLERANCE = 1e-4
"""Of the logarithm of the factor."""


def rates(system: BrownianSystem) -> tuple[float, float]:
    """Rates k and c of F0 = k + c exp(-nu), for one species on an interval."""
    single = double = 0.0
    for reaction in system.network.reactions:
        lost = len(reaction.reactants) - len(reaction.products)
        if reaction.bimolecular:
            double += lost * reaction.constant * system.radius
        else:
            single += lost * reaction.constant
    return single, double


def functions(system: BrownianSystem, nu: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """F0, F1 and F2 at points nu (n,); float64 (3, n). Reactions of pairs are multiplied by `factor`."""
    single, double = rates(system)
    constant = np.full(len(nu), system.diffusion[0])
    return np.stack([single + factor * double * np.exp(-nu), -constant, constant])


def coefficients(system: BrownianSystem, grid: HermiteGrid, factor: float = 1.0) -> np.ndarray:
    """Coefficients u (3, grid.size) of F0, F1, ln F2: values and slopes at the vertices of the grid."""
    vertex = grid.lower[0] + grid.spacing[0] * np.arange(grid.shape[0])
    value = functions(system, vertex, factor)
    value[2] = np.log(value[2])
    slope = np.zeros_like(value)
    slope[0] = -factor * rates(system)[1] * np.exp(-vertex) * grid.spacing[0]
    return np.stack([value, slope], axis=-1).reshape(3, -1)


def fitted_factor(system: BrownianSystem, model: DensityModel, data: DensityData) -> float:
    """The factor of the reactions of pairs with the least action on the data: the best law that goes like the density.

    It is sought over five orders of magnitude: holes between particles lower it, clusters of offspring raise it.
    """

    def action(logarithm: float) -> float:
        return model.action(coefficients(system, model.grid, np.exp(logarithm)), *data)

    trials = np.log(np.geomspace(*FACTORS, TRIALS))
    best = int(np.argmin([action(trial) for trial in trials]))
    around = trials[max(best - 1, 0)], trials[min(best + 1, TRIALS - 1)]
    return float(np.exp(minimize_scalar(action, bounds=around, method="bounded", options={"xatol": TOLERANCE}).x))
