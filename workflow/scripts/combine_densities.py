"""Merge the counts of all parts of an ensemble in continuous space into densities and pair densities.

========================  ================================================  ===========================================
variable                  dimensions                                        what it is
========================  ================================================  ===========================================
number, number_sem        initial_condition, time, species                  mean number of particles, standard error
density, density_sem      initial_condition, time, species, cell            mean density in a cell, standard error
pair_density,             initial_condition, time, species, other,          mean pair density, standard error
pair_density_sem          distance
gap                       initial_condition, time, gap                      law of distances of neighbours, per length
runs                      initial_condition, group                          number of runs
number_sums, cell_sums    initial_condition, group, time, species (, cell)  counts summed over the runs of a group
number_squares            initial_condition, time, species                  squares of numbers summed over runs
========================  ================================================  ===========================================

Pair densities and gaps are there if pairs and gaps were counted. The provenance has one hash for all parts, that of
their sums.
"""

import numpy as np
import xarray as xr

from dbd.build.particles import build_box
from dbd.continuum.particle_counts import Tally, pair_volume
from dbd.files.netcdf import content_hash, provenance, read, write
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
    cells = observables["cells"]
    moments = {}

    def add(name, counted, volume, unit, meaning):
        mean, sem = zip(
            *(
                (tally.mean / volume, tally.sem / volume)
                for tally in (
                    Tally(counts.runs.values[k], counts[f"{counted}_sums"].values[k], squares)
                    for k, squares in enumerate(counts[f"{counted}_squares"].values)
                )
            ),
            strict=True,
        )
        where = counts[f"{counted}_squares"].dims
        moments[name] = (where, np.stack(mean), {"units": unit, "long_name": meaning})
        moments[f"{name}_sem"] = (
            where,
            np.stack(sem),
            {"units": unit, "long_name": f"standard error of the {meaning}"},
        )

    per_volume = f"length-{box.dimension}"
    add("number", "number", 1.0, "1", "mean number of particles")
    add("density", "cell", box.volume / np.prod(cells), per_volume, "mean density")
    coords = {
        "step": counts.step,
        "time": ("time", counts.step.values * settings["ensemble"]["dt"], {"units": "1", "long_name": "time"}),
        "species": counts.species,
    }
    if box.dimension == 1:
        coords["x"] = ("cell", (np.arange(cells[0]) + 0.5) * box.volume / cells[0], {"units": "length"})
    if pairs := observables["pairs"]:
        volume = pair_volume(box, pairs["reach"], pairs["bins"])
        add("pair_density", "pair", volume, f"length-{2 * box.dimension}", "mean pair density")
        coords["distance"] = middles(pairs, "distance")
    if gaps := observables["gaps"]:
        sums = counts.gap_sums.sum("group").values
        law = sums / np.maximum(sums.sum(axis=-1, keepdims=True), 1) * gaps["bins"] / gaps["reach"]
        moments["gap"] = (
            ("initial_condition", "time", "gap"),
            law,
            {"units": "length-1", "long_name": "probability density of the distance of neighbours"},
        )
        coords["gap_distance"] = middles(gaps, "gap")
    return xr.Dataset(moments | {name: counts[name] for name in KEPT}, coords=coords)


def middles(histogram, name):
    """Coordinate of the middles of the bins of a histogram."""
    width = histogram["reach"] / histogram["bins"]
    return name, (np.arange(histogram["bins"]) + 0.5) * width, {"units": "length"}


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, files = snakemake.params.settings, snakemake.input.counts
        merged = merge_counts([read(path) for path in files])
        dataset = combine_densities(merged, settings)
        write(dataset, snakemake.output[0], provenance(settings, files, {"counts": content_hash(merged)}))
