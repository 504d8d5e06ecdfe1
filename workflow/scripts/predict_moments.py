"""Integrate a learned model from the initial parameters of a split and compute its moments."""

import xarray as xr

from dbd.build.model import build_dynamics, build_family, build_moment_map
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.numerics.random_streams import stream

GRID = ("lower", "upper", "spacing")


def predict_moments(settings, study, split, model, learned, initial, threads):
    """Return the dataset of a split, from learned dynamics and initial parameters."""
    section, observables = settings["models"][model], settings["observables"]
    family = build_family(settings, section)
    dynamics = build_dynamics(settings, section, family, {name: learned[name].values for name in GRID})
    steps = settings["evaluation"]["extrapolate_to"]
    theta = dynamics.integrate(learned.u.values, initial, steps, threads=threads)
    moments = build_moment_map(family, observables, section["sampling"]).moments(
        theta, lambda *point: stream(settings["seed"], "predict", study, split, model, *point), threads
    )
    dims, points = "initial_condition time observable", "initial_condition time"
    outside = "distance from the grid of the right-hand sides, in grid units"
    spread = "standard deviation of counts between lattices"
    return xr.Dataset(
        {
            **({} if moments.std is None else {"std": variable(dims, moments.std, spread)}),
            "theta": variable(f"{points} parameter", theta, "parameters of the Boltzmann distribution"),
            "excess": variable(points, dynamics.excess(theta), outside),
            "mean": variable(dims, moments.mean, "predicted mean count"),
            "sem": variable(dims, moments.sem, "standard error of the predicted mean"),
        },
        {
            "step": variable("time", range(steps + 1), "time step"),
            "parameter": list(family.names),
            "observable": observables,
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        learned, initial = read(given.dynamics, "u", *GRID), read(given.initial, "theta").theta.values
        key = names.study, names.split, names.model
        dataset = predict_moments(settings, *key, learned, initial, snakemake.threads)
        outside = (dataset.excess > 0).any("time").values
        log.info("%d of %d trajectories leave the grid", outside.sum(), outside.size)
        write(dataset, snakemake.output[0], provenance(settings, [given.dynamics, given.initial]))
