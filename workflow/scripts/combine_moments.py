"""Merge the sums of all parts of an ensemble into its moments.

===============  ===============================================  =======================================
variable         dimensions                                       what it is
===============  ===============================================  =======================================
mean             initial_condition, time, observable              mean count over runs
std              initial_condition, time, observable              standard deviation between runs
sem              initial_condition, time, observable              standard error of the mean
covariance       initial_condition, time, observable, other       covariance between runs of any two counts
initial_numbers  initial_condition, number                        interaction parameters or molecules at the start
===============  ===============================================  =======================================
"""

from functools import reduce
from operator import add

import numpy as np
import xarray as xr

from dbd.jobs import job
from dbd.moments import Sums
from dbd.store import provenance, read, write


def combine_moments(parts, dt):
    """Return the moments of an ensemble from the sums of its parts, in any order; `dt` is the length of a step."""
    rows = {}
    for part in parts:
        for index in part.initial_condition.values:
            one = part.sel(initial_condition=index)
            sums = Sums(int(part.runs), one["first"].values, one["second"].values)
            rows.setdefault(index, []).append((sums, one.initial_numbers.values))
    order = sorted(rows)
    sums = [reduce(add, (sums for sums, _ in rows[index])) for index in order]
    where = ("initial_condition", "time", "observable")
    units = {"units": "1"}
    template = parts[0]
    return xr.Dataset(
        {
            "mean": (where, np.stack([s.mean for s in sums]), units | {"long_name": "mean count"}),
            "std": (where, np.stack([s.std for s in sums]), units | {"long_name": "standard deviation between runs"}),
            "sem": (where, np.stack([s.sem for s in sums]), units | {"long_name": "standard error of the mean"}),
            "covariance": (
                (*where, "other"),
                np.stack([s.covariance for s in sums]),
                units | {"long_name": "covariance of two counts between runs"},
            ),
            "runs": ("initial_condition", [s.runs for s in sums], units | {"long_name": "number of runs"}),
            "initial_numbers": (
                ("initial_condition", "number"),
                np.stack([rows[index][0][1] for index in order]),
                template.initial_numbers.attrs,
            ),
        },
        coords={
            "initial_condition": order,
            "observable": template.observable,
            "other": template.other,
            "number": template.number,
            "step": template.step,
            "time": ("time", template.step.values * dt, {"units": "1", "long_name": "time in units of the rates"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, counts = snakemake.params.settings, snakemake.input.counts
        dataset = combine_moments([read(path) for path in counts], settings["ensemble"]["dt"])
        write(dataset, snakemake.output[0], provenance(settings, counts))
