"""Learn the right-hand sides of a model's differential equations from the training split.

=============  ===================================  ===============================================================
variable       dimensions                           what it is
=============  ===================================  ===============================================================
u              parameter, coefficient               coefficients of the Q3 C1 elements, derivatives per grid unit
lower, upper   axis                                 corners of the grid
spacing        axis                                 its spacing
theta          initial_condition, time, parameter   learned trajectories of the training initial conditions
action         optimisation_step                    action after each step
gradient_norm  optimisation_step                    norm of its gradient
=============  ===================================  ===============================================================

Each recipe has an action of its own: that of pieces of trajectories and then of whole ones; the mean square difference
of sampled moments in a window of time that moves on; or that of static matching and then of tracking.
"""

from pathlib import Path

import xarray as xr

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.contrastive_divergence import Contrast
from dbd.boltzmann.gibbs import Sampler
from dbd.build.model import build_dynamics, build_model
from dbd.build.path_matching import build_matches
from dbd.files.checkpoints import checkpointed, load_checkpoint
from dbd.files.netcdf import provenance, read, read_lattices, write
from dbd.job import job
from dbd.learning.divergence import Divergence
from dbd.learning.recipes.contrastive import Contrastive
from dbd.learning.recipes.gauss_newton import GaussNewton
from dbd.learning.recipes.path_tracking import PathTracking
from dbd.learning.sliding_window import SlidingWindow
from dbd.numerics.random_streams import stream


def gauss_newton(learning, model, dynamics, initial, moments, lattices, generator_of, threads):
    """Second-order steps on whole trajectories, exact moments."""
    return GaussNewton(
        Divergence.of(build_chain(model), moments["mean"].values, moments.observable.values, int(moments.runs[0])),
        dynamics,
        initial,
        learning["roughness"],
        learning["folds"],
        learning["steps"],
        learning["tolerance"],
        threads,
    )


def contrastive(learning, model, dynamics, initial, moments, lattices, generator_of, threads):
    """Stochastic gradient descent in a sliding window, sampled moments: the published recipe."""
    window = SlidingWindow(
        dynamics,
        Contrast(Sampler(model), learning["sweeps"], learning["start"]),
        [learning["rate"][name] for name in model.parameters],
        learning["window"],
        learning["steps_per_shift"],
        learning["batch"],
    )
    return Contrastive(window, initial, lattices(), generator_of, learning["steps"])


def path_tracking(learning, model, dynamics, initial, moments, lattices, generator_of, threads):
    """Static matching along time by sampled moments, then tracking of the matched paths."""
    observables = list(moments.observable.values)
    matches = build_matches(learning, model, initial, moments["mean"].values, observables, threads)
    how = {key: learning[key] for key in ("iterations", "roughness", "refinements")}
    return PathTracking(matches, dynamics, **how, generator_of=generator_of)


RECIPES = {recipe.__name__: recipe for recipe in (gauss_newton, path_tracking, contrastive)}


def dataset_of(state, theta, parameters, domain):
    """Return the dataset of learned dynamics."""
    units = {"units": "1"}
    return xr.Dataset(
        {
            "u": (
                ("parameter", "coefficient"),
                state["u"],
                units | {"long_name": "coefficients of the right-hand sides, derivatives per grid unit"},
            ),
            **{name: ("axis", domain[name], units) for name in ("lower", "upper", "spacing")},
            "theta": (("initial_condition", "time", "parameter"), theta, units | {"long_name": "learned trajectories"}),
            "action": ("optimisation_step", state["action"], units | {"long_name": "action after the step"}),
            "gradient_norm": (
                "optimisation_step",
                state["gradient_norm"],
                units | {"long_name": "Euclidean norm of the gradient of the action"},
            ),
        },
        coords={"parameter": list(parameters), "axis": domain["parameters"]},
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names = snakemake.params.settings, snakemake.wildcards
        section = settings["models"][names.model]
        model = build_model(settings, section)
        dynamics = build_dynamics(settings, section, model)
        initial = read(snakemake.input.initial, "theta").theta.values
        moments = read(snakemake.input.moments)
        files = snakemake.input.get("lattices", [])
        # The moments stand for the lattices, which come in files that results do not depend on.
        key = provenance(settings, [snakemake.input.moments, snakemake.input.initial])
        recipe = RECIPES[section["learning"]["recipe"]](
            section["learning"],
            model,
            dynamics,
            initial,
            moments,
            lambda: read_lattices(files),
            lambda *place: stream(settings["seed"], "learn", names.study, names.model, *place),
            snakemake.threads,
        )
        checkpoint = Path(snakemake.output[0]).with_suffix(".checkpoint")
        kept = load_checkpoint(checkpoint, key)
        if kept is not None:
            log.info("going on from optimisation step %d", len(kept["action"]))
        for state in checkpointed(recipe.states(kept), checkpoint, key):
            action, gradient = state["action"], state["gradient_norm"]
            log.info("step %d: action %.6g, gradient %.3g", len(action), action[-1], gradient[-1])
        steps = section["learning"].get("last_step") or moments.sizes["time"] - 1
        theta = dynamics.integrate(state["u"], initial, steps, threads=snakemake.threads)
        write(dataset_of(state, theta, model.parameters, section["domain"]), snakemake.output[0], key)
        checkpoint.unlink(missing_ok=True)
