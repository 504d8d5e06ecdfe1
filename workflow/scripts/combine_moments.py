"""Merge the sums of all parts of an ensemble into its moments.

The provenance has one hash for all parts, that of their merged sums: these are whole numbers, so neither the moments
nor the hash depend on how the ensemble was cut into parts.
"""

import numpy as np
import xarray as xr

from dbd.files.netcdf import content_hash, provenance, read, variable, write
from dbd.job import job
from dbd.lattice.observables import Sums


def merge_sums(parts):
    """Return the sums of a whole ensemble from those of its parts, in any order."""
    rows, numbers, rates = {}, {}, {}
    for part in parts:
        for index in part.initial_condition.values.tolist():
            one = part.sel(initial_condition=index)
            sums = Sums(int(part.runs), one["first"].values, one["second"].values)
            rows[index] = rows[index] + sums if index in rows else sums
            numbers[index], rates[index] = one.initial_numbers.values, one.rates.values
    order, first, numbers_of, rates_of = sorted(rows), parts[0], parts[0].initial_numbers, parts[0].rates
    merged = {
        "runs": ("initial_condition", [rows[index].runs for index in order]),
        "first": (first["first"].dims, np.stack([rows[index].first for index in order])),
        "second": (first["second"].dims, np.stack([rows[index].second for index in order])),
        "initial_numbers": (numbers_of.dims, np.stack([numbers[index] for index in order]), numbers_of.attrs),
        "rates": (rates_of.dims, np.stack([rates[index] for index in order]), rates_of.attrs),
    }
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
    return xr.Dataset(moments | {name: merged[name] for name in ("initial_numbers", "rates")}, coords)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        counts = snakemake.input.counts
        names = "runs", "first", "second", "initial_numbers", "rates", "step"
        merged = merge_sums([read(path, *names) for path in counts])
        dataset = combine_moments(merged)
        write(dataset, snakemake.output[0], provenance({}, counts, {"counts": content_hash(merged)}))
