"""From the moments of splits to what matching and learning need of them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from dbd.boltzmann.family import Family
from dbd.learning.sampled_matching import Ensemble


def ensemble_of(family: Family, splits: Sequence[xr.Dataset], last_step: int) -> Ensemble:
    """Data of a model at the steps 0 to `last_step`, from the moments of splits with equally many runs."""
    runs = {int(count) for split in splits for count in split.runs}
    if len(runs) > 1:
        raise ValueError(f"runs: got {sorted(runs)}, expected the same number for every initial condition")
    words = family.words(splits[0].observable.values.tolist())
    splits = [split.isel(time=slice(last_step + 1)) for split in splits]
    numbers = [numbers_of(family, split) for split in splits]
    counts = [split["mean"].sel(observable=words).values for split in splits]
    return Ensemble(*map(np.concatenate, zip(*numbers, strict=True)), words, np.concatenate(counts), runs.pop())


def numbers_of(family: Family, split: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Density of every species, (R, times, S), and covariance of their numbers between runs, (R, times, S, S)."""
    species = list(family.model.species)
    covariance = split["covariance"].sel(observable=species, other_observable=species).fillna(0.0)
    return split["mean"].sel(observable=species).values / family.model.lattice.size, covariance.values
