"""Solve the pair equation with a model's closure from the starts of a split."""

import numpy as np
import xarray as xr

from dbd.build.pairs import build_pair_equation, closure_of
from dbd.build.particles import start_pairs
from dbd.files.netcdf import provenance, read, time_axis, variable, write
from dbd.job import job


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
    dims = "initial_condition time"
    return xr.Dataset(
        {
            "density": variable(dims, density, "density", "length-1"),
            "pair_density": variable(f"{dims} distance", pair, "pair density", "length-2"),
            "fluctuation": variable(dims, fluctuation, "variance over mean of particle numbers"),
        },
        time_axis(np.arange(steps + 1), settings["ensemble"]["dt"])
        | {"distance": ("distance", equation.distance, {"units": "length"})},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        dataset = predict_pairs(settings, snakemake.wildcards.model, read(snakemake.input.dynamics, "u").u.values)
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.dynamics]))
