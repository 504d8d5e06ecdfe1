"""Put runs from a source on the lattice: the file that a part has if it is simulated, of which nothing later can tell.

Only events are not known. Every job reads and checks the whole file of its split.
"""

import numpy as np

from dbd.build.source import Layout, read_source
from dbd.files.ensemble import ensemble_dataset
from dbd.files.netcdf import file_hash, provenance, write
from dbd.job import job
from dbd.lattice.packing import blocks, pack, times_per_byte
from dbd.study.part import Part


def import_ensemble(settings, split, path, conditions, runs):
    """Return the dataset of the given ranges of initial conditions and runs, from the file of the split."""
    layout = Layout.of(settings, split)
    molecules, species, times = read_source(path, layout), layout.species, layout.steps + 1
    states, sites = len(species) + 1, layout.lattice.size
    packed = np.empty((len(conditions), len(runs), -(-times // times_per_byte(states)), sites), np.uint8)
    for row, condition in enumerate(conditions):
        for some in blocks(len(runs), times * sites):
            packed[row, some] = pack(molecules.occupancy(layout, condition, runs[some]), states)
    numbers = molecules.initial_numbers(layout)[list(conditions)]
    events = np.empty((*packed.shape[:2], times - 1, 0), np.int32)
    rates = np.empty((len(conditions), 0))
    return ensemble_dataset(packed, species, numbers, species, rates, events, [], conditions, runs, layout.dt)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, file = snakemake.params.settings, snakemake.wildcards, snakemake.input.source
        part = Part.parse(names.part)
        dataset = import_ensemble(settings, names.split, file, part.conditions, part.runs)
        write(dataset, snakemake.output[0], provenance(settings, hashes={"source": file_hash(file)}))
