"""Predict the moments of a split by reduced runs from its initial numbers of molecules.

Beside means and their standard errors: covariances between runs (of pairs, those of their means at the numbers and
correlations of each run), and the part of the runs in which a species is extinct.
"""

from functools import partial

import numpy as np
import xarray as xr

from dbd.build.reduced_runs import build_reduced_runs
from dbd.files.netcdf import provenance, read, time_axis, variable, write
from dbd.job import job
from dbd.numerics.random_streams import stream


def predict_reduced_runs(settings, study, split, model, learned, initial, threads):
    """Return the dataset of a split, from learned dynamics and initial parameters (initial condition, parameter)."""
    section, observables, steps = (
        settings["models"][model],
        settings["observables"],
        settings["evaluation"]["extrapolate_to"],
    )
    reduced, functions = build_reduced_runs(settings, section, learned)
    names, sites = reduced.model.parameters, reduced.model.lattice.size
    species = [names.index(name) for name in reduced.model.species]
    order = [[*reduced.model.species, *reduced.pairs].index(name) for name in observables]
    starts = np.rint(initial[:, species] * sites).astype(np.int64)
    found = {name: [] for name in ("theta", "excess", "mean", "covariance", "extinct")}
    streams = partial(stream, settings["seed"], "predict", study, split, model)
    for index, start in enumerate(starts):
        generators = [streams(index, run) for run in range(section["runs"])]
        numbers, correlations = reduced.simulate(
            functions, np.tile(start, (len(generators), 1)), steps, generators, threads
        )
        states = reduced.state(numbers, correlations)
        pairs = reduced.independent(numbers) * np.exp(correlations)
        counts = np.concatenate([numbers, pairs], axis=-1)[..., order]
        centred = counts - counts.mean(axis=0)
        found["theta"].append(states.mean(axis=0))
        found["excess"].append(reduced.grid.excess(states[..., list(reduced.domain)]).mean(axis=0))
        found["mean"].append(counts.mean(axis=0))
        found["covariance"].append(np.einsum("rta,rtb->tab", centred, centred) / (len(counts) - 1))
        found["extinct"].append((numbers == 0).mean(axis=0))
    values = {name: np.stack(rows) for name, rows in found.items()}
    std = np.sqrt(np.diagonal(values["covariance"], axis1=-2, axis2=-1))
    points = "initial_condition time"
    dims, outside = f"{points} observable", "mean distance from the grid of the functions, in grid units"
    return xr.Dataset(
        {
            "theta": variable(f"{points} parameter", values["theta"], "mean densities and correlations"),
            "excess": variable(points, values["excess"], outside),
            "mean": variable(dims, values["mean"], "predicted mean count"),
            "sem": variable(dims, std / np.sqrt(section["runs"]), "standard error of the predicted mean"),
            "std": variable(dims, std, "standard deviation between runs"),
            "covariance": variable(
                f"{dims} other_observable", values["covariance"], "covariance of two counts between runs"
            ),
            "extinct": variable(f"{points} species", values["extinct"], "part of the runs without a species"),
        },
        {
            **time_axis(np.arange(steps + 1), settings["ensemble"]["dt"]),
            "parameter": list(names),
            "observable": observables,
            "other_observable": observables,
            "species": list(reduced.model.species),
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        learned, initial = read(given.dynamics), read(given.initial, "theta").theta.values
        key = names.study, names.split, names.model
        dataset = predict_reduced_runs(settings, *key, learned, initial, snakemake.threads)
        write(dataset, snakemake.output[0], provenance(settings, [given.dynamics, given.initial]))
