"""Find the parameters of a model at time zero, for every initial condition of a split."""

from functools import partial

import numpy as np
import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.contrastive_divergence import Contrast, static_parameters
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.independent_sites import independent_biases
from dbd.boltzmann.sampling_law import SamplingLaw
from dbd.build.mixed_coordinates import ensemble_of
from dbd.build.model import build_model, parameter_names
from dbd.files.netcdf import provenance, read, read_lattices, variable, write
from dbd.job import job
from dbd.learning.composition_matching import Matched, match_paths
from dbd.learning.path_matching import path_matches
from dbd.learning.recipes.mixed_coordinates import matched_paths
from dbd.learning.static_matching import match
from dbd.numerics.random_streams import stream

TRIALS = 12  # steps of static matching


def given(model, section, moments, lattices, generator_of):
    """Parameters that the initial lattices were drawn with."""
    return moments.initial_numbers.values


def exact(model, section, moments, lattices, generator_of):
    """Static matching of the initial moments."""
    return match(build_chain(model), moments["mean"].values[:, 0], moments.observable.values)


def independent(model, section, moments, lattices, generator_of):
    """Biases of independent sites with the initial means; other parameters, and biases too if given, as given."""
    counts = moments["mean"].sel(observable=list(model.species)).values[:, 0]
    theta = np.zeros((len(counts), len(model.parameters)))
    theta[:, [model.parameters.index(name) for name in model.species]] = independent_biases(counts, model.lattice.size)
    for name, value in section["initial"]["others"].items():
        theta[:, model.parameters.index(name)] = value
    return theta


def at_composition(model, section, moments, lattices, generator_of):
    """Initial densities, and couplings that match the initial moments or, for independent sites, are as given."""
    data = ensemble_of(model, moments, 0, section["spread"])
    if section["initial"]["method"] == "independent":
        matched = Matched(np.zeros_like(data.counts), None, np.zeros_like(data.counts))
        theta = matched_paths(model, data, matched)[0][:, 0]
        for name, value in section["initial"]["others"].items():
            theta[:, model.parameters.index(name)] = value
        return theta
    spread = data.covariance if data.spread else None
    matched = match_paths(model, data.density, data.counts, data.runs, generator_of, covariance=spread)
    return matched_paths(model, data, matched)[0][:, 0]


def sampled(model, section, moments, lattices, generator_of):
    """Biases matched to the initial moments under the model's sampling law, other parameters as given."""
    start = independent(model, section, moments, lattices, generator_of)
    law = SamplingLaw(Sampler(model), list(moments.observable.values), **section["sampling"])
    others = [name for name in model.parameters if name not in model.species]
    return np.stack(
        [
            match.match(match.initial, 0, lambda trial, index=index: generator_of(index, trial), TRIALS)
            for index, match in enumerate(path_matches(law, start, moments["mean"].values, fixed=others))
        ]
    )


def contrastive(model, section, moments, lattices, generator_of):
    """Contrastive divergence from the initial lattices, as published."""
    settings = dict(section["initial"]["contrastive"])
    contrast = Contrast(Sampler(model), settings.pop("sweeps"))
    return np.stack(
        [static_parameters(contrast, runs, generator_of(index), **settings)[0] for index, runs in enumerate(lattices())]
    )


METHODS = {method.__name__: method for method in (given, exact, independent, sampled, contrastive)}


def initial_parameters(settings, study, split, name, moments, lattices):
    """Return the dataset of a model; ``lattices()`` gives the initial ones, an array (run, site) a condition."""
    section = settings["models"][name]
    model = build_model(settings, section)
    generator_of = partial(stream, settings["seed"], "initial parameters", study, split, name)
    method = at_composition if section["family"] == "composition" else METHODS[section["initial"]["method"]]
    theta = method(model, section, moments, lattices, generator_of)
    meaning = "parameters of the Boltzmann distribution at time zero"
    variables = {"theta": variable("initial_condition parameter", theta, meaning)}
    return xr.Dataset(variables, {"parameter": list(parameter_names(section, model))})


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        files, key = given.get("lattices", []), (names.study, names.split, names.model)
        dataset = initial_parameters(
            settings, *key, read(given.moments), lambda: [runs[:, 0] for runs in read_lattices(files)]
        )
        write(dataset, snakemake.output[0], provenance(settings, [given.moments]))
