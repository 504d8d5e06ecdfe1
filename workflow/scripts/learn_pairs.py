"""Learn the closure of the pair equation from the training split."""

import numpy as np
import xarray as xr

from dbd.build.pairs import build_closure, build_pair_equation
from dbd.build.particles import start_pairs
from dbd.continuum.pair_learning import PairData, learn_closure
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job


def learn_pairs(settings, name, densities):
    """Return the dataset of a model."""
    section = settings["models"][name]["closure"]
    u, action = np.empty(0), np.empty(0)
    if section:
        equation = build_pair_equation(settings)
        (length,) = settings["space"]["lengths"]
        number, sem = (densities[key].isel(species=0).values / length for key in ("number", "number_sem"))
        data = [
            PairData(*start_pairs(pattern, equation.distance), one, np.hypot(error, section["error"] * one))
            for start, one, error in zip(settings["starts"], number, sem, strict=True)
            for pattern in start.values()
        ]
        closure = build_closure(section, equation)
        u, minimum = learn_closure(closure, data, section["roughness"], section["tolerance"])
        action = np.array(minimum.history)
    return xr.Dataset(
        {
            "u": variable("coefficient", u, "coefficients of the exponent, derivatives per grid unit"),
            "action": variable("optimisation_step", action, "misfit with penalty"),
        }
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings = snakemake.params.settings
        dataset = learn_pairs(settings, snakemake.wildcards.model, read(snakemake.input.densities))
        log.info("misfit %s", dataset.action.values)
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.densities]))
