"""A learned model to use: `load` it from the folder of its results, then predict, sample and read its equations."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dbd.boltzmann.family import CompositionAndCouplings, Family
from dbd.boltzmann.moment_map import MomentMap
from dbd.build.model import build_dynamics, build_family, build_moment_map
from dbd.build.system import build_network
from dbd.closure.draws import draws_of
from dbd.closure.equations import FORMS
from dbd.closure.prediction import predicted
from dbd.closure.starts import check_numbers, from_counts, from_parameters
from dbd.closure.system import System
from dbd.files.netcdf import StoreError, configuration_of, read
from dbd.learning.dynamics import Dynamics
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.messages import mismatch, one_of
from dbd.numerics.random_streams import stream


@dataclass(frozen=True)
class Closure:
    """A learned model.

    Attributes
    ----------
    title
        Study and model.
    settings, section
        Sections of the study, and that of the model.
    family
        Its Boltzmann distribution in its coordinates, on the lattice of the study or on another one.
    dynamics, coefficients
        Its differential equations on the study's lattice, in densities and couplings, which do not depend on the size
        of a box; and the coefficients of the learned functions, of their dependence on rates too.
    learned
        Its trajectories from the training initial conditions, (initial condition, time, P).
    draws
        Functions that the data leave possible, as splines, (draw, function, splines), if they are known.
    """

    title: str
    settings: Mapping[str, Any]
    section: Mapping[str, Any]
    family: Family
    dynamics: Dynamics | ReactionDynamics
    coefficients: np.ndarray
    learned: np.ndarray
    draws: np.ndarray | None = None

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters: densities and couplings, or biases and couplings."""
        return self.family.names

    @cached_property
    def moment_map(self) -> MomentMap:
        """Moments of its distribution."""
        return build_moment_map(self.family, self.settings["observables"], self.section["sampling"])

    @cached_property
    def system(self) -> System:
        """Its differential equations as data."""
        closure = self.at()
        return System.of(closure.dynamics, self.parameters, closure.coefficients)

    def right_hand_side(self, theta: np.ndarray) -> np.ndarray:
        """Return d theta / dt at parameters `theta` (..., P), per unit of time."""
        return self.system.right_hand_side(theta)

    def equations(self, form: str = "text") -> str:
        """Its differential equations, as ``text`` or ``latex``; a learned function is its name, domain and grid."""
        if form not in FORMS:
            raise ValueError(f"form: {mismatch(form, one_of(FORMS))}")
        return FORMS[form](self.system, self.title)

    def at(self, rates: Mapping[str, float] | None = None, lattice: Sequence[int] | None = None) -> "Closure":
        """Return the model with other rates, on a lattice of another shape, as `predict` takes them."""
        closure = self
        if rates or getattr(self.dynamics, "reference", ()):
            constants = self._constants(rates or {})
            dynamics, coefficients = self.dynamics.at(constants, self.coefficients)
            closure = replace(closure, dynamics=dynamics, coefficients=coefficients)
        if lattice is not None:
            model = self.family.model
            axes = model.lattice.dimension
            whole = all(isinstance(sites, int | np.integer) for sites in lattice)
            if len(lattice) != axes or not whole:
                raise ValueError(f"lattice: {mismatch(tuple(lattice), f'{axes} whole numbers of sites')}")
            shaped = replace(model, lattice=replace(model.lattice, shape=tuple(map(int, lattice))))
            closure = replace(closure, family=replace(self.family, model=shaped))
        return closure

    def _constants(self, rates: Mapping[str, float]) -> np.ndarray:
        """Rates of all reactions, those of the study but for some, (reactions,)."""
        names = {reaction["equation"]: index for index, reaction in enumerate(self.settings.get("reactions") or ())}
        known = list(names)
        if not isinstance(self.family, CompositionAndCouplings):
            known = [known[place] for place in getattr(self.dynamics, "varied", ())]
            if rates and not known:
                raise ValueError("rates: got some for a model in natural parameters that was learned at a single rate")
        if rates and not names:
            raise ValueError("rates: got some for a model without reactions, which has none in its equations")
        check_numbers("rates", rates, known)
        reactions = list(self.settings["reactions"])
        for equation, value in rates.items():
            reaction = reactions[names[equation]]
            key = "probability" if reaction["rate"] is None else "rate"
            reactions[names[equation]] = {**reaction, key: float(value)}
        return build_network({**self.settings, "reactions": reactions}).constants

    def start(
        self, counts: Mapping[str, float] | None = None, parameters: Mapping[str, float] | None = None
    ) -> np.ndarray:
        """Parameters at time zero, (P,), from numbers of molecules at random sites or by name; ValueError if wrong."""
        if (counts is None) == (parameters is None):
            got = "both" if counts is not None else "neither"
            raise ValueError(f"start: {mismatch(got, 'either counts or parameters')}")
        if parameters is None:
            return from_counts(self.family, self.section["initial"]["others"], counts)
        return from_parameters(self.family, parameters)

    def predict(
        self,
        *,
        counts: Mapping[str, float] | None = None,
        parameters: Mapping[str, float] | None = None,
        rates: Mapping[str, float] | None = None,
        steps: int | None = None,
        lattice: Sequence[int] | None = None,
        threads: int = 1,
    ) -> xr.Dataset:
        """Predict the moments of an ensemble of runs over time.

        Parameters
        ----------
        counts
            Numbers of molecules at the start, at random sites; a species that is not named is absent.
        parameters
            Instead: parameters at the start, by name; in mixed coordinates those of species are densities.
        rates
            Other rates (probabilities for two reactants), by equation as in the study. A model that was learned at
            several rates of a reaction knows what they do. All others are for small changes, in mixed coordinates only:
            fluxes are proportional to rates, and learned factors of the fluxes and drives of couplings stay.
        steps
            Time steps, by default as many as were learned from.
        lattice
            Sites per axis of another lattice, with as many axes. Densities and couplings do not depend on its size;
            walls and the spread between runs do, so take one that is not smaller than the study's.
        threads
            Size of the thread pool; results do not depend on it.

        Returns
        -------
        As `dbd.closure.prediction.predicted`, without initial conditions. A trajectory with an `excess` above zero has
        left the region that the model knows.

        Raises
        ------
        ValueError
            In one line, for whatever the model cannot answer.
        """
        if steps is not None and (not isinstance(steps, int | np.integer) or steps < 1):
            raise ValueError(f"steps: {mismatch(steps, 'a whole number, 1 or more')}")
        closure = self.at(rates, lattice)
        initial = closure.start(counts, parameters)[None]
        steps = self.learned.shape[1] - 1 if steps is None else steps
        dataset = predicted(
            closure.family,
            closure.dynamics,
            closure.moment_map,
            closure.coefficients,
            initial,
            steps,
            None,
            lambda *point: stream(self.settings["seed"], "closure", *point),
            threads,
            self.draws,
        )
        return dataset.isel(initial_condition=0).assign_attrs(Conventions="CF-1.11", title=self.title)

    def sample(
        self,
        time: float,
        runs: int,
        *,
        counts: Mapping[str, float] | None = None,
        parameters: Mapping[str, float] | None = None,
        rates: Mapping[str, float] | None = None,
        lattice: Sequence[int] | None = None,
    ) -> np.ndarray:
        """Lattices of runs at a time, drawn from the model's distribution; the start is given as for `predict`.

        Returns
        -------
        0 for an empty site, 1, 2, ... for the species in the order of the study; uint8, (runs, sites per axis ...).

        Raises
        ------
        ValueError
            As `predict`, and for a time that is not a multiple of the time step.
        """
        dt = self.dynamics.dt
        if time < 0 or abs(time / dt - round(time / dt)) > 1e-6:
            raise ValueError(f"time: {mismatch(time, f'a multiple of {dt}, 0 or more')}")
        if not isinstance(runs, int | np.integer) or runs < 1:
            raise ValueError(f"runs: {mismatch(runs, 'a whole number, 1 or more')}")
        closure = self.at(rates, lattice)
        initial = closure.start(counts, parameters)[None]
        theta = closure.dynamics.integrate(closure.coefficients, initial, round(time / dt))[0, -1]
        drawn = closure.moment_map.draw_visible(theta, runs, stream(self.settings["seed"], "closure", "sample"))
        return drawn.reshape(runs, *closure.family.model.lattice.shape)


def load(folder: str | Path) -> Closure:
    """Load a learned model from the folder of its results, ``results/<study>/models/<model>``.

    Raises
    ------
    StoreError
        In one line, for a folder that does not hold a learned model on a lattice and what was predicted with it.
    """
    folder = Path(folder)
    learned = read(folder / "dynamics.nc")
    settings = json.loads(learned.attrs["configuration"])
    ((name, section),) = settings["models"].items()
    if (recipe := section["learning"]["recipe"]) == "reduced_runs":
        raise StoreError(f"{folder}: recipe: {mismatch(recipe, 'a model with differential equations alone')}")
    # How moments are sampled is not needed for learning: the predictions know it.
    for path in sorted(folder.glob("*.nc")):
        section = configuration_of(path)["models"][name] | section
    if "sampling" not in section:
        raise StoreError(f"{folder}: {mismatch('no predictions', 'those that the study makes')}")
    family = build_family(settings, section)
    dynamics = build_dynamics(settings, section, family, learned)
    title = " of ".join((folder.name, folder.resolve().parents[1].name))
    return Closure(
        title, settings, section, family, dynamics, learned.u.values, learned.theta.values, draws_of(learned)
    )
