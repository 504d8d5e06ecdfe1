"""Count the observables in the lattices of one part of an ensemble and sum them over its runs.

Those of every run are kept too, with the events of its reactions, for models whose runs are learned one by one.
"""

import numpy as np
import xarray as xr

from dbd.build.system import build_lattice
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.lattice.observables import Sums, count_observables
from dbd.lattice.packing import blocks, unpack


def count_moments(settings, ensemble):
    """Return the sums over the runs of an ensemble part."""
    lattice, species, observables = build_lattice(settings), settings["species"], settings["observables"]
    packed, times = ensemble.packed.values, ensemble.sizes["time"]
    counts = np.empty((packed.shape[1], packed.shape[0], times, len(observables)), np.int32)
    for index, runs in enumerate(packed):
        for some in blocks(len(runs), times * lattice.size):
            occupancy = unpack(runs[some], len(species) + 1, times)
            counts[some, index] = count_observables(occupancy, lattice, species, observables)
    sums = Sums.of(counts)
    dims = "initial_condition time observable"
    return xr.Dataset(
        {
            "runs": variable("", sums.runs, "number of runs"),
            "first": variable(dims, sums.first, "sum of counts over runs"),
            "second": variable(f"{dims} other_observable", sums.second, "sum of products of two counts over runs"),
            "initial_numbers": ensemble.initial_numbers,
            "rates": ensemble.rates,
            "counts": variable("run initial_condition time observable", counts, "counts of every run"),
            "events": ensemble.events,
        },
        {"observable": observables, "other_observable": observables, "step": ensemble.step, "time": ensemble.time},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        ensemble = read(snakemake.input.lattices, "packed", "initial_numbers", "rates", "events", "step")
        dataset = count_moments(snakemake.params.settings, ensemble)
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings, [snakemake.input.lattices]))
