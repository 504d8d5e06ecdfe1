"""What the learning of a model reads and writes, whatever its recipe: data, a resumable run, and the learned dynamics.

=============  ===================================  ===============================================================
variable       dimensions                           what it is
=============  ===================================  ===============================================================
u              parameter, coefficient               coefficients of the Q3 C1 elements, derivatives per grid unit
lower, upper   axis                                 corners of the grid
spacing        axis                                 its spacing
theta          initial_condition, time, parameter   learned trajectories of the training initial conditions
draws          draw, parameter, spline              functions that the data leave possible, by recipes that say it
action         optimisation_step                    action after each step
gradient_norm  optimisation_step                    norm of its gradient
=============  ===================================  ===============================================================
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dbd.boltzmann.energy import EnergyModel
from dbd.build.model import build_dynamics, build_family
from dbd.files.checkpoints import State, checkpointed, load_checkpoint
from dbd.files.netcdf import provenance, read, time_axis, variable, write
from dbd.learning.dynamics import Dynamics
from dbd.learning.recipes.base import Recipe
from dbd.numerics.random_streams import stream


@dataclass(frozen=True)
class LearningRun:
    """One model, its differential equations and the data that they are learned from.

    Parameters
    ----------
    settings
        Sections of the study, plain mappings.
    names
        Names of the study and of the model.
    model, dynamics
        The model and its differential equations.
    initial
        Parameters at time zero, (initial condition, parameter).
    moments
        Moments of the training split.
    provenance
        What the result is made from: the key of the checkpoint. The moments stand for the lattices, which come in
        files that results do not depend on.
    """

    settings: Mapping[str, Any]
    names: tuple[str, str]
    model: EnergyModel
    dynamics: Dynamics
    initial: np.ndarray
    moments: xr.Dataset
    provenance: Mapping[str, str]

    @classmethod
    def read(cls, settings: Mapping[str, Any], study: str, model: str, moments: str, initial: str) -> "LearningRun":
        """Build the model of a name and read the files of moments and initial parameters."""
        section = settings["models"][model]
        family = build_family(settings, section)
        return cls(
            settings,
            (study, model),
            family.model,
            build_dynamics(settings, section, family),
            read(initial, "theta").theta.values,
            read(moments),
            provenance(settings, [moments, initial]),
        )

    @property
    def section(self) -> Mapping[str, Any]:
        """Section of the model in the settings."""
        return self.settings["models"][self.names[1]]

    @property
    def means(self) -> np.ndarray:
        """Simulated means, (initial condition, time, observable)."""
        return self.moments["mean"].values

    @property
    def steps(self) -> int:
        """Time steps of the data."""
        return self.moments.sizes["time"] - 1

    def generator(self, *place: str | int) -> np.random.Generator:
        """Random stream of a place in the learning of this model."""
        return stream(self.settings["seed"], "learn", *self.names, *place)

    def learn(
        self,
        recipe: Recipe,
        steps: int,
        output: str,
        threads: int,
        log: logging.Logger,
        draws: Callable[[State], np.ndarray | None] = lambda state: None,
    ) -> None:
        """Run a recipe to its end, from its checkpoint if there is one, and write the learned dynamics.

        Parameters
        ----------
        recipe
            How to learn.
        steps
            Time steps of the trajectories that are written.
        output
            File of the result; until the end its checkpoint is in the same folder.
        threads
            Size of the thread pool; results do not depend on it.
        log
            Log of the steps.
        draws
            Functions that the data leave possible, as splines, (draw, parameter, splines), from the last state; None
            where that is not known.
        """
        checkpoint = Path(output).with_suffix(".checkpoint")
        kept = load_checkpoint(checkpoint, self.provenance)
        if kept is not None:
            log.info("going on from optimisation step %d", len(kept["action"]))
        for state in checkpointed(recipe.states(kept), checkpoint, self.provenance):
            action, gradient = state["action"], state["gradient_norm"]
            log.info("step %d: action %.6g, gradient %.3g", len(action), action[-1], gradient[-1])
        theta = self.dynamics.integrate(state["u"], self.initial, steps, threads=threads)
        dataset = self._dataset(state, theta)
        if (found := draws(state)) is not None:
            meaning = "functions that the data leave possible, spline coefficients"
            dataset["draws"] = variable("draw parameter spline", found.astype(np.float32), meaning)
        write(dataset, output, self.provenance)
        checkpoint.unlink(missing_ok=True)

    def _dataset(self, state: State, theta: np.ndarray) -> xr.Dataset:
        units, domain = {"units": "1"}, self.section["domain"]
        return xr.Dataset(
            {
                "u": (
                    ("parameter", "coefficient"),
                    state["u"],
                    units | {"long_name": "coefficients of the right-hand sides, derivatives per grid unit"},
                ),
                **{name: ("axis", domain[name], units) for name in ("lower", "upper", "spacing")},
                "theta": (
                    ("initial_condition", "time", "parameter"),
                    theta,
                    units | {"long_name": "learned trajectories"},
                ),
                "action": ("optimisation_step", state["action"], units | {"long_name": "action after the step"}),
                "gradient_norm": (
                    "optimisation_step",
                    state["gradient_norm"],
                    units | {"long_name": "Euclidean norm of the gradient of the action"},
                ),
            },
            {
                **time_axis(np.arange(theta.shape[1]), self.dynamics.dt),
                "parameter": list(self.model.parameters),
                "axis": domain["parameters"],
            },
        )
