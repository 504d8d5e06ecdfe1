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

from dbd.jobs import job
from dbd.moments import Sums, count_observables
from dbd.store import provenance, read, write
from dbd.systems import build_lattice


def count_moments(settings, ensemble):
    """Return the sums over the runs of an ensemble part."""
    counts = count_observables(
        ensemble.occupancy.values, build_lattice(settings), settings["species"], settings["observables"]
    )
    sums = Sums.of(np.moveaxis(counts, 1, 0))
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
        coords={"observable": settings["observables"], "other": settings["observables"], "step": ensemble.step},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        ensemble = read(snakemake.input.lattices, "occupancy", "initial_numbers")
        dataset = count_moments(snakemake.params.settings, ensemble)
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings, [snakemake.input.lattices]))
