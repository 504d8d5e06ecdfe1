"""From the sections of a study and its simulated densities to the density equation and what it is learned from."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from dbd.build.particles import build_box, build_profile
from dbd.continuum.density_equation import DensityModel
from dbd.continuum.density_learning import DensityData, collect
from dbd.continuum.particle_counts import Tally
from dbd.numerics.hermite import HermiteGrid


def build_grid(section: Mapping[str, Any]) -> HermiteGrid:
    """Elements over nu of the section ``density_equation``."""
    return HermiteGrid.covering(*([section[name]] for name in ("lower", "upper", "spacing")))


def build_density_model(settings: Mapping[str, Any]) -> DensityModel:
    """The density equation of the sections ``space``, ``observables``, ``density_equation`` and ``ensemble``."""
    section = settings["density_equation"]
    (cells,) = settings["observables"]["cells"]
    return DensityModel(
        build_box(settings), cells, build_grid(section), settings["ensemble"]["dt"], section["substeps"]
    )


def starting_nu(model: DensityModel, starts: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Minus the logarithm of the density at time 0 at the centres of the cells, one species; (starts, cells)."""
    profiles = [build_profile(pattern) for start in starts for pattern in start.values()]
    return -np.log([profile.values(model.box, model.cells) for profile in profiles])


def cell_tallies(densities: xr.Dataset) -> list[Tally]:
    """Counts in cells of the first species, of every start; squares are not kept."""
    sums = densities.cell_sums.isel(species=0).values
    return [
        Tally(runs, one, np.zeros(one.shape[1:], np.int64))
        for runs, one in zip(densities.runs.values, sums, strict=True)
    ]


def density_data(model: DensityModel, starts: Sequence[Mapping[str, Any]], densities: xr.Dataset) -> DensityData:
    """What the first species' equation is learned from, given the simulated densities of the starts."""
    columns = (densities[name].isel(species=0).values for name in ("number_sums", "number_squares"))
    totals = [Tally(runs, sums, squares) for runs, sums, squares in zip(densities.runs.values, *columns, strict=True)]
    return collect(starting_nu(model, starts), cell_tallies(densities), totals, model.box.volume)
