"""Predict the moments of a split by a classical closure or by independent sites: what reduced models have to beat.

Classical closures start from what is known of the initial lattices, not from the simulated means, whose noise the
predictions would share.
"""

from contextlib import suppress
from functools import partial

import numpy as np
import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.energy import EnergyModel
from dbd.build.system import build_lattice, build_network
from dbd.evaluation.baselines import BASELINES, BaselineInput, at_random_sites, of_counts
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.numerics.random_streams import stream


def initial_probabilities(settings, moments):
    """Probabilities at time zero: of numbers of molecules at random sites, or of the model of the initial lattices.

    Where that model has no exact moments, or runs come from a source, the measured ones stand for them. Molecules that
    are placed planes first are taken to be at random sites too.
    """
    lattice, species, start = build_lattice(settings), tuple(settings["species"]), settings["initial_condition"]
    if start is not None and start["counts"] is not None:
        return at_random_sites(moments.initial_numbers.values, lattice.size)
    known, observables = moments["mean"].values[:, 0], moments.observable.values.tolist()
    with suppress(ValueError):  # it has no exact moments
        if start is not None:
            chain = build_chain(EnergyModel(lattice, species, tuple(start["interactions"])))
            known, observables = chain.cumulants(moments.initial_numbers.values).mean, chain.observables
    return of_counts(known, observables, species, lattice)


def predict_baseline(settings, baseline, moments):
    """Return the dataset of a baseline by its name, from the simulated moments of a split."""
    moments = moments.isel(time=slice(settings["evaluation"]["extrapolate_to"] + 1))
    start = settings["initial_condition"]
    drawn = start is not None and start["counts"] is None
    drawn_with = dict(zip(start["interactions"], moments.initial_numbers.values.T, strict=True)) if drawn else {}
    network, rates = build_network(settings), moments.rates.values
    if not rates.size:  # of runs from a source: those that the study says
        rates = np.tile(network.constants, (len(rates), 1))
    setting = BaselineInput(
        network,
        build_lattice(settings),
        settings["ensemble"]["dt"],
        tuple(settings["observables"]),
        initial_probabilities(settings, moments),
        moments["mean"].sel(observable=settings["observables"]).values,
        rates,
        drawn_with,
        partial(stream, settings["seed"], "entropic matching"),
    )
    mean = BASELINES[baseline].predict(setting)
    return xr.Dataset(
        {"mean": variable("initial_condition time observable", mean, "predicted mean count")},
        {"observable": settings["observables"], "step": moments.step},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        dataset = predict_baseline(settings, snakemake.wildcards.baseline, read(snakemake.input.moments))
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.moments]))
