"""Simulate some runs of some initial conditions.

What the reactions conserve is in the log, and is checked in every run.
"""

from functools import partial

import numpy as np

from dbd.build.system import build_lattice, build_network
from dbd.files.ensemble import ensemble_dataset
from dbd.files.netcdf import provenance, variable, write
from dbd.job import job, progress
from dbd.lattice.packing import blocks, pack, times_per_byte
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import initial_lattices, initial_names, initial_numbers, initial_rates
from dbd.simulation.lattice_simulation import check_conserved, simulate_runs
from dbd.study.part import Part


def simulate_ensemble(settings, study, split, initial_conditions, runs, threads):
    """Return the dataset of the given ranges of initial conditions and runs."""
    lattice, network = build_lattice(settings), build_network(settings)
    start, species = settings["initial_condition"], settings["species"]
    selection = settings["lattice"]["site_selection"]
    dt, times, states = settings["ensemble"]["dt"], settings["ensemble"]["steps"] + 1, len(species) + 1
    packed = np.empty((len(initial_conditions), len(runs), -(-times // times_per_byte(states)), lattice.size), np.uint8)
    turns = np.empty(packed.shape[:2], np.int64)
    events = np.empty((*packed.shape[:2], times - 1, len(network.reactions)), np.int32)
    numbers, constants = [], []

    numbers_of = partial(stream, settings["seed"], "initial numbers", study, split)
    for row, index in enumerate(progress(initial_conditions, len(initial_conditions), "initial conditions")):
        key = (study, split, index)
        numbers.append(initial_numbers(start, species, index, numbers_of))
        rates = initial_rates(start, index, numbers_of)
        own = network.with_constants(rates.get(known.equation, known.constant) for known in network.reactions)
        constants.append(own.constants)
        for some in blocks(len(runs), times * lattice.size, threads):
            placing = [stream(settings["seed"], "initial lattice", *key, run) for run in runs[some]]
            moving = [stream(settings["seed"], "simulate", *key, run) for run in runs[some]]
            lattices = initial_lattices(start, numbers[-1], lattice, species, selection, placing, threads=threads)
            occupancy, turns[row, some], events[row, some] = simulate_runs(
                lattices, own, lattice, selection, dt, times - 1, moving, threads=threads
            )
            check_conserved(network, occupancy)
            packed[row, some] = pack(occupancy, states)
    dataset = ensemble_dataset(
        packed,
        species,
        np.array(numbers),
        initial_names(start, species),
        np.array(constants),
        events,
        [reaction.equation for reaction in network.reactions],
        initial_conditions,
        runs,
        dt,
    )
    return dataset.assign(turns=variable("initial_condition run", turns, "hop attempts"))


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names = snakemake.params.settings, snakemake.wildcards
        log.info(
            "conserved by the reactions: %s", ", ".join(build_network(settings).conserved_quantities()) or "nothing"
        )
        part = Part.parse(names.part)
        dataset = simulate_ensemble(settings, names.study, names.split, part.conditions, part.runs, snakemake.threads)
        write(dataset, snakemake.output[0], provenance(settings))
