"""Match the simulated moments of a split at every step by a model's family: the best that its dynamics could reach.

Models with exact moments are matched at every step by itself; those that are learned by path tracking by the smooth
paths of that recipe, fitted to the moments of this split.
"""

from functools import partial

import numpy as np
import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.moment_map import ExactMoments
from dbd.build.mixed_coordinates import ensemble_of
from dbd.build.model import build_model, build_moment_map, parameter_names
from dbd.build.path_matching import build_matches
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.learning.composition_matching import match_paths
from dbd.learning.recipes.mixed_coordinates import matched_paths
from dbd.learning.static_matching import match
from dbd.numerics.random_streams import stream


def exact_match(settings, model, moments):
    """Return parameters that match simulated moments, and their exact moments."""
    theta = match(build_chain(model), moments["mean"].values, moments.observable.values)
    return theta, ExactMoments(model, settings["observables"]).moments(theta).mean


def sampled_match(section, model, moments, initial, generator_of, threads):
    """Return paths from given initial parameters that match simulated moments, and their sampled moments."""
    learning, observables = section["learning"], list(moments.observable.values)
    matches = build_matches(learning, model, initial, moments["mean"].values, observables, threads)
    theta = np.stack(
        [
            match.solve(learning["iterations"], lambda *place, index=index: generator_of(index, *place))
            for index, match in enumerate(matches)
        ]
    )
    law = build_moment_map(model, observables, section)
    return theta, law.moments(theta, lambda *point: generator_of(*point, "moments")).mean


def composition_match(section, model, moments, generator_of, threads):
    """Return densities and couplings that match simulated moments, their sampled moments, and errors of couplings."""
    data, observables = (
        ensemble_of(model, moments, section["learning"]["last_step"], section["spread"]),
        list(moments.observable.values),
    )
    matched = match_paths(
        model, data.density, data.counts, data.runs, generator_of, threads, data.covariance if data.spread else None
    )
    theta, error = matched_paths(model, data, matched)
    law = build_moment_map(model, observables, section)
    return theta, law.moments(theta, lambda *point: generator_of(*point, "moments"), threads).mean, error


def match_oracle(settings, study, split, name, moments, initial, threads):
    """Return the dataset of a model family matched to simulated moments; ``initial`` is for models that are learned."""
    section = settings["models"][name]
    model = build_model(settings, section)
    generator_of = partial(stream, settings["seed"], "match oracle", study, split, name)
    error, names = {}, parameter_names(section, model)
    if section["family"] == "composition":
        theta, mean, errors = composition_match(section, model, moments, generator_of, threads)
        error["error"] = variable("initial_condition time parameter", errors, "standard error of theta by sampling")
    elif "learning" in section:
        theta, mean = sampled_match(section, model, moments, initial, generator_of, threads)
    else:
        theta, mean = exact_match(settings, model, moments)
    return xr.Dataset(
        {
            "theta": variable("initial_condition time parameter", theta, "parameters of the Boltzmann distribution"),
            "mean": variable("initial_condition time observable", mean, "matched mean count"),
            **error,
        },
        {
            "parameter": list(names),
            "observable": settings["observables"],
            "step": ("time", range(theta.shape[1])),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        initial = [read(path, "theta").theta.values for path in given.initial]
        dataset = match_oracle(
            settings, names.study, names.split, names.model, read(given.moments), *initial or [None], snakemake.threads
        )
        write(dataset, snakemake.output[0], provenance(settings, [given.moments, *given.initial]))
