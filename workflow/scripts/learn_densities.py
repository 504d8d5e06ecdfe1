"""Find the functions of a model's density equation from the training split.

=============  ==============================  ==========================================================
variable       dimensions                      what it is
=============  ==============================  ==========================================================
u              function, coefficient           coefficients of F0, F1, ln F2, derivatives per grid unit
replicates     replicate, function,            the same, learned from resampled runs (learned functions)
               coefficient
roughness      stage                           weights of the penalty that were tried (learned functions)
misfit         stage                           action on the training starts that were not held out
held_out       stage                           action on those that were
chosen         --                              weight of the penalty that was kept
factor         --                              factor of the pair reactions in the fitted rate law
=============  ==============================  ==========================================================
"""

import xarray as xr

from dbd.build.density import build_density_model, cell_tallies, density_data
from dbd.build.particles import build_system
from dbd.continuum.density_equation import FUNCTIONS
from dbd.continuum.density_learning import DensityProblem, bootstrap, continuation
from dbd.continuum.mean_field import coefficients, fitted_factor
from dbd.files.netcdf import provenance, read, write
from dbd.job import job
from dbd.numerics.random_streams import stream

UNITS = {"units": "1"}


def functions(section, system, model, data, tallies, rng, log):
    """Learned functions with their bootstrap."""
    problem = DensityProblem(model, data, section["roughness"][0], tuple(section["scale"]))
    start = problem.constant(section["start_diffusion"])
    stages, chosen, minimum = continuation(
        problem, section["roughness"], section["held_out"], start, section["tolerance"]
    )
    for stage in stages:
        log.info("roughness %g: misfit %.1f, held out %.1f", stage.roughness, stage.misfit, stage.held_out)
    log.info("chosen %g, misfit %.1f", chosen.roughness, chosen.misfit(minimum.point))
    replicates = bootstrap(rng, chosen, minimum, tallies, section["bootstrap"])
    columns = {
        "roughness": "weight of the roughness penalty",
        "misfit": "action on the training starts that were not held out",
        "held_out": "action on the training starts that were held out",
    }
    return chosen.coefficients(minimum.point), {
        "replicates": (
            ("replicate", "function", "coefficient"),
            replicates,
            UNITS | {"long_name": "coefficients learned from resampled runs"},
        ),
        **{
            name: ("stage", [getattr(stage, name) for stage in stages], UNITS | {"long_name": meaning})
            for name, meaning in columns.items()
        },
        "chosen": ((), chosen.roughness, UNITS | {"long_name": "weight of the roughness penalty that was kept"}),
    }


def mean_field(section, system, model, data, tallies, rng, log):
    """Functions by mean-field theory."""
    return coefficients(system, model.grid), {}


def rate_law(section, system, model, data, tallies, rng, log):
    """Functions by mean-field theory, with one constant fitted."""
    factor = fitted_factor(system, model, data)
    log.info("pair reactions times %.4g", factor)
    long_name = "factor of the pair reactions"
    return coefficients(system, model.grid, factor), {"factor": ((), factor, UNITS | {"long_name": long_name})}


RECIPES = {recipe.__name__: recipe for recipe in (functions, mean_field, rate_law)}


def learn_densities(settings, study, name, densities, log):
    """Return the dataset of a model."""
    chosen = {key: value for key, value in settings["models"][name].items() if key in RECIPES and value is not None}
    ((recipe, section),) = chosen.items()
    model = build_density_model(settings)
    data = density_data(model, settings["starts"], densities)
    rng = stream(settings["seed"], "bootstrap", study, name)
    u, more = RECIPES[recipe](section, build_system(settings), model, data, cell_tallies(densities), rng, log)
    long_name = "coefficients of the functions, derivatives per grid unit"
    return xr.Dataset(
        {"u": (("function", "coefficient"), u, UNITS | {"long_name": long_name})} | more,
        coords={"function": list(FUNCTIONS)},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names = snakemake.params.settings, snakemake.wildcards
        dataset = learn_densities(settings, names.study, names.model, read(snakemake.input.densities), log)
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.densities]))
