"""Solve a model's density equation from the starts of a split.

=============  =================================  ===========================================================
variable       dimensions                         what it is
=============  =================================  ===========================================================
nu             initial_condition, time, cell      minus the logarithm of the density, at the centres of cells
density        initial_condition, time, cell      mean density in the cells
excess         initial_condition, time            how far nu is outside the grid, in grid units; 0 inside
=============  =================================  ===========================================================
"""

import numpy as np
import xarray as xr

from dbd.build.density import build_density_model, starting_nu
from dbd.files.netcdf import provenance, read, write
from dbd.job import job

WHERE = ("initial_condition", "time", "cell")


def predict_densities(settings, u):
    """Return the dataset of a split, from the coefficients of the functions."""
    model, ensemble = build_density_model(settings), settings["ensemble"]
    nu = model.solve(u, starting_nu(model, settings["starts"]), ensemble["steps"])
    excess = model.grid.excess(nu.reshape(-1, 1)).reshape(nu.shape).max(axis=-1)
    step = np.arange(ensemble["steps"] + 1)
    return xr.Dataset(
        {
            "nu": (WHERE, nu, {"units": "1", "long_name": "minus the logarithm of the density"}),
            "density": (WHERE, model.density(nu), {"units": "length-1", "long_name": "mean density"}),
            "excess": (WHERE[:2], excess, {"units": "1", "long_name": "distance of nu from the grid, in grid units"}),
        },
        coords={
            "step": ("time", step, {"units": "1", "long_name": "observation"}),
            "time": ("time", step * ensemble["dt"], {"units": "1", "long_name": "time"}),
            "x": ("cell", (np.arange(model.cells) + 0.5) * model.box.volume / model.cells, {"units": "length"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        dataset = predict_densities(snakemake.params.settings, read(snakemake.input.dynamics, "u").u.values)
        outside = (dataset.excess > 0).any("time").values
        log.info("%d of %d solutions leave the grid", outside.sum(), outside.size)
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings, [snakemake.input.dynamics]))
