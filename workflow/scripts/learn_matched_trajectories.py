"""Learn a model from paths: static matching at every time, then whole trajectories.

=============  ===================================  ===============================================================
variable       dimensions                           what it is
=============  ===================================  ===============================================================
u              function, coefficient                coefficients of the Q3 C1 elements, derivatives per grid unit:
                                                    logarithms of flux corrections, then drives of the parameters
lower, upper   axis                                 corners of the grid
spacing        axis                                 its spacing
reference      reaction                             rates at which functions are those without a rate in their name;
                                                    not a number for rates that they do not depend on
theta          initial_condition, time, parameter   learned trajectories of the training initial conditions
matched        initial_condition, time, parameter   parameters that match the data
error          initial_condition, time, parameter   standard error of these, of data and sampling
draws          draw, function, spanning             functions that the data leave possible, if all rates are the same
spanning       spline, spanning                     functions that draws are combinations of, as splines
roughness                                           weight of the roughness penalty that was chosen
action         optimisation_step                    action after each step
gradient_norm  phase                                norm of its gradient at the end of each phase
=============  ===================================  ===============================================================

The roughness is chosen by the split ``validation``, or where there is none by a quarter of the training initial
conditions; the last phase learns from all.
"""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from dbd.build.ensemble import ensemble_of
from dbd.build.model import build_family, domain_axes, reactions_of
from dbd.files.checkpoints import checkpointed, load_checkpoint
from dbd.files.netcdf import provenance, read, time_axis, variable, write
from dbd.job import job
from dbd.learning.recipes.matched_trajectories import MatchedTrajectories
from dbd.learning.sampled_matching import Matched
from dbd.numerics.random_streams import stream

LEFT_OUT = 4  # every fourth training initial condition is held out where there is no validation split


def held_out(initial, generator):
    """Return which of the initial conditions of all splits choose the roughness."""
    if len(initial) > 1:
        return np.repeat([False, True], list(map(len, initial)))
    conditions = len(initial[0])
    return generator.permutation(conditions) < conditions // LEFT_OUT


def learn_matched_trajectories(settings, study, name, moments, initial, rates, threads):
    """Return the recipe of a model, from moments, initial parameters and rates of the splits it is learned from."""
    section = settings["models"][name]
    family, network, constants = build_family(settings, section), reactions_of(settings, section), np.concatenate(rates)
    own = network.constants if network else constants[0]
    generator_of = partial(stream, settings["seed"], "learn", study, name)
    return MatchedTrajectories(
        family,
        network,
        ensemble_of(family, moments, section["learning"]["last_step"]),
        held_out(initial, generator_of("held out")),
        np.concatenate(initial),
        domain_axes(section, family),
        settings["ensemble"]["dt"],
        section["integrator"]["substeps"],
        section["learning"]["roughness"],
        generator_of,
        threads,
        None if not constants.size or (constants == own).all() else constants,
    )


def dataset_of(recipe, state, training, equations):
    """Return the dataset of learned dynamics, with the trajectories of the first, training, initial conditions.

    Functions behind the first ones are how these depend on rates: their names are followed by the reaction's equation.
    """
    matched = Matched(*(state[field] for field in Matched._fields))
    learning, grid = recipe.learning(matched), "corners and spacing of the grid"
    dynamics, steps = learning.dynamics, matched.theta.shape[1] - 1
    constants = None if recipe.constants is None else recipe.constants[:training]
    theta = dynamics.integrate(state["u"], recipe.initial[:training], steps, recipe.threads, constants)
    functions, bands = list(dynamics.functions), {}
    if constants is not None:
        functions += [f"{name}, {equations[place]}" for place in dynamics.varied for name in dynamics.functions]
    else:
        draws = learning.draws(state["point"], float(state["roughness"]), recipe.generator_of("draws"))
        bands = {
            "draws": variable("draw function spanning", draws, "functions that the data leave possible"),
            "spanning": variable("spline spanning", learning.splines.astype(np.float32), "spanning functions"),
        }
    points = "initial_condition time parameter"
    return xr.Dataset(
        {
            "u": variable(
                "function coefficient", state["u"], "coefficients of the functions, derivatives per grid unit"
            ),
            "lower": variable("axis", list(dynamics.grid.lower), grid),
            "upper": variable("axis", list(dynamics.grid.upper), grid),
            "spacing": variable("axis", list(dynamics.grid.spacing), grid),
            "reference": variable(
                "reaction", list(dynamics.reference) or [np.nan] * len(equations), "rates that functions refer to"
            ),
            "theta": variable(points, theta, "learned trajectories"),
            "matched": variable(points, matched.theta[:training], "parameters that match the data"),
            "error": variable(points, matched.error[:training], "standard error of matched parameters"),
            **bands,
            "roughness": variable("", float(state["roughness"]), "weight of the roughness penalty that was chosen"),
            "action": variable("optimisation_step", state["action"], "action after the step"),
            "gradient_norm": variable("phase", state["gradient_norm"], "norm of the gradient at the end of a phase"),
        },
        {
            **time_axis(np.arange(steps + 1), dynamics.dt),
            "parameter": list(dynamics.names),
            "function": functions,
            "reaction": equations,
            "axis": [dynamics.names[k] for k in recipe.domain],
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        key = provenance(settings, [*given.moments, *given.initial])
        moments, starts = list(map(read, given.moments)), [read(path, "theta", "rates") for path in given.initial]
        initial, rates = ([start[field].values for start in starts] for field in ("theta", "rates"))
        recipe = learn_matched_trajectories(
            settings, names.study, names.model, moments, initial, rates, snakemake.threads
        )
        checkpoint = Path(snakemake.output[0]).with_suffix(".checkpoint")
        for state in checkpointed(recipe.states(load_checkpoint(checkpoint, key)), checkpoint, key):
            log.info("phase %d, roughness %g: action %s", state["phase"], state["roughness"], state["action"][-1:])
        log.info("action of initial conditions held out, phase by phase: %s", state["scores"])
        equations = starts[0].reaction.values.tolist()
        write(dataset_of(recipe, state, len(initial[0]), equations), snakemake.output[0], key)
        checkpoint.unlink(missing_ok=True)
