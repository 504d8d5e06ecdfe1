"""Merge the sums of all parts of an ensemble into its moments.

The provenance has one hash for all parts, that of their merged sums: these are whole numbers, so neither the moments
nor the hash depend on how the ensemble was cut into parts.
"""

import numpy as np
import xarray as xr

from dbd.files.netcdf import content_hash, provenance, read, variable, write
from dbd.job import job
from dbd.lattice.observables import Sums

OF_STARTS = ("initial_numbers", "rates")  # what is the same for all runs of an initial condition


def merge_sums(parts):
    """Return the sums of a whole ensemble from those of its parts, in any order."""
    rows, starts = {}, {}
    for part in parts:
        for index in part.initial_condition.values.tolist():
            one = part.sel(initial_condition=index)
            sums = Sums(int(part.runs), one["first"].values, one["second"].values)
            rows[index] = rows[index] + sums if index in rows else sums
            starts[index] = one
    order, first = sorted(rows), parts[0]
    merged = {
        "runs": ("initial_condition", [rows[index].runs for index in order]),
        "first": (first["first"].dims, np.stack([rows[index].first for index in order])),
        "second": (first["second"].dims, np.stack([rows[index].second for index in order])),
    }
    for name in OF_STARTS:
        values = np.stack([starts[index][name].values for index in order])
        merged[name] = (first[name].dims, values, first[name].attrs)
    coordinates = ("observable", "other_observable", "initial_quantity", "reaction", "step", "time")
    coords = {name: first[name] for name in coordinates}
    return xr.Dataset(merged, {"initial_condition": order} | coords)


def combine_moments(merged):
    """Return the moments of an ensemble from its sums."""
    columns = (merged.runs.values.tolist(), merged["first"].values, merged["second"].values)
    sums = [Sums(*row) for row in zip(*columns, strict=True)]
    names = {
        "mean": "mean count",
        "std": "standard deviation between runs",
        "sem": "standard error of the mean",
        "covariance": "covariance of two counts between runs",
    }
    moments = {}
    for name, meaning in names.items():
        dims = "initial_condition time observable" + " other_observable" * (name == "covariance")
        moments[name] = variable(dims, np.stack([getattr(one, name) for one in sums]), meaning)
    moments["runs"] = variable("initial_condition", merged.runs.values, "number of runs")
    coords = {name: merged[name] for name in ("observable", "other_observable", "step", "time")}
    return xr.Dataset(moments | {name: merged[name] for name in OF_STARTS}, coords)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        counts = snakemake.input.counts
        merged = merge_sums([read(path, "runs", "first", "second", *OF_STARTS, "step") for path in counts])
        dataset = combine_moments(merged)
        write(dataset, snakemake.output[0], provenance({}, counts, {"counts": content_hash(merged)}))
