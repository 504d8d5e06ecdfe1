"""From a model's section ``learning`` (a plain mapping, already checked) to the static problems of path tracking."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.sampling_law import SamplingLaw
from dbd.learning.path_matching import PathMatch, path_matches


def build_matches(
    learning: Mapping[str, Any],
    model: EnergyModel,
    initial: np.ndarray,
    means: np.ndarray,
    observables: Sequence[str],
    threads: int,
) -> list[PathMatch]:
    """Static problems of all initial conditions of a split, as `path_matches` makes them.

    Learning solves those of the training split, the oracle those of any.

    Parameters
    ----------
    learning
        The section, of the recipe ``path_tracking``.
    model
        The reduced model.
    initial
        Parameters at time zero, (initial condition, P).
    means
        Simulated means, (initial condition, time, observable).
    observables
        Their names.
    threads
        Size of the thread pool; results do not depend on it.
    """
    law = SamplingLaw(Sampler(model), observables, **learning["sampling"])
    how = {key: learning[key] for key in ("last_step", "fixed", "differences", "tolerance")}
    return path_matches(law, initial, means, **how, threads=threads)
