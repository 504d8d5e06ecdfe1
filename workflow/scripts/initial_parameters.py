"""Find the parameters of a model at time zero, for every initial condition of a split."""

from functools import partial

import numpy as np
import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.contrastive_divergence import Contrast, static_parameters
from dbd.boltzmann.family import CompositionAndCouplings
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.independent_sites import independent_biases
from dbd.boltzmann.mean_composition import MeanComposition
from dbd.build.ensemble import ensemble_of, numbers_of
from dbd.build.model import build_family
from dbd.files.netcdf import provenance, read, read_lattices, variable, write
from dbd.job import job
from dbd.learning.sampled_matching import match_paths
from dbd.learning.static_matching import match
from dbd.numerics.random_streams import stream


def given(family, section, moments, lattices, generator_of):
    """Parameters that the initial lattices were drawn with."""
    natural = moments.initial_numbers.values
    return family.mixed(natural) if isinstance(family, MeanComposition) else natural


def exact(family, section, moments, lattices, generator_of):
    """Static matching of the initial moments."""
    return match(build_chain(family.model), moments["mean"].values[:, 0], moments.observable.values)


def independent(family, section, moments, lattices, generator_of):
    """Independent sites with the initial means: densities, or biases; other parameters, and biases too, as given."""
    model, (density, covariance) = family.model, numbers_of(family, moments.isel(time=0))
    theta = family.known(density, covariance)
    if not isinstance(family, CompositionAndCouplings):
        biases = independent_biases(density * model.lattice.size, model.lattice.size)
        theta[:, [model.parameters.index(name) for name in model.species]] = biases
    for name, value in section["initial"]["others"].items():
        theta[:, model.parameters.index(name)] = value
    return theta


def sampled(family, section, moments, lattices, generator_of):
    """Static matching of the initial moments with sampled ones, from independent sites."""
    start = independent(family, section, moments, lattices, generator_of)
    return match_paths(family, ensemble_of(family, [moments], 0), start, generator_of).theta[:, 0]


def contrastive(family, section, moments, lattices, generator_of):
    """Contrastive divergence from the initial lattices, as published."""
    settings = dict(section["initial"]["contrastive"])
    contrast = Contrast(Sampler(family.model), settings.pop("sweeps"))
    return np.stack(
        [static_parameters(contrast, runs, generator_of(index), **settings)[0] for index, runs in enumerate(lattices())]
    )


METHODS = {method.__name__: method for method in (given, exact, independent, sampled, contrastive)}


def initial_parameters(settings, study, split, name, moments, lattices):
    """Return the dataset of a model; ``lattices()`` gives the initial ones, an array (run, site) a condition."""
    section = settings["models"][name]
    family = build_family(settings, section)
    generator_of = partial(stream, settings["seed"], "initial parameters", study, split, name)
    theta = METHODS[section["initial"]["method"]](family, section, moments, lattices, generator_of)
    meaning = "parameters of the Boltzmann distribution at time zero"
    variables = {"theta": variable("initial_condition parameter", theta, meaning), "rates": moments.rates}
    return xr.Dataset(variables, {"parameter": list(family.names)})


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        files, key = given.get("lattices", []), (names.study, names.split, names.model)
        dataset = initial_parameters(
            settings, *key, read(given.moments), lambda: [runs[:, 0] for runs in read_lattices(files)]
        )
        write(dataset, snakemake.output[0], provenance(settings, [given.moments]))
