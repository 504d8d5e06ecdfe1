"""A Boltzmann model of one species on an open chain, for which everything can be computed exactly."""

from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.transfer_matrix import RANGE, STATISTICS, cumulants, draw_occupancy


class Cumulants(NamedTuple):
    """Exact statistics at given parameters; the leading axes are those of the parameters."""

    log_z: np.ndarray  # (...)
    mean: np.ndarray  # (..., observable), totals over the chain
    jacobian: np.ndarray  # (..., observable, parameter): d mean / d theta, the covariance of observable and statistic
    covariance: np.ndarray  # (..., observable, observable), that of any two observables


@dataclass(frozen=True)
class Chain:
    """Boltzmann model of one species on an open chain, for which everything can be computed exactly.

    Parameters
    ----------
    size
        Number of sites; with a hidden layer there are ``size - 1`` hidden units.
    parameters
        Statistics of the model in the order of its parameters, e.g. ``("A", "AA", "AAA")`` or ``("A", "AX", "X")``:
        rows of one to four particles and, for a hidden species X whose units see sites i and i + 1, both AX and X.
        The parameter of a hidden bias or weight may not exceed about 700 in size, nor may a sum of the others.
    """

    size: int
    parameters: tuple[str, ...]

    def __post_init__(self):
        given = set(self.parameters)
        hidden = given - set(self.observables[:RANGE])
        if self.size < 1 or not given or len(given) < len(self.parameters) or hidden != set(self.observables[RANGE:]):
            raise ValueError(
                f"chain of {self.size} sites with statistics {self.parameters}: expected rows of one to {RANGE} "
                "particles of one species, each once, and the weight AX together with the bias X of a hidden species"
            )

    @cached_property
    def observables(self) -> tuple[str, ...]:
        """Names of all statistics the exact solution has: A, AA, AAA, AAAA and those of the hidden layer, if any."""
        particle = "".join(self.parameters)[:1]
        rows = tuple(particle * length for length in range(1, RANGE + 1))
        weights = tuple(name for name in self.parameters if len(set(name)) == 2)
        return rows + weights + tuple(name[1] for name in weights)

    @cached_property
    def own(self) -> np.ndarray:
        """Position of the model's own statistics among the observables; int64, shape (parameter,).

        The rows `own` of the Jacobian are the Fisher matrix.
        """
        return np.array([self.observables.index(name) for name in self.parameters])

    def full(self, theta: np.ndarray) -> np.ndarray:
        """Parameters (point, parameter) as the kernels take them: (point, 6), absent ones filled in."""
        full = np.zeros((len(theta), STATISTICS))
        full[:, -1] = -inf  # no hidden layer
        full[:, self.own] = theta
        return full

    def cumulants(self, theta: np.ndarray) -> Cumulants:
        """Log Z, means and their Jacobian at parameters `theta` (..., parameter)."""
        theta = np.asarray(theta, float)
        shape = theta.shape[:-1]
        points = self.full(theta.reshape(-1, len(self.parameters)))
        log_z = np.empty(len(points))
        mean = np.empty((len(points), STATISTICS))
        covariance = np.empty((len(points), STATISTICS, STATISTICS))
        cumulants(self.size, points, log_z, mean, covariance)
        count = len(self.observables)
        covariance = covariance[:, :count, :count].reshape(*shape, count, count)
        mean = mean[:, :count].reshape(*shape, count)
        return Cumulants(log_z.reshape(shape), mean, covariance[..., self.own], covariance)

    def sample(self, theta: np.ndarray, samples: int, generator: np.random.Generator) -> np.ndarray:
        """Independent visible lattices at `theta` (parameter,); uint8, shape (samples, size)."""
        occupancy = np.empty((samples, self.size), np.uint8)
        draw_occupancy(self.full(np.asarray(theta, float)[None])[0], generator, occupancy)
        return occupancy


def build_chain(model: EnergyModel) -> Chain:
    """Exactly solvable form of a model; raises ValueError if it has none.

    There is one for a single species on an open chain, with at most one hidden layer between neighbouring sites.
    """
    layers = [(len(layer.species), set(layer.offsets), layer.wrap) for layer in model.layers]
    chain = model.lattice.dimension == 1 and model.lattice.boundary == "open" and len(model.species) == 1
    if not chain or layers not in ([], [(1, {(0,), (1,)}, False)]):
        raise ValueError(
            "has no exact moments, which an oracle, exact initial parameters, the recipe gauss_newton and predictions "
            "without 'sampling' need; expected a model of one species on an open chain, "
            "and with at most one hidden layer of one species and offsets [[0], [1]]"
        )
    return Chain(model.lattice.size, model.parameters)
