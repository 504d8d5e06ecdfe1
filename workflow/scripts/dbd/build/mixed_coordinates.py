"""From the moments of a split to what learning in mixed coordinates needs of them."""

import xarray as xr

from dbd.boltzmann.energy import EnergyModel
from dbd.learning.composition_matching import couplings_of
from dbd.learning.recipes.mixed_coordinates import Ensemble


def ensemble_of(model: EnergyModel, moments: xr.Dataset, last_step: int, spread: bool) -> Ensemble:
    """Data of a model at the steps 0 to `last_step`; the moments hold all its statistics."""
    some = moments.isel(time=slice(last_step + 1))
    species = list(model.species)
    return Ensemble(
        some["mean"].sel(observable=species).values / model.lattice.size,
        some["covariance"].sel(observable=species, other=species).fillna(0.0).values,
        some["mean"].sel(observable=[model.parameters[k] for k in couplings_of(model)]).values,
        int(moments.runs[0]),
        spread,
    )
