"""Merge the counts of all parts of an ensemble in continuous space into densities and pair densities.

Pair densities and gaps are there if pairs and gaps were counted. The provenance has one hash for all parts, that of
their sums.
"""

import numpy as np
import xarray as xr

from dbd.build.particles import build_box
from dbd.continuum.particle_counts import Tally, pair_volume
from dbd.files.netcdf import content_hash, provenance, read, time_axis, variable, write
from dbd.job import job

KEPT = ("runs", "number_sums", "number_squares", "cell_sums")


def merge_counts(parts):
    """Return the counts of a whole ensemble from those of its parts, in any order."""
    rows = {}
    for part in parts:
        for index in part.initial_condition.values.tolist():
            one = part.sel(initial_condition=[index])
            rows[index] = rows[index] + one if index in rows else one
    return xr.concat([rows[index] for index in sorted(rows)], "initial_condition", coords="minimal", compat="override")


def combine_densities(counts, settings):
    """Return the densities from the counts of an ensemble."""
    box, observables = build_box(settings), settings["observables"]
    cells, pairs, gaps = (observables[name] for name in ("cells", "pairs", "gaps"))
    moments = {name: counts[name] for name in KEPT}

    def add(name, counted, volume, units, meaning):
        squares = counts[f"{counted}_squares"]
        columns = counts.runs.values, counts[f"{counted}_sums"].values, squares.values
        tallies = [Tally(*row) for row in zip(*columns, strict=True)]
        for suffix, values in (("", [one.mean for one in tallies]), ("_sem", [one.sem for one in tallies])):
            text = f"standard error of the {meaning}" if suffix else meaning
            moments[name + suffix] = variable(" ".join(squares.dims), np.stack(values) / volume, text, units)

    add("number", "number", 1.0, "1", "mean number of particles")
    add("density", "cell", box.volume / np.prod(cells), f"length-{box.dimension}", "mean density")
    coords = time_axis(counts.step.values, settings["ensemble"]["dt"]) | {"species": counts.species}
    if box.dimension == 1:
        coords["x"] = ("cell", (np.arange(cells[0]) + 0.5) * box.volume / cells[0], {"units": "length"})
    if pairs:
        volume = pair_volume(box, pairs["reach"], pairs["bins"])
        add("pair_density", "pair", volume, f"length-{2 * box.dimension}", "mean pair density")
        coords["distance"] = middles("distance", pairs["reach"], pairs["bins"])
    if gaps:
        sums = counts.gap_sums.sum("group").values
        law = sums / np.maximum(sums.sum(axis=-1, keepdims=True), 1) * gaps["bins"] / gaps["reach"]
        meaning = "probability density of the distance of neighbours"
        moments["gap"] = variable("initial_condition time gap", law, meaning, "length-1")
        coords["gap_distance"] = middles("gap", gaps["reach"], gaps["bins"])
    return xr.Dataset(moments, coords)


def middles(dimension, reach, bins):
    """Coordinate of the middles of the bins of a histogram."""
    return dimension, (np.arange(bins) + 0.5) * (reach / bins), {"units": "length"}


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, files = snakemake.params.settings, snakemake.input.counts
        merged = merge_counts([read(path) for path in files])
        dataset = combine_densities(merged, settings)
        write(dataset, snakemake.output[0], provenance(settings, files, {"counts": content_hash(merged)}))
