"""Simulate some runs of some starts in continuous space, and add up what is counted in their snapshots.

All are whole numbers, so the parts of an ensemble add up to the same in any order and however it is cut.
"""

import numpy as np
import xarray as xr

from dbd.build.particles import build_system, start_sampler
from dbd.continuum.particle_counts import Tally, counters
from dbd.files.netcdf import provenance, time_axis, variable, write
from dbd.job import job, progress
from dbd.numerics.random_streams import stream
from dbd.study.part import Part

DIMENSIONS = {
    "number": "time species",
    "cell": "time species cell",
    "pair": "time species other_species distance",
    "gap": "time gap",
}


def simulate_particles(settings, study, split, runs):
    """Return the dataset of a range of runs of the given starts."""
    system, species, ensemble = build_system(settings), settings["species"], settings["ensemble"]
    count = counters(system.box, len(species), settings["observables"])
    tallies = {name: [] for name in count}
    times = ensemble["dt"], ensemble["steps"], ensemble["substeps"]
    for index, start in enumerate(settings["starts"], settings["first"]):
        draw_start = start_sampler(system.box, species, start)
        for run in progress(runs, len(runs), f"initial condition {index}, runs"):
            key = (study, split, index, run)
            particles = draw_start(stream(settings["seed"], "initial points", *key))
            snapshots = system.simulate(stream(settings["seed"], "simulate", *key), *particles, *times)
            for name, function in count.items():
                counts = function(snapshots)
                if run == runs[0]:
                    tallies[name].append(Tally.empty(ensemble["groups"], counts.shape))
                tallies[name][-1].add(run, counts)
    return dataset_of(tallies, settings)


def dataset_of(tallies, settings):
    """Return the dataset of tallies, one per initial condition, by the name of what was counted."""
    runs = np.stack([tally.runs for tally in tallies["number"]])
    variables = {"runs": variable("initial_condition group", runs, "number of runs")}
    for name, column in tallies.items():
        dims, sums = DIMENSIONS[name], np.stack([tally.sums for tally in column])
        squares = np.stack([tally.squares for tally in column])
        variables[f"{name}_sums"] = variable(
            f"initial_condition group {dims}", sums, f"{name} counts, summed over runs"
        )
        variables[f"{name}_squares"] = variable(
            f"initial_condition {dims}", squares, f"squares of {name} counts, summed over runs"
        )
    first, steps = settings["first"], settings["ensemble"]["steps"]
    return xr.Dataset(
        variables,
        {
            "initial_condition": range(first, first + len(settings["starts"])),
            **time_axis(np.arange(steps + 1), settings["ensemble"]["dt"]),
            "species": list(settings["species"]),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names = snakemake.params.settings, snakemake.wildcards
        dataset = simulate_particles(settings, names.study, names.split, Part.parse(names.part).runs)
        write(dataset, snakemake.output[0], provenance(settings))
