"""Static matching of an ensemble with exact moments: mean densities and couplings of a chain at every time."""

import numpy as np

from dbd.boltzmann.mean_composition import MeanComposition
from dbd.learning.sampled_matching import Ensemble, Matched
from dbd.learning.static_matching import match


def match_exactly(family: MeanComposition, data: Ensemble) -> Matched:
    """Match all initial conditions; errors are those of the data alone.

    Couplings have the prior of `dbd.learning.static_matching`, where the data leave them free.
    """
    words = [*family.model.species, *data.words]
    counts = np.concatenate([data.density * family.model.lattice.size, data.counts], axis=-1)
    natural = match(family.chain, counts.reshape(-1, len(words)), words).reshape(*counts.shape[:-1], -1)
    theta = natural.copy()
    theta[..., family.species] = data.density
    information = family.at_composition(family.chain.cumulants(natural))
    error = np.zeros_like(theta)
    floor = 1e-12 * np.eye(len(family.matched))
    variance = np.diagonal(np.linalg.inv(information + floor), axis1=-2, axis2=-1) / data.runs
    error[..., family.matched] = np.sqrt(np.maximum(variance, 0.0))
    return Matched(theta, information, error)
