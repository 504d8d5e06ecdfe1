"""The typed definition of a study: every key of a study file, with its type, range, default and meaning.

A study is one YAML file, ``config/studies/<study>.yaml``; `dbd.study.reading` reads it. Defaults that follow from other
keys are filled in by `dbd.study.defaults`; here they are None or empty, with words that say what they become. The JSON
schema in ``config/schema`` and the key table of ``config/README.md`` are generated from the types here.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dbd.messages import mismatch
from dbd.study.defaults import STEPS, complete
from dbd.study.model import ModelSection
from dbd.study.values import COLOR, Count, Letter, Molecules, Name, Number, Positive, Strict


class ReactionSection(Strict):
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


class BoxSection(Strict):
    """A box of interaction parameters."""

    lower: tuple[Number, ...] = Field(description="Lower corner, one number per interaction.")
    upper: tuple[Number, ...] = Field(description="Upper corner, one number per interaction.")
    design: Literal["random", "sobol"] = Field(
        "random",
        description="Independent points, or those of a scrambled Sobol sequence, which leave no large gaps.",
    )


class RateSection(Strict):
    """Values of a rate or probability: listed, or a range."""

    values: tuple[Number, ...] = Field((), description="Values that initial conditions take in turn.")
    lower: Number | None = Field(
        None, description="Instead: lower end of a range to draw from, in one design with all else."
    )
    upper: Number | None = Field(None, description="Upper end of the range.")

    @model_validator(mode="after")
    def _one_way(self):
        ends = [end for end in (self.lower, self.upper) if end is not None]
        if (len(ends) != 2) if not self.values else ends:
            raise ValueError(
                f"got {len(self.values)} values and {len(ends)} ends of a range, expected values or both ends"
            )
        if ends and ends[0] > ends[1]:
            raise ValueError(mismatch(f"{self.lower} to {self.upper}", "lower below upper"))
        return self

    @property
    def ends(self) -> tuple[float, ...]:
        """Values that bound all others."""
        return self.values or (self.lower, self.upper)


class InitialConditionSection(Strict):
    """Where runs start: lattices drawn from a Boltzmann distribution (box or parameters), or numbers of molecules."""

    interactions: tuple[str, ...] = Field((), description="Statistics that carry the parameters, for example [A, AA].")
    box: BoxSection | None = Field(None, description="Draw the parameters uniformly in this box.")
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
    rates: dict[str, RateSection] = Field(
        {},
        description="Rates and probabilities that differ between initial conditions, by equation; models learn across.",
    )

    @model_validator(mode="after")
    def _one_way(self):
        given = [name for name in ("box", "parameters", "counts") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"got {' and '.join(given) or 'none'}, expected exactly one of box, parameters, counts")
        if self.counts is None and not self.interactions:
            raise ValueError("interactions: got none, expected the statistics that the parameters belong to")
        width = len(self.interactions)
        rows = {"box": [self.box.lower, self.box.upper] if self.box else [], "parameters": self.parameters or []}
        for name, vectors in rows.items():
            for index, row in enumerate(vectors):
                if len(row) != width:
                    raise ValueError(
                        f"{name}: row {index}: got {len(row)} numbers, "
                        f"expected {width}, one for each of {', '.join(self.interactions)}"
                    )
        if self.box:
            for name, low, high in zip(self.interactions, self.box.lower, self.box.upper, strict=True):
                if low > high:
                    raise ValueError(f"box: {mismatch(f'{name} from {low} to {high}', 'lower below upper')}")
        return self


class SourceSection(Strict):
    """Where runs come from that are not simulated here: a file for each split, as `dbd.files.source` reads it."""

    files: dict[Name, str] = Field(
        {}, description="File of each split: a table (.csv, .csv.gz, .parquet) or occupancies of sites (.nc)."
    )
    made_by: Literal["simulate_smoldyn"] | None = Field(
        None, description="Instead: the rule of this workflow that makes the files."
    )
    lower: tuple[Number, ...] = Field(
        (), description="Lower corner of the box, in the unit of length of the table; by default zero."
    )
    spacing: Positive = Field(
        1.0, description="Length of a site in the same unit; the box is as many sites long as the lattice."
    )
    shared: Annotated[Number, Field(ge=0, le=1)] = Field(
        0.0,
        description="Largest share of molecules whose site another one has taken; they move to the nearest free site.",
    )

    @model_validator(mode="after")
    def _one_way(self):
        if bool(self.files) == bool(self.made_by):
            raise ValueError(mismatch("both" if self.files else "neither", "either files or made_by"))
        return self


class SplitSection(Strict):
    """A part of the ensemble with a purpose of its own, such as training or testing."""

    initial_conditions: Count | None = Field(
        None, description="How many initial conditions; may be left out where they are listed."
    )
    runs: Count = Field(description="Runs per initial condition.")
    initial_condition: InitialConditionSection | None = Field(
        None, description="Where the runs of this split start, if not where those of the study do."
    )


class BatchSection(Strict):
    """How the ensemble is cut into jobs; results do not depend on it."""

    initial_conditions: Count = Field(10, description="Initial conditions per job.")
    runs: Count = Field(100, description="Runs of each initial condition per job.")


class EnsembleSection(Strict):
    """The stochastic simulations."""

    dt: Positive = Field(description="Length of a time step, in the unit of time of the rates.")
    steps: Count = Field(STEPS, description="Number of time steps; lattices are recorded at steps 0 to this.")
    splits: dict[Name, SplitSection] = Field(
        {"train": SplitSection(initial_conditions=20, runs=50), "test": SplitSection(initial_conditions=10, runs=50)},
        min_length=1,
        description="Splits by name; 'train' is learned from, the others are held out.",
    )
    batch: BatchSection = Field(BatchSection(), description="How the ensemble is cut into jobs.")
    keep_lattices: bool = Field(
        True,
        description="Keep the simulated lattices once they are counted; without them other observables, learning from "
        "lattices and pictures of them simulate again.",
    )


class EvaluationSection(Strict):
    """How models are compared with simulations."""

    split: str = Field("test", description="Split on which the summary is scored.")
    last_step: Count | None = Field(None, description="Last time step that counts; by default the last simulated.")
    extrapolate_to: Count | None = Field(
        None, description="Last time step that models predict; steps after last_step are scored apart; by default none."
    )
    average: Literal["mean", "root_mean_square"] = Field(
        "mean", description="Average over time steps of the error per step that the summary shows."
    )
    sweeps: tuple[Count, ...] = Field(
        (),
        description="Numbers of sweeps that sampled models are scored with from several starts, in a table of its own; "
        "by default 50, 200 and 1000 where there are sampled models.",
    )


Figure = Literal[
    "hermite_basis",
    "lattices",
    "counts",
    "initial_conditions",
    "overview",
    "parameters",
    "global_and_local",
    "trajectories",
    "right_hand_sides",
    "learning",
    "moments",
    "held_out",
    "rmse",
    "relative_errors",
    "visited_grid",
    "voxels",
    "site_selection",
    "control",
]


class FiguresSection(Strict):
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
    compare_with: Name | None = Field(
        None, description="Study that figure site_selection compares with this one: the same with another choice."
    )


class Study(Strict):
    """One complete study."""

    title: str = Field(description="What the study is about, in one line.")
    species: tuple[Letter, ...] = Field(description="Species, one upper-case letter each.", min_length=1)
    reactions: tuple[ReactionSection, ...] | None = Field(
        None, description="Reactions; may be left out where runs come from a source."
    )
    lattice: LatticeSection = Field(description="Lattice.")
    initial_condition: InitialConditionSection | None = Field(
        None, description="Where runs start; left out where they come from a source."
    )
    source: SourceSection | None = Field(None, description="Files that runs come from, if they are not simulated here.")
    ensemble: EnsembleSection = Field(description="Stochastic simulations.")
    observables: tuple[str, ...] = Field(
        (),
        min_length=1,
        description="Counts that are measured, for example [A, AA, AB]; by default every species, every pair, and what "
        "else models interact by.",
    )
    models: dict[Name, ModelSection] = Field(description="Reduced models.")
    evaluation: EvaluationSection = Field(EvaluationSection(), description="How models are scored.")
    figures: FiguresSection = Field(FiguresSection(), description="What the figures look like.")

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, data: Any) -> Any:
        return complete(data)


class Workflow(Strict):
    """What all studies share: ``config/config.yaml``."""

    seed: int = Field(ge=0, strict=True, description="Master seed; every random stream is derived from it by name.")
    results: str = Field("results", description="Directory of everything that is computed.")
    studies: tuple[Name, ...] = Field(
        min_length=1, description="Studies that `all` builds, by the names of their files."
    )
    overrides: dict[Name, dict[str, Any]] = Field(
        {}, description="Changes laid over a study file, by study; presets such as config/smoke.yaml use it."
    )


def start_of(study: Study, split: str) -> InitialConditionSection | None:
    """Where the runs of a split start: its own initial condition, or that of the study; None if a source has them."""
    return study.ensemble.splits[split].initial_condition or study.initial_condition
