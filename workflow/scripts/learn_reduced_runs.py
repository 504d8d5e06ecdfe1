"""Learn reduced runs from the counts and events of simulated runs.

=============  =======================  ===========================================================================
variable       dimensions               what it is
=============  =======================  ===========================================================================
u              function, coefficient    coefficients of the Q3 C1 elements, derivatives per grid unit: logarithms of
                                        factors of the reactions, then drives of the correlations
keep           pair                     part of each correlation that is left after a step
ratio          reaction                 variance of the events of a step by their mean
lower, upper   axis                     corners of the grid
spacing        axis                     its spacing
action         optimisation             half the deviance that is left by each function, in the order of learning
gradient_norm  optimisation             norm of its gradient
left_out       candidate                half the deviance of the runs that are left out, for each roughness
=============  =======================  ===========================================================================
"""

from pathlib import Path

import xarray as xr

from dbd.build.model import build_family, domain_axes
from dbd.build.reduced_runs import merge_runs
from dbd.build.system import build_network
from dbd.files.checkpoints import checkpointed, load_checkpoint
from dbd.files.netcdf import content_hash, provenance, read, variable, write
from dbd.job import job
from dbd.learning.recipes.reduced_runs import ReducedRunsRecipe, Runs
from dbd.numerics.random_streams import stream


def learn_reduced_runs(settings, study, name, runs):
    """Return the recipe of a model."""
    section = settings["models"][name]
    family, counts = build_family(settings, section), runs["counts"]
    model = family.model
    pairs = [word for word in model.parameters if len(word) == 2]
    return ReducedRunsRecipe(
        model,
        build_network(settings),
        Runs(
            counts.sel(observable=list(model.species)).values,
            counts.sel(observable=pairs).values,
            runs["events"].values,
        ),
        domain_axes(section, family),
        settings["ensemble"]["dt"],
        section["learning"]["roughness"],
        stream(settings["seed"], "learn", study, name),
    )


def dataset_of(recipe, state):
    """Return the dataset of learned dynamics."""
    reduced, learned, grid = recipe.reduced, recipe.learned(state), "corners and spacing of the grid"
    return xr.Dataset(
        {
            "u": variable(
                "function coefficient", learned.u, "coefficients of the functions, derivatives per grid unit"
            ),
            "keep": variable("pair", learned.keep, "part of a correlation that is left after a step"),
            "ratio": variable("reaction", learned.ratio, "variance of the events of a step by their mean"),
            "lower": variable("axis", list(reduced.grid.lower), grid),
            "upper": variable("axis", list(reduced.grid.upper), grid),
            "spacing": variable("axis", list(reduced.grid.spacing), grid),
            "roughness": variable("", float(state["roughness"]), "weight of the roughness penalty that was chosen"),
            "action": variable("optimisation", state["action"], "half the deviance left by a function"),
            "gradient_norm": variable("optimisation", state["gradient_norm"], "norm of its gradient"),
            "left_out": variable("candidate", state["scores"], "half the deviance of runs that are left out"),
        },
        {
            "function": list(reduced.functions),
            "pair": list(reduced.pairs),
            "axis": [recipe.model.parameters[k] for k in recipe.domain],
        },
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names, counts = snakemake.params.settings, snakemake.wildcards, snakemake.input.counts
        last = settings["models"][names.model]["learning"]["last_step"]
        runs = merge_runs((read(path, "counts", "events") for path in counts), last)
        key = provenance(settings, counts, {"counts": content_hash(runs)})
        recipe = learn_reduced_runs(settings, names.study, names.model, runs)
        checkpoint = Path(snakemake.output[0]).with_suffix(".checkpoint")
        for state in checkpointed(recipe.states(load_checkpoint(checkpoint, key)), checkpoint, key):
            log.info("phase %d: half deviances %s, left out %s", state["phase"], state["action"], state["scores"])
        write(dataset_of(recipe, state), snakemake.output[0], key)
        checkpoint.unlink(missing_ok=True)
