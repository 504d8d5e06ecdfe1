"""Match number and pairs of one start at some times by a Gibbs point process, and sample what was not matched."""

import numpy as np
import xarray as xr

from dbd.build.particles import build_box
from dbd.continuum.gibbs_process import match_pair_counts
from dbd.continuum.particle_counts import count_gaps, count_pairs, pair_volume
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job, progress
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream

BURN_IN = 0.05  # share of the last chain that is left out
SWEEPS = 8  # proposals between the samples that a match is judged by, per mean number of particles


def match_pairs(settings, study, densities):
    """Return the dataset from the densities of the evaluated split."""
    section, pairs, gaps = settings["matching"], settings["observables"]["pairs"], settings["observables"]["gaps"]
    box = build_box(settings)
    bins = round(section["reach"] / pairs["reach"] * pairs["bins"])
    volume = pair_volume(box, pairs["reach"], pairs["bins"])[:bins]
    grid = HermiteGrid.covering((0.0,), (section["reach"],), (section["spacing"],))
    columns = {name: [] for name in ("nu_1", "nu_2", "number", "pair_density", "gap")}
    for step in progress(section["steps"], len(section["steps"]), "matches"):
        data = densities.isel(initial_condition=section["initial_condition"], time=step, species=0, other_species=0)
        number, wanted = float(data.number), data.pair_density.values[:bins] * volume
        rng = stream(settings["seed"], "match", study, step)
        length = section["iterations"], section["samples"]
        matched = match_pair_counts(rng, box, grid, section["reach"], number, wanted, *length)
        most, moves = int(4 * number) + 20, int(SWEEPS * number) + 20
        start = rng.random((int(number), 1)) * box.lengths
        samples = matched.process.sample(rng, start, section["final_samples"], moves, most)
        kept = slice(int(BURN_IN * section["final_samples"]), None)
        counted = count_pairs(samples, box, section["reach"], bins, 1)[kept, 0, 0].mean(axis=0)
        gap = count_gaps(samples, box, gaps["reach"], gaps["bins"])[kept].sum(axis=0)
        columns["nu_1"].append(matched.nu_1)
        columns["nu_2"].append(matched.process.nu_2)
        columns["number"].append(np.diff(samples.offsets)[kept].mean())
        columns["pair_density"].append(counted / volume)
        columns["gap"].append(gap / gap.sum() * gaps["bins"] / gaps["reach"])
    meanings = {
        "nu_1": ("match", "interaction of single particles", "1"),
        "nu_2": ("match distance", "pair interaction", "1"),
        "number": ("match", "mean number of particles", "1"),
        "pair_density": ("match distance", "pair density", "length-2"),
        "gap": ("match gap", "probability density of the distance of neighbours", "length-1"),
    }
    return xr.Dataset(
        {name: variable(dims, columns[name], *meaning) for name, (dims, *meaning) in meanings.items()},
        {
            "step": variable("match", list(section["steps"]), "time step or observation"),
            "time": variable("match", densities.time.values[list(section["steps"])], "time in units of the rates"),
            "distance": densities.distance[:bins],
            "gap_distance": ("gap", densities.gap_distance.values, {"units": "length"}),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        dataset = match_pairs(settings, snakemake.wildcards.study, read(snakemake.input.densities))
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.densities]))
