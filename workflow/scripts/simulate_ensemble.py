"""Simulate some runs of some initial conditions.

What the reactions conserve is in the log, and is checked in every run.
"""

from functools import partial

import numpy as np
import xarray as xr

from dbd.build.system import build_lattice, build_network
from dbd.files.netcdf import provenance, time_axis, variable, write
from dbd.job import job, progress
from dbd.lattice.packing import blocks, pack, times_per_byte
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import initial_lattices, initial_names, initial_numbers
from dbd.simulation.lattice_simulation import check_conserved, simulate_runs
from dbd.study.part import Part


def simulate_ensemble(settings, study, split, initial_conditions, runs, threads):
    """Return the dataset of the given ranges of initial conditions and runs."""
    lattice, network = build_lattice(settings), build_network(settings)
    start, species = settings["initial_condition"], settings["species"]
    selection = settings["lattice"]["site_selection"]
    dt, times, states = settings["ensemble"]["dt"], settings["ensemble"]["steps"] + 1, len(species) + 1
    digits = times_per_byte(states)
    packed = np.empty((len(initial_conditions), len(runs), -(-times // digits), lattice.size), np.uint8)
    turns = np.empty(packed.shape[:2], np.int64)
    events = np.empty((*packed.shape[:2], times - 1, len(network.reactions)), np.int32)
    numbers = []

    numbers_of = partial(stream, settings["seed"], "initial numbers", study, split)
    for row, index in enumerate(progress(initial_conditions, len(initial_conditions), "initial conditions")):
        key = (study, split, index)
        numbers.append(initial_numbers(start, species, index, numbers_of))
        for some in blocks(len(runs), times * lattice.size, threads):
            placing = [stream(settings["seed"], "initial lattice", *key, run) for run in runs[some]]
            moving = [stream(settings["seed"], "simulate", *key, run) for run in runs[some]]
            lattices = initial_lattices(start, numbers[-1], lattice, species, selection, placing, threads=threads)
            occupancy, turns[row, some], events[row, some] = simulate_runs(
                lattices, network, lattice, selection, dt, times - 1, moving, threads=threads
            )
            check_conserved(network, occupancy)
            packed[row, some] = pack(occupancy, states)
    meaning = f"states of a site, 0 empty, 1, 2, ... species, at {digits} consecutive times: "
    meaning += f"digits in base {states}, the lowest first"
    dims = "initial_condition run byte site"
    chunks = {"chunksizes": (1, 1, *packed.shape[2:])}
    started = "interaction parameters or numbers of molecules at the start"
    return xr.Dataset(
        {
            "packed": (*variable(dims, packed, meaning, states=states, species=" ".join(species)), chunks),
            "initial_numbers": variable("initial_condition initial_quantity", np.array(numbers), started),
            "turns": variable("initial_condition run", turns, "hop attempts"),
            "events": variable("initial_condition run interval reaction", events, "events in every time step"),
        },
        {
            "initial_condition": list(initial_conditions),
            "run": list(runs),
            "initial_quantity": list(initial_names(start, species)),
            "reaction": [reaction.equation for reaction in network.reactions],
            **time_axis(np.arange(times), dt),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names = snakemake.params.settings, snakemake.wildcards
        log.info(
            "conserved by the reactions: %s", ", ".join(build_network(settings).conserved_quantities()) or "nothing"
        )
        part = Part.parse(names.part)
        dataset = simulate_ensemble(settings, names.study, names.split, part.conditions, part.runs, snakemake.threads)
        write(dataset, snakemake.output[0], provenance(settings))
