"""The typed definition of a study: every key of a study file, with its type, range, default and meaning.

A study is one YAML file, ``config/studies/<study>.yaml``; `dbd.study` reads it. Defaults that follow from other keys
are filled in by `dbd.defaults`; here they are None or empty, with words that say what they become. The JSON schema in
``config/schema`` and the key table of ``config/README.md`` are generated from the types here.
"""

import difflib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WrapValidator, model_validator

from dbd.defaults import complete

PATTERNS = {
    "^[A-Z]$": "one upper-case letter",
    "^[a-z][a-z0-9_]*$": "a lower-case letter and then lower-case letters, digits and _",
    "^#[0-9a-fA-F]{6}$": "a colour as '#rrggbb'",
}
LETTER, NAME, COLOR = PATTERNS


def _no_truth(value: Any) -> Any:
    """Refuse true and false, which would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("allowed is a number")
    return value


def _molecules(value: Any, check: Any) -> Any:
    """Check a number of molecules, or a range of it."""
    try:
        least, most = (value, value) if isinstance(value, int) else value
        if isinstance(value, bool) or not 0 <= least <= most:
            raise ValueError
        return check(value)
    except (TypeError, ValueError):
        raise ValueError("allowed is a number from 0, or a range [least, most]") from None


Letter = Annotated[str, Field(pattern=LETTER)]
Name = Annotated[str, Field(pattern=NAME)]
Count = Annotated[int, Field(ge=1, strict=True)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(_no_truth)]
Number = Annotated[float, Field(allow_inf_nan=False), BeforeValidator(_no_truth)]
Molecules = Annotated[int | tuple[int, int], WrapValidator(_molecules)]


class Strict(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for key in data:
                if key not in cls.model_fields:
                    near = difflib.get_close_matches(str(key), cls.model_fields, n=1)
                    hint = f" (did you mean '{near[0]}'?)" if near else ""
                    raise ValueError(f"unknown key '{key}'{hint}; allowed are {', '.join(cls.model_fields)}")
        return data


class Reaction(Strict):
    """A reaction: an equation and how often it happens."""

    equation: str = Field(description="Reactants -> products, for example 'A + B -> 2B'; 0 stands for nothing.")
    rate: Number | None = Field(
        None, description="Events per unit time and reactant (creation: per empty site); for at most one reactant."
    )
    probability: Number | None = Field(
        None, description="Chance that a collision of the two reactants reacts, 0 to 1; for two reactants."
    )


class LatticeSection(Strict):
    """The lattice."""

    shape: tuple[Count, ...] = Field(description="Sites along each axis: one, two or three numbers.")
    boundary: Literal["open", "periodic"] = Field("open", description="open: walls; periodic: axes wrap around.")
    site_selection: Literal["uniform", "axis_scan"] = Field(
        "uniform",
        description="How a random molecule or empty site is chosen: uniform over all, or first a plane, then a row, "
        "then a site (axis_scan, the choice behind the published 3-D ensembles).",
    )


class Box(Strict):
    """A box of interaction parameters."""

    lower: tuple[Number, ...] = Field(description="Lower corner, one number per interaction.")
    upper: tuple[Number, ...] = Field(description="Upper corner, one number per interaction.")
    design: Literal["random", "sobol"] = Field(
        "random",
        description="Independent points, or those of a scrambled Sobol sequence, which leave no large gaps.",
    )


class InitialCondition(Strict):
    """Where runs start: lattices drawn from a Boltzmann distribution (box or parameters), or numbers of molecules."""

    interactions: tuple[str, ...] = Field((), description="Statistics that carry the parameters, for example [A, AA].")
    box: Box | None = Field(None, description="Draw the parameters uniformly in this box.")
    parameters: tuple[tuple[Number, ...], ...] | None = Field(
        None, description="Explicit parameters, one row per initial condition."
    )
    sweeps: Count = Field(100, description="Gibbs sweeps from a random start that draw each initial lattice.")
    counts: dict[Letter, Molecules] | None = Field(
        None, description="Molecules of each species at random sites: a number, or a range [least, most] to draw from."
    )
    design: Literal["random", "sobol"] = Field(
        "random", description="How numbers are drawn from ranges of counts: as points are drawn from a box."
    )

    @model_validator(mode="after")
    def _one_way(self):
        given = [name for name in ("box", "parameters", "counts") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"found {' and '.join(given) or 'none'}; give exactly one of box, parameters, counts")
        if self.counts is None and not self.interactions:
            raise ValueError("interactions: empty; name the statistics that the parameters belong to")
        width = len(self.interactions)
        rows = {"box": [self.box.lower, self.box.upper] if self.box else [], "parameters": self.parameters or []}
        for name, vectors in rows.items():
            for index, row in enumerate(vectors):
                if len(row) != width:
                    raise ValueError(
                        f"{name}: row {index} has length {len(row)}; "
                        f"allowed is {width}, one number for each of {', '.join(self.interactions)}"
                    )
        if self.box:
            for name, low, high in zip(self.interactions, self.box.lower, self.box.upper, strict=True):
                if low > high:
                    raise ValueError(f"box: {name} from {low} to {high}; allowed is a lower corner below the upper one")
        return self


class Split(Strict):
    """A part of the ensemble with a purpose of its own, such as training or testing."""

    initial_conditions: Count | None = Field(
        None, description="How many initial conditions; may be left out where they are listed."
    )
    runs: Count = Field(description="Runs per initial condition.")
    initial_condition: InitialCondition | None = Field(
        None, description="Where the runs of this split start, if not where those of the study do."
    )


class Batch(Strict):
    """How the ensemble is cut into jobs; results do not depend on it."""

    initial_conditions: Count = Field(10, description="Initial conditions per job.")
    runs: Count = Field(100, description="Runs of each initial condition per job.")


class Ensemble(Strict):
    """The stochastic simulations."""

    dt: Positive = Field(description="Length of a time step, in the unit of time of the rates.")
    steps: Count = Field(100, description="Number of time steps; lattices are recorded at steps 0 to this.")
    splits: dict[Name, Split] = Field(
        {"train": Split(initial_conditions=20, runs=50), "test": Split(initial_conditions=10, runs=50)},
        min_length=1,
        description="Splits by name; 'train' is learned from, the others are held out.",
    )
    batch: Batch = Field(Batch(), description="How the ensemble is cut into jobs.")


class LayerSection(Strict):
    """A layer of hidden units above the visible sites or above the layer before it."""

    species: tuple[Letter, ...] = Field(description="Hidden species; each carries a bias.")
    weights: tuple[str, ...] = Field(description="Pairs of a species below and one of this layer, for example [AX].")
    offsets: tuple[tuple[int, ...], ...] = Field(
        description="Hidden unit i is connected to the units i + offset of the layer below."
    )
    wrap: bool = Field(False, description="Whether connections wrap around, whatever the lattice does.")


class Domain(Strict):
    """The parameters that the right-hand sides depend on, and the grid of Q3 C1 elements over them."""

    parameters: tuple[str, ...] = Field(
        (), min_length=1, max_length=4, description="Names of one to four parameters; by default the first three."
    )
    lower: tuple[Number, ...] = Field(
        (), description="Lower corner of the grid; by default -6 for visible biases, -3 for others."
    )
    upper: tuple[Number, ...] = Field((), description="Upper corner of the grid; by default 3.")
    spacing: tuple[Positive, ...] = Field((), description="Grid spacing of each parameter; by default 0.75.")

    @model_validator(mode="after")
    def _whole_cells(self):
        for name in self.parameters:
            if self.parameters.count(name) > 1:
                raise ValueError(f"parameters: '{name}' twice; allowed is each once")
        for name in ("lower", "upper", "spacing"):
            if len(getattr(self, name)) != len(self.parameters):
                raise ValueError(
                    f"{name}: {len(getattr(self, name))} numbers; "
                    f"allowed is one for each of {', '.join(self.parameters)}"
                )
        for low, high, step in zip(self.lower, self.upper, self.spacing, strict=True):
            cells = (high - low) / step
            if round(cells) < 1 or abs(cells - round(cells)) > 1e-6:
                raise ValueError(f"grid {low} .. {high} with spacing {step}: allowed is a whole number of cells")
        return self

    @property
    def vertices(self) -> tuple[int, ...]:
        """Vertices of the grid along each parameter."""
        cells = zip(self.lower, self.upper, self.spacing, strict=True)
        return tuple(round((high - low) / step) + 1 for low, high, step in cells)


class GaussNewton(Strict):
    """Second-order learning on whole trajectories, with exact moments."""

    recipe: Literal["gauss_newton"] = Field(description="Name of the recipe.")
    roughness: tuple[Positive, ...] = Field(
        (1e-3, 1e-4),
        min_length=1,
        description="Candidate weights of the roughness penalty, chosen by cross-validation over training initial "
        "conditions where there are several.",
    )
    folds: Annotated[int, Field(ge=2, strict=True)] = Field(5, description="Folds of the cross-validation.")
    steps: Count = Field(15, description="Most optimisation steps on whole trajectories, for either roughness.")
    tolerance: Positive = Field(1e-3, description="Relative fall of the action below which a step is the last.")


class Sampling(Strict):
    """Moments of a model by Gibbs sampling: the declared sampling law."""

    lattices: Annotated[int, Field(ge=2, strict=True)] = Field(10, description="Chains per initial condition and time.")
    sweeps: Count = Field(10, description="Gibbs sweeps of each chain.")
    start: Literal["empty", "random"] = Field("empty", description="Lattice from which each chain starts.")


class PathTracking(Strict):
    """For sampled moments: static matching along time, then right-hand sides that track the matched paths."""

    recipe: Literal["path_tracking"] = Field(description="Name of the recipe.")
    sampling: Sampling = Field(description="Sampling law of the moments that are matched.")
    iterations: Annotated[int, Field(ge=2, strict=True)] = Field(
        16, description="Steps of static matching; the later half is averaged."
    )
    last_step: Count | None = Field(None, description="Last time step that is learned from; without it the last.")
    roughness: Positive = Field(1e-7, description="Weight of the roughness penalty.")


class Contrastive(Strict):
    """The published recipe: stochastic gradient descent in a sliding window of time, with sampled moments."""

    recipe: Literal["contrastive"] = Field(description="Name of the recipe.")
    steps: Count = Field(description="Optimisation steps; each goes over all training initial conditions in turn.")
    rate: dict[str, Positive] = Field(description="Learning rate of each parameter's right-hand side.")
    window: Count = Field(description="Time steps in the window in which the adjoint runs.")
    steps_per_shift: Count = Field(description="Optimisation steps after which the window moves on by one time step.")
    sweeps: Count = Field(1, description="Gibbs sweeps of each chain.")
    start: Literal["data", "random"] = Field(
        "data", description="Where each chain starts: at the data (contrastive divergence), or at a random lattice."
    )
    batch: Count = Field(10, description="Lattices per estimate of the moments.")


class Integrator(Strict):
    """How the differential equations are integrated."""

    scheme: Literal["rk4", "euler"] = Field("rk4", description="Runge-Kutta scheme of order four, or Euler's.")
    substeps: Count = Field(1, description="Equal steps of the scheme per time step.")


class StaticContrastive(Strict):
    """Initial parameters of a hidden-layer model by contrastive divergence, as published."""

    rate: Positive = Field(1e-5, description="Learning rate.")
    steps: Count = Field(1000, description="Optimisation steps.")
    sweeps: Count = Field(1, description="Gibbs sweeps of each chain.")
    batch: Count = Field(10, description="Lattices per estimate of the moments.")
    average: Count = Field(50, description="How many last steps are averaged.")

    @model_validator(mode="after")
    def _enough_steps(self):
        if self.average > self.steps:
            raise ValueError(f"average: {self.average}; allowed is 1 to {self.steps}, the number of steps")
        return self


class Initial(Strict):
    """How a model's parameters at time zero are found."""

    method: Literal["given", "exact", "independent", "sampled", "contrastive"] = Field(
        description="given: those that the initial lattices were drawn from; exact: static matching with exact "
        "moments; independent: biases of independent sites, all else as in `others`; sampled: static matching with "
        "sampled moments, from these; contrastive: contrastive divergence."
    )
    others: dict[str, Number] = Field(
        {}, description="For independent sites: parameters that are not zero, or visible biases to take in their place."
    )
    contrastive: StaticContrastive = Field(StaticContrastive(), description="Settings of contrastive divergence.")


