"""Predict the moments of a split by a classical closure or by independent sites: what reduced models have to beat."""

import xarray as xr

from dbd.build.system import build_lattice, build_network
from dbd.evaluation.baselines import BASELINES, BaselineInput
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job


def predict_baseline(settings, baseline, moments):
    """Return the dataset of a baseline by its name, from the simulated moments of a split."""
    moments = moments.isel(time=slice(settings["evaluation"]["extrapolate_to"] + 1))
    setting = BaselineInput(
        build_network(settings),
        build_lattice(settings),
        settings["ensemble"]["dt"],
        tuple(settings["observables"]),
        moments["mean"].sel(observable=settings["observables"]).values,
    )
    mean = BASELINES[baseline].predict(setting)
    return xr.Dataset(
        {"mean": variable("initial_condition time observable", mean, "predicted mean count")},
        {"observable": settings["observables"], "step": moments.step},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        dataset = predict_baseline(settings, snakemake.wildcards.baseline, read(snakemake.input.moments))
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.moments]))
