"""Match the simulated moments of a split at every step by a model's family: the best that its dynamics could reach.

==========  ===================================  ==================================================================
variable    dimensions                           what it is
==========  ===================================  ==================================================================
theta       initial_condition, time, parameter   parameters of the Boltzmann distribution
mean        initial_condition, time, observable  means at these parameters, exact or under the model's sampling law
==========  ===================================  ==================================================================

Models with exact moments are matched at every step by itself; those that are learned by path tracking by the smooth
paths of that recipe, here for the moments of this split.
"""

import numpy as np
import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.moment_map import ExactMoments
from dbd.build.model import build_model, build_moment_map
from dbd.build.path_matching import build_matches
from dbd.files.netcdf import provenance, read, write
from dbd.job import job
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
    law = build_moment_map(model, observables, section["sampling"])
    return theta, law.moments(theta, lambda *point: generator_of(*point, "moments")).mean


def match_oracle(settings, model, theta, mean):
    """Return the dataset of a model family matched to simulated moments."""
    units = {"units": "1"}
    return xr.Dataset(
        {
            "theta": (
                ("initial_condition", "time", "parameter"),
                theta,
                units | {"long_name": "parameters of the Boltzmann distribution"},
            ),
            "mean": (("initial_condition", "time", "observable"), mean, units | {"long_name": "matched mean count"}),
        },
        coords={
            "parameter": list(model.parameters),
            "observable": settings["observables"],
            "step": ("time", range(theta.shape[1])),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names = snakemake.params.settings, snakemake.wildcards
        section = settings["models"][names.model]
        model, moments = build_model(settings, section), read(snakemake.input.moments)
        files = [snakemake.input.moments, *snakemake.input.initial]
        if "learning" in section:
            matched = sampled_match(
                section,
                model,
                moments,
                read(snakemake.input.initial[0], "theta").theta.values,
                lambda *place: stream(settings["seed"], "match oracle", names.study, names.split, names.model, *place),
                snakemake.threads,
            )
        else:
            matched = exact_match(settings, model, moments)
        write(match_oracle(settings, model, *matched), snakemake.output[0], provenance(settings, files))
