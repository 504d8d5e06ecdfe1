"""Find the functions of a model's density equation from the training split."""

import xarray as xr

from dbd.build.density import build_density_model, cell_tallies, density_data
from dbd.build.particles import build_system
from dbd.continuum.density_equation import FUNCTIONS
from dbd.continuum.density_learning import DensityProblem, bootstrap, continuation
from dbd.continuum.mean_field import coefficients, fitted_factor
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.numerics.random_streams import stream


def functions(section, system, model, data, tallies, rng, log):
    """Learned functions with their bootstrap."""
    problem = DensityProblem(model, data, section["roughness"][0], tuple(section["scale"]))
    start = problem.constant(section["start_diffusion"])
    factors, held_out = section["roughness"], section["held_out"]
    stages, chosen, minimum = continuation(problem, factors, held_out, start, section["tolerance"])
    for stage in stages:
        log.info("roughness %g: misfit %.1f, held out %.1f", stage.roughness, stage.misfit, stage.held_out)
    log.info("chosen %g, misfit %.1f", chosen.roughness, chosen.misfit(minimum.point))
    replicates = bootstrap(rng, chosen, minimum, tallies, section["bootstrap"])
    columns = {
        "roughness": "weight of the roughness penalty",
        "misfit": "action on the training starts that were not held out",
        "held_out": "action on the training starts that were held out",
    }
    meaning = "coefficients learned from resampled runs"
    more = {"replicates": variable("replicate function coefficient", replicates, meaning)}
    for name, meaning in columns.items():
        more[name] = variable("stage", [getattr(stage, name) for stage in stages], meaning)
    more["chosen"] = variable("", chosen.roughness, "weight of the roughness penalty that was kept")
    return chosen.coefficients(minimum.point), more


def mean_field(section, system, model, data, tallies, rng, log):
    """Functions by mean-field theory."""
    return coefficients(system, model.grid), {}


def rate_law(section, system, model, data, tallies, rng, log):
    """Functions by mean-field theory, with one constant fitted."""
    factor = fitted_factor(system, model, data)
    log.info("pair reactions times %.4g", factor)
    return coefficients(system, model.grid, factor), {"factor": variable("", factor, "factor of the pair reactions")}


RECIPES = {recipe.__name__: recipe for recipe in (functions, mean_field, rate_law)}


def learn_densities(settings, study, name, densities, log):
    """Return the dataset of a model."""
    chosen = {key: value for key, value in settings["models"][name].items() if key in RECIPES and value is not None}
    ((recipe, section),) = chosen.items()
    model = build_density_model(settings)
    data = density_data(model, settings["starts"], densities)
    rng = stream(settings["seed"], "bootstrap", study, name)
    u, more = RECIPES[recipe](section, build_system(settings), model, data, cell_tallies(densities), rng, log)
    functions = variable("function coefficient", u, "coefficients of the functions, derivatives per grid unit")
    return xr.Dataset({"u": functions} | more, {"function": list(FUNCTIONS)})


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names = snakemake.params.settings, snakemake.wildcards
        dataset = learn_densities(settings, names.study, names.model, read(snakemake.input.densities), log)
        write(dataset, snakemake.output[0], provenance(settings, [snakemake.input.densities]))
