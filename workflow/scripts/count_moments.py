"""Count the observables in the lattices of one part of an ensemble and sum them over its runs.

===============  ===============================================  ==========================================
variable         dimensions                                       what it is
===============  ===============================================  ==========================================
runs             --                                               number of runs summed
first            initial_condition, time, observable              sum of the counts
second           initial_condition, time, observable, observable  sum of the products of any two counts
initial_numbers  initial_condition, number                        as in the ensemble
===============  ===============================================  ==========================================
"""

import numpy as np
import xarray as xr

from dbd.build.system import build_lattice
from dbd.files.netcdf import provenance, read, write
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
    where = ("initial_condition", "time", "observable")
    return xr.Dataset(
        {
            "runs": ((), sums.runs, {"units": "1", "long_name": "number of runs"}),
            "first": (where, sums.first, {"units": "1", "long_name": "sum of counts over runs"}),
            "second": (
                (*where, "other"),
                sums.second,
                {"units": "1", "long_name": "sum of products of two counts over runs"},
            ),
            "initial_numbers": ensemble.initial_numbers,
        },
        coords={"observable": observables, "other": observables, "step": ensemble.step},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        ensemble = read(snakemake.input.lattices, "packed", "initial_numbers", "step")
        dataset = count_moments(snakemake.params.settings, ensemble)
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings, [snakemake.input.lattices]))
