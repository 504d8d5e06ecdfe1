"""Match the simulated moments of a split at every step by a model's family: the best that its dynamics could reach.

==========  ===================================  ==================================================================
variable    dimensions                           what it is
==========  ===================================  ==================================================================
theta       initial_condition, time, parameter   parameters of the Boltzmann distribution
mean        initial_condition, time, observable  exact means at these parameters
==========  ===================================  ==================================================================
"""

import xarray as xr

from dbd.jobs import job
from dbd.matching import match
from dbd.models import build_chain, build_model
from dbd.prediction import exact_moments
from dbd.store import provenance, read, write


def match_oracle(settings, model, moments):
    """Return the dataset of a model family matched to simulated moments."""
    theta = match(build_chain(model), moments["mean"].values, moments.observable.values)
    mean = exact_moments(model, theta, settings["observables"]).mean
    units = {"units": "1"}
    return xr.Dataset(
        {
            "theta": (
                ("initial_condition", "time", "parameter"),
                theta,
                units | {"long_name": "parameters of the Boltzmann distribution"},
            ),
            "mean": (("initial_condition", "time", "observable"), mean, units | {"long_name": "matched mean count"}),
        },
        coords={"parameter": list(model.parameters), "observable": settings["observables"], "step": moments.step},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        settings = snakemake.params.settings
        model = build_model(settings, settings["models"][snakemake.wildcards.model])
        dataset = match_oracle(settings, model, read(snakemake.input.moments))
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.moments]))
