"""Solve a model's density equation from the starts of a split."""

import numpy as np
import xarray as xr

from dbd.build.density import build_density_model, starting_nu
from dbd.files.netcdf import provenance, read, time_axis, variable, write
from dbd.job import job


def predict_densities(settings, u):
    """Return the dataset of a split, from the coefficients of the functions."""
    model, ensemble = build_density_model(settings), settings["ensemble"]
    nu = model.integrate(u, starting_nu(model, settings["starts"]), ensemble["steps"])
    excess = model.grid.excess(nu.reshape(-1, 1)).reshape(nu.shape).max(axis=-1)
    dims, middles = "initial_condition time cell", np.arange(model.cells) + 0.5
    return xr.Dataset(
        {
            "nu": variable(dims, nu, "minus the logarithm of the density"),
            "density": variable(dims, model.density(nu), "mean density", "length-1"),
            "excess": variable("initial_condition time", excess, "distance of nu from the grid, in grid units"),
        },
        time_axis(np.arange(ensemble["steps"] + 1), ensemble["dt"])
        | {"x": ("cell", middles * model.box.volume / model.cells, {"units": "length"})},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        dataset = predict_densities(snakemake.params.settings, read(snakemake.input.dynamics, "u").u.values)
        outside = (dataset.excess > 0).any("time").values
        log.info("%d of %d solutions leave the grid", outside.sum(), outside.size)
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings, [snakemake.input.dynamics]))