class Model(Strict):
    """A reduced model: its Boltzmann distribution, its right-hand sides and how they are learned."""

    title: str | None = Field(None, description="What figures call it; by default its name.")
    interactions: tuple[str, ...] = Field(description="Visible statistics that carry parameters, for example [A, AA].")
    layers: tuple[LayerSection, ...] = Field((), description="Hidden layers, from the lowest up.")
    domain: Domain | None = Field(
        None, description="What the right-hand sides depend on; by default the first three parameters, on a wide grid."
    )
    integrator: Integrator = Field(Integrator(), description="How the differential equations are integrated.")
    initial: Initial | None = Field(
        None,
        description="Parameters at time zero; by default given where the runs start from the same interactions, else "
        "exact for open chains of one species and independent for all others.",
    )
    learning: GaussNewton | PathTracking | Contrastive | None = Field(
        None,
        description="How it is learned; by default gauss_newton for open chains of one species, else path_tracking "
        "with 50 lattices of 20 sweeps and roughness 1000.",
        discriminator="recipe",
    )
    sampling: Sampling | None = Field(
        None,
        description="Gibbs sampling of predicted moments; by default none for open chains of one species, where they "
        "are exact, else 100 lattices of 20 sweeps.",
    )
    oracle: bool = Field(False, description="Also report the best this family can reach at each step.")
    published: dict[str, Number] = Field({}, description="Published errors by observable, to set beside ours.")
    published_relative: dict[str, Number] = Field(
        {}, description="Published errors by observable, relative to the range of the published simulation."
    )


