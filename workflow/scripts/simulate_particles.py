"""Simulate some runs of some starts in continuous space, and add up what is counted in their snapshots.

============================  ===========================================  ==========================================
variable                      dimensions                                   what it is
============================  ===========================================  ==========================================
runs                          initial_condition, group                     number of runs
number_sums                   initial_condition, group, time, species      particles, summed over runs
cell_sums                     initial_condition, group, time, species,     particles in equal cells (C order)
                              cell
pair_sums                     initial_condition, group, time, species,     ordered pairs by distance, if asked for
                              other, distance
gap_sums                      initial_condition, group, time, gap          distances of neighbours, if asked for
number_squares, ...           as the sums, without group                   squares of the counts, summed over runs
============================  ===========================================  ==========================================

All are whole numbers, so the parts of an ensemble add up to the same in any order and however it is cut.
"""

import numpy as np
import xarray as xr

from dbd.build.particles import build_system, start_sampler
from dbd.continuum.particle_counts import Tally, count_cells, count_gaps, count_pairs
from dbd.files.netcdf import provenance, write
from dbd.job import job, progress
from dbd.numerics.random_streams import stream
from dbd.study.part import Part

DIMENSIONS = {
    "number": ("time", "species"),
    "cell": ("time", "species", "cell"),
    "pair": ("time", "species", "other", "distance"),
    "gap": ("time", "gap"),
}


def counters(box, species, observables):
    """Functions from the snapshots of a run to counts, by the name of what they count."""
    cells, pairs, gaps = (observables[name] for name in ("cells", "pairs", "gaps"))
    found = {
        "number": lambda seen: count_cells(seen, box, (1,) * box.dimension, species).reshape(-1, species),
        "cell": lambda seen: count_cells(seen, box, tuple(cells), species).reshape(-1, species, int(np.prod(cells))),
    }
    if pairs:
        found["pair"] = lambda seen: count_pairs(seen, box, pairs["reach"], pairs["bins"], species)
    if gaps:
        found["gap"] = lambda seen: count_gaps(seen, box, gaps["reach"], gaps["bins"])
    return found


def simulate_particles(settings, study, split, runs):
    """Return the dataset of a range of runs of the given starts."""
    system, species, ensemble = build_system(settings), settings["species"], settings["ensemble"]
    count = counters(system.box, len(species), settings["observables"])
    tallies = {name: [] for name in count}
    for index, start in enumerate(settings["starts"], settings["first"]):
        draw = start_sampler(system.box, species, start)
        for run in progress(runs, len(runs), f"initial condition {index}, runs"):
            key = (study, split, index, run)
            position, kind = draw(stream(settings["seed"], "initial points", *key))
            snapshots = system.simulate(
                stream(settings["seed"], "simulate", *key),
                position,
                kind,
                ensemble["dt"],
                ensemble["steps"],
                ensemble["substeps"],
            )
            for name, function in count.items():
                counts = function(snapshots)
                if run == runs[0]:
                    tallies[name].append(Tally.empty(ensemble["groups"], counts.shape))
                tallies[name][-1].add(run, counts)
    return dataset_of(tallies, settings)


def dataset_of(tallies, settings):
    """Return the dataset of tallies, one per initial condition, by the name of what was counted."""
    first, steps = settings["first"], settings["ensemble"]["steps"]
    variables = {
        "runs": (
            ("initial_condition", "group"),
            np.stack([tally.runs for tally in tallies["number"]]),
            {"units": "1", "long_name": "number of runs"},
        )
    }
    for name, column in tallies.items():
        where = DIMENSIONS[name]
        variables[f"{name}_sums"] = (
            ("initial_condition", "group", *where),
            np.stack([tally.sums for tally in column]),
            {"units": "1", "long_name": f"{name} counts, summed over runs"},
        )
        variables[f"{name}_squares"] = (
            ("initial_condition", *where),
            np.stack([tally.squares for tally in column]),
            {"units": "1", "long_name": f"squares of {name} counts, summed over runs"},
        )
    return xr.Dataset(
        variables,
        coords={
            "initial_condition": range(first, first + len(settings["starts"])),
            "step": ("time", np.arange(steps + 1), {"units": "1", "long_name": "observation"}),
            "species": list(settings["species"]),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        dataset = simulate_particles(
            snakemake.params.settings, snakemake.wildcards.study, snakemake.wildcards.split, Part.parse(snakemake.wildcards.part).runs
        )
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings))
