"""Learn a model in mixed coordinates: static matching at fixed composition, then whole trajectories.

=============  ===================================  ===============================================================
variable       dimensions                           what it is
=============  ===================================  ===============================================================
u              function, coefficient                coefficients of the Q3 C1 elements, derivatives per grid unit:
                                                    logarithms of flux corrections, then drives of the couplings
lower, upper   axis                                 corners of the grid
spacing        axis                                 its spacing
theta          initial_condition, time, parameter   learned trajectories of the training initial conditions
matched        initial_condition, time, parameter   densities of the data, and couplings that match them
error          initial_condition, time, parameter   standard error of these by sampling
action         optimisation_step                    action after each step
gradient_norm  phase                                norm of its gradient at the end of each phase
=============  ===================================  ===============================================================
"""

from functools import partial
from pathlib import Path

import xarray as xr

from dbd.build.mixed_coordinates import ensemble_of
from dbd.build.model import build_model, domain_axes
from dbd.build.system import build_network
from dbd.files.checkpoints import checkpointed, load_checkpoint
from dbd.files.netcdf import provenance, read, variable, write
from dbd.job import job
from dbd.learning.composition_matching import Matched
from dbd.learning.recipes.mixed_coordinates import MixedCoordinates, matched_paths
from dbd.numerics.random_streams import stream


def learn_mixed_coordinates(settings, study, name, moments, initial, threads):
    """Return the recipe of a model."""
    section = settings["models"][name]
    model = build_model(settings, section)
    return MixedCoordinates(
        model,
        build_network(settings),
        ensemble_of(model, moments, section["learning"]["last_step"], section["spread"]),
        initial,
        domain_axes(section, model),
        settings["ensemble"]["dt"],
        section["integrator"]["substeps"],
        section["learning"]["roughness"],
        partial(stream, settings["seed"], "learn", study, name),
        threads,
    )


def dataset_of(recipe, state):
    """Return the dataset of learned dynamics."""
    matched = Matched(*(state[field] for field in Matched._fields))
    dynamics, model, grid = recipe.learning(matched).dynamics, recipe.model, "corners and spacing of the grid"
    path, error = matched_paths(model, recipe.data, matched)
    theta = dynamics.integrate(state["u"], recipe.initial, path.shape[1] - 1, recipe.threads)
    points = "initial_condition time parameter"
    return xr.Dataset(
        {
            "u": variable(
                "function coefficient", state["u"], "coefficients of the functions, derivatives per grid unit"
            ),
            "lower": variable("axis", list(dynamics.grid.lower), grid),
            "upper": variable("axis", list(dynamics.grid.upper), grid),
            "spacing": variable("axis", list(dynamics.grid.spacing), grid),
            "theta": variable(points, theta, "learned trajectories"),
            "matched": variable(points, path, "densities of the data and couplings that match them"),
            "error": variable(points, error, "standard error of the couplings by sampling"),
            "roughness": variable("", float(state["roughness"]), "weight of the roughness penalty that was chosen"),
            "action": variable("optimisation_step", state["action"], "action after the step"),
            "gradient_norm": variable("phase", state["gradient_norm"], "norm of the gradient at the end of a phase"),
        },
        {
            "parameter": list(dynamics.names),
            "function": list(dynamics.functions),
            "axis": [model.parameters[k] for k in recipe.domain],
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        key = provenance(settings, [given.moments, given.initial])
        initial = read(given.initial, "theta").theta.values
        recipe = learn_mixed_coordinates(
            settings, names.study, names.model, read(given.moments), initial, snakemake.threads
        )
        checkpoint = Path(snakemake.output[0]).with_suffix(".checkpoint")
        for state in checkpointed(recipe.states(load_checkpoint(checkpoint, key)), checkpoint, key):
            log.info("phase %d, roughness %g: action %s", state["phase"], state["roughness"], state["action"][-1:])
        write(dataset_of(recipe, state), snakemake.output[0], key)
        checkpoint.unlink(missing_ok=True)
