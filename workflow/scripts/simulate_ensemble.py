"""Simulate some runs of some initial conditions.

====================  ===================================  ========================================================
variable              dimensions                           what it is
====================  ===================================  ========================================================
packed                initial_condition, run, byte, site   uint8; 0 empty, 1, 2, ... the species in declared order,
                                                           at consecutive times in a byte, see `dbd.lattice.packing`
initial_numbers       initial_condition, number            interaction parameters, or molecules of each species
turns                 initial_condition, run               hop attempts
====================  ===================================  ========================================================

What the reactions conserve is in the log, and is checked in every run.
"""

import numpy as np
import xarray as xr

from dbd.build.system import build_lattice, build_network
from dbd.files.netcdf import provenance, write
from dbd.job import job, progress
from dbd.lattice.packing import blocks, pack, times_per_byte
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import initial_lattices, initial_names, initial_numbers
from dbd.simulation.lattice_simulation import check_conserved, simulate_runs
from dbd.study.part import Part


def simulate_ensemble(settings, study, split, initial_conditions, runs, threads):
    """Return the dataset of the given ranges of initial conditions and runs."""
    lattice, network = build_lattice(settings), build_network(settings)
    start, species, selection = (
        settings["initial_condition"],
        settings["species"],
        settings["lattice"]["site_selection"],
    )
    dt, times, states = settings["ensemble"]["dt"], settings["ensemble"]["steps"] + 1, len(species) + 1
    digits = times_per_byte(states)
    packed = np.empty((len(initial_conditions), len(runs), -(-times // digits), lattice.size), np.uint8)
    turns = np.empty(packed.shape[:2], np.int64)
    numbers = []

    def numbers_of(*index: int) -> np.random.Generator:
        return stream(settings["seed"], "initial numbers", study, split, *index)

    for place, index in enumerate(progress(initial_conditions, len(initial_conditions), "initial conditions")):
        key = (study, split, index)
        numbers.append(initial_numbers(start, species, index, numbers_of))
        for some in blocks(len(runs), times * lattice.size, threads):
            placing = [stream(settings["seed"], "initial lattice", *key, run) for run in runs[some]]
            moving = [stream(settings["seed"], "simulate", *key, run) for run in runs[some]]
            lattices = initial_lattices(start, numbers[-1], lattice, species, selection, placing, threads=threads)
            occupancy, turns[place, some] = simulate_runs(
                lattices, network, lattice, selection, dt, times - 1, moving, threads=threads
            )
            check_conserved(network, occupancy)
            packed[place, some] = pack(occupancy, states)
    return xr.Dataset(
        {
            "packed": (
                ("initial_condition", "run", "byte", "site"),
                packed,
                {
                    "units": "1",
                    "long_name": f"states of a site, 0 empty, 1, 2, ... species, at {digits} consecutive times: "
                    f"digits in base {states}, the lowest first",
                    "states": states,
                    "species": " ".join(species),
                },
                {"chunksizes": (1, 1, *packed.shape[2:])},
            ),
            "initial_numbers": (
                ("initial_condition", "number"),
                np.array(numbers),
                {"units": "1", "long_name": "interaction parameters or numbers of molecules at the start"},
            ),
            "turns": (("initial_condition", "run"), turns, {"units": "1", "long_name": "hop attempts"}),
        },
        coords={
            "initial_condition": list(initial_conditions),
            "run": list(runs),
            "number": list(initial_names(start, species)),
            "step": ("time", np.arange(times), {"units": "1", "long_name": "time step"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        conserved = build_network(snakemake.params.settings).conserved_quantities()
        log.info("conserved by the reactions: %s", ", ".join(conserved) or "nothing")
        part = Part.parse(snakemake.wildcards.part)
        dataset = simulate_ensemble(
            snakemake.params.settings,
            snakemake.wildcards.study,
            snakemake.wildcards.split,
            part.conditions,
            part.runs,
            snakemake.threads,
        )
        write(dataset, snakemake.output[0], provenance(snakemake.params.settings))
