"""Match the simulated moments of a split at every step by a model's family: the best that its dynamics could reach.

Models with exact moments are matched exactly, all others by sampled moments, as they are before they are learned.
"""

from functools import partial

import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.build.ensemble import ensemble_of
from dbd.build.model import build_family, build_moment_map
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.learning.sampled_matching import match_paths
from dbd.learning.static_matching import match
from dbd.numerics.random_streams import stream


def sampled_match(family, moments, initial, last_step, generator_of, threads):
    """Return parameters that match simulated moments, and their errors."""
    data = ensemble_of(family, [moments], last_step)
    matched = match_paths(family, data, initial, generator_of, threads)
    error = variable("initial_condition time parameter", matched.error, "standard error of theta")
    return matched.theta, {"error": error}


def match_oracle(settings, study, split, name, moments, initial, threads):
    """Return the dataset of a family matched to simulated moments, from initial parameters where these are sampled."""
    section, observables = settings["models"][name], settings["observables"]
    family = build_family(settings, section)
    generator_of = partial(stream, settings["seed"], "match oracle", study, split, name)
    if section["sampling"]:
        last_step = settings["evaluation"]["last_step"]
        theta, error = sampled_match(family, moments, initial, last_step, generator_of, threads)
    else:
        theta, error = match(build_chain(family.model), moments["mean"].values, moments.observable.values), {}
    law = build_moment_map(family, observables, section["sampling"])
    mean = law.moments(theta, lambda *point: generator_of(*point, "moments"), threads).mean
    return xr.Dataset(
        {
            "theta": variable("initial_condition time parameter", theta, "parameters of the Boltzmann distribution"),
            "mean": variable("initial_condition time observable", mean, "matched mean count"),
            **error,
        },
        {
            "parameter": list(family.names),
            "observable": observables,
            "step": moments.step[: theta.shape[1]],
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        initial = read(given.initial, "theta").theta.values
        dataset = match_oracle(
            settings, names.study, names.split, names.model, read(given.moments), initial, snakemake.threads
        )
        write(dataset, snakemake.output[0], provenance(settings, [given.moments, given.initial]))
