"""Integrate a learned model from the initial parameters of a split and compute its moments.

==========  ===================================  ==================================================================
variable    dimensions                           what it is
==========  ===================================  ==================================================================
theta       initial_condition, time, parameter   parameters of the Boltzmann distribution
excess      initial_condition, time              how far theta is outside the grid, in grid units; 0 inside
mean, sem   initial_condition, time, observable  predicted counts and their standard error of sampling
==========  ===================================  ==================================================================
"""

import xarray as xr

from dbd.build.model import build_dynamics, build_model, build_moment_map
from dbd.files.netcdf import provenance, read, write
from dbd.job import job
from dbd.numerics.random_streams import stream

DIMENSIONS = ("initial_condition", "time", "observable")


def predict_moments(settings, study, split, model, coefficients, initial, threads):
    """Return the dataset of a split, from right-hand-side coefficients and initial parameters."""
    section, observables = settings["models"][model], settings["observables"]
    energy = build_model(settings, section)
    dynamics = build_dynamics(settings, section, energy)
    steps = settings["evaluation"]["last_step"]
    theta = dynamics.integrate(coefficients, initial, steps, threads=threads)
    moments = build_moment_map(energy, observables, section["sampling"]).moments(
        theta, lambda *point: stream(settings["seed"], "predict", study, split, model, *point), threads
    )
    excess = dynamics.excess(theta)
    return xr.Dataset(
        {
            "theta": (
                ("initial_condition", "time", "parameter"),
                theta,
                {"units": "1", "long_name": "parameters of the Boltzmann distribution"},
            ),
            "excess": (
                ("initial_condition", "time"),
                excess,
                {"units": "1", "long_name": "distance from the grid of the right-hand sides, in grid units"},
            ),
            "mean": (DIMENSIONS, moments.mean, {"units": "1", "long_name": "predicted mean count"}),
            "sem": (DIMENSIONS, moments.sem, {"units": "1", "long_name": "standard error of the predicted mean"}),
        },
        coords={
            "step": ("time", range(steps + 1), {"units": "1", "long_name": "time step"}),
            "parameter": list(energy.parameters),
            "observable": observables,
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        dataset = predict_moments(
            snakemake.params.settings,
            snakemake.wildcards.study,
            snakemake.wildcards.split,
            snakemake.wildcards.model,
            read(snakemake.input.dynamics, "u").u.values,
            read(snakemake.input.initial, "theta").theta.values,
            snakemake.threads,
        )
        outside = (dataset.excess > 0).any("time").values
        log.info("%d of %d trajectories leave the grid", outside.sum(), outside.size)
        write(
            dataset,
            snakemake.output[0],
            provenance(snakemake.params.settings, [snakemake.input.dynamics, snakemake.input.initial]),
        )