class Evaluation(Strict):
    """How models are compared with simulations."""

    split: str = Field("test", description="Split on which the summary is scored.")
    last_step: Count | None = Field(None, description="Last time step that counts; without it the last simulated.")
    average: Literal["mean", "root_mean_square"] = Field(
        "mean", description="Average over time steps of the error per step that the summary shows."
    )
    sweeps: tuple[Count, ...] = Field(
        (), description="Other numbers of Gibbs sweeps that sampled models are scored with, in a table of its own."
    )


Figure = Literal[
    "hermite_basis",
    "lattices",
    "counts",
    "initial_conditions",
    "parameters",
    "trajectories",
    "right_hand_sides",
    "learning",
    "moments",
    "rmse",
    "relative_errors",
    "visited_grid",
    "voxels",
    "site_selection",
    "control",
]


class Figures(Strict):
    """Which figures there are, and what they look like."""

    draw: tuple[Figure, ...] = Field(
        ("parameters", "trajectories", "right_hand_sides", "learning", "moments", "rmse"),
        description="Figures to draw; lattices, counts and initial_conditions are for chains of one species, voxels "
        "and visited_grid for boxes of several, control for reactions of single molecules; by default those of models, "
        "and moments and rmse.",
    )

    colors: dict[str, Annotated[str, Field(pattern=COLOR)]] = Field(
        {}, description="Colour of a model in all figures, by model name, as #rrggbb."
    )
    beside: Name | None = Field(
        None, description="Study that figure site_selection shows beside this one: the same with another choice."
    )


