"""Solve the pair equation with a model's closure from the starts of a split.

=============  ===================================  ==============================================
variable       dimensions                           what it is
=============  ===================================  ==============================================
density        initial_condition, time              density
pair_density   initial_condition, time, distance    pair density
fluctuation    initial_condition, time              S, variance of numbers relative to Poisson's
=============  ===================================  ==============================================
"""

import numpy as np
import xarray as xr

from dbd.build.pairs import build_pair_equation, closure_of
from dbd.build.particles import start_pairs
from dbd.files.netcdf import provenance, read, write
from dbd.job import job

WHERE = ("initial_condition", "time")


def predict_pairs(settings, name, u):
    """Return the dataset of a split, from the coefficients of a model's closure."""
    equation, steps = build_pair_equation(settings), settings["ensemble"]["steps"]
    closure = closure_of(settings["models"][name], equation, u)
    solutions = [
        equation.solve(closure, *start_pairs(pattern, equation.distance), steps)
        for start in settings["starts"]
        for pattern in start.values()
    ]
    density, pair = (np.stack(column) for column in zip(*solutions, strict=True))
    fluctuation = [[equation.fluctuation(*at) for at in zip(*solution, strict=True)] for solution in solutions]
    step = np.arange(steps + 1)
    return xr.Dataset(
        {
            "density": (WHERE, density, {"units": "length-1", "long_name": "density"}),
            "pair_density": ((*WHERE, "distance"), pair, {"units": "length-2", "long_name": "pair density"}),
            "fluctuation": (WHERE, fluctuation, {"units": "1", "long_name": "variance over mean of particle numbers"}),
        },
        coords={
            "step": ("time", step, {"units": "1", "long_name": "observation"}),
            "time": ("time", step * settings["ensemble"]["dt"], {"units": "1", "long_name": "time"}),
            "distance": ("distance", equation.distance, {"units": "length"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        dataset = predict_pairs(settings, snakemake.wildcards.model, read(snakemake.input.dynamics, "u").u.values)
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.dynamics]))
