"""Independent sites: the Boltzmann distribution without interactions."""

import numpy as np

from dbd.messages import mismatch


def independent_biases(counts: np.ndarray, sites: int) -> np.ndarray:
    """Biases at which independent sites have the given mean numbers of each species, shape (..., species).

    The maximum-entropy distribution with these means: b_s = ln(p_s / (1 - sum of p)), p_s = <N_s> / sites (the paper's
    "MaxEnt without weights"). Raises ValueError where a species is absent or the lattice full: biases are infinite.
    """
    counts = np.asarray(counts, float)
    empty = sites - counts.sum(axis=-1, keepdims=True)
    if (counts <= 0).any() or (empty <= 0).any():
        raise ValueError(f"mean counts: {mismatch(counts.tolist(), f'positive numbers, less than {sites} in all')}")
    return np.log(counts / empty)