class Study(Strict):
    """One complete study."""

    title: str = Field(description="What the study is about, in one line.")
    species: tuple[Letter, ...] = Field(description="Species, one upper-case letter each.", min_length=1)
    reactions: tuple[Reaction, ...] = Field(description="Reactions.")
    lattice: LatticeSection = Field(description="Lattice.")
    initial_condition: InitialCondition = Field(description="Where runs start.")
    ensemble: Ensemble = Field(description="Stochastic simulations.")
    observables: tuple[str, ...] = Field(
        (),
        min_length=1,
        description="Counts that are measured, for example [A, AA, AB]; by default every species, every pair, and what "
        "else models interact by.",
    )
    models: dict[Name, Model] = Field(description="Reduced models.")
    evaluation: Evaluation = Field(Evaluation(), description="How models are scored.")
    figures: Figures = Field(Figures(), description="What the figures look like.")

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, data: Any) -> Any:
        return complete(data)


class Settings(Strict):
    """What all studies share: ``config/config.yaml``."""

    seed: int = Field(ge=0, strict=True, description="Master seed; every random stream is derived from it by name.")
    results: str = Field("results", description="Directory of everything that is computed.")
    studies: tuple[Name, ...] = Field(
        min_length=1, description="Studies that `all` builds, by the names of their files."
    )
    keep_lattices: bool = Field(
        True, description="Keep the simulated lattices; without them a change in learning simulates again."
    )
    overrides: dict[Name, dict[str, Any]] = Field(
        {}, description="Changes laid over a study file, by study; presets such as config/smoke.yaml use it."
    )
