"""Merge the sums of all parts of an ensemble into its moments.

===============  ===============================================  =======================================
variable         dimensions                                       what it is
===============  ===============================================  =======================================
mean             initial_condition, time, observable              mean count over runs
std              initial_condition, time, observable              standard deviation between runs
sem              initial_condition, time, observable              standard error of the mean
covariance       initial_condition, time, observable, other       covariance between runs of any two counts
runs             initial_condition                                number of runs
initial_numbers  initial_condition, number                        interaction parameters or molecules at the start
===============  ===============================================  =======================================

The provenance has one hash for all parts, that of their merged sums: these are whole numbers, so neither the moments
nor the hash depend on how the ensemble was cut into parts.
"""

import numpy as np
import xarray as xr

from dbd.files.netcdf import content_hash, provenance, read, write
from dbd.job import job
from dbd.lattice.observables import Sums


def merge_sums(parts):
    """Return the sums of a whole ensemble from those of its parts, in any order."""
    rows, numbers = {}, {}
    for part in parts:
        for index in part.initial_condition.values.tolist():
            one = part.sel(initial_condition=index)
            sums = Sums(int(part.runs), one["first"].values, one["second"].values)
            rows[index] = rows[index] + sums if index in rows else sums
            numbers[index] = one.initial_numbers.values
    order = sorted(rows)
    return xr.Dataset(
        {
            "runs": ("initial_condition", [rows[index].runs for index in order]),
            "first": (parts[0]["first"].dims, np.stack([rows[index].first for index in order])),
            "second": (parts[0]["second"].dims, np.stack([rows[index].second for index in order])),
            "initial_numbers": (
                ("initial_condition", "number"),
                np.stack([numbers[index] for index in order]),
                parts[0].initial_numbers.attrs,
            ),
        },
        coords={"initial_condition": order}
        | {name: parts[0][name] for name in ("observable", "other", "number", "step")},
    )


def combine_moments(merged, dt):
    """Return the moments of an ensemble from its sums; `dt` is the length of a time step."""
    sums = [
        Sums(int(runs), first, second)
        for runs, first, second in zip(*(merged[name].values for name in ("runs", "first", "second")), strict=True)
    ]
    where = ("initial_condition", "time", "observable")
    units = {"units": "1"}
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
            "runs": ("initial_condition", merged.runs.values, units | {"long_name": "number of runs"}),
            "initial_numbers": merged.initial_numbers,
        },
        coords={
            "observable": merged.observable,
            "other": merged.other,
            "step": merged.step,
            "time": ("time", merged.step.values * dt, {"units": "1", "long_name": "time in units of the rates"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, counts = snakemake.params.settings, snakemake.input.counts
        merged = merge_sums([read(path) for path in counts])
        dataset = combine_moments(merged, settings["ensemble"]["dt"])
        write(dataset, snakemake.output[0], provenance(settings, counts, {"counts": content_hash(merged)}))
