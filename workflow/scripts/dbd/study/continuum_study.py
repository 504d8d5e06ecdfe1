"""The typed definition of a study in continuous space: its keys, with type, range, default and meaning.

A study file with the key ``space`` in place of ``lattice`` is of this kind. What both kinds share is in
`dbd.study.lattice_study` and `dbd.study.values`.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dbd.messages import mismatch
from dbd.study.lattice_study import BatchSection
from dbd.study.values import COLOR, Count, Letter, Name, Number, Positive, Strict

NonNegative = Annotated[Number, Field(ge=0)]


class RatedReactionSection(Strict):
    """A reaction: an equation and how often it happens."""

    equation: str = Field(description="Reactants -> products, for example 'A + A -> 0'; 0 stands for nothing.")
    rate: NonNegative = Field(
        description="Events per unit time and reactant, or per pair of reactants nearer than the reaction radius."
    )


class SpaceSection(Strict):
    """Where particles are and how they move."""

    lengths: tuple[Positive, ...] = Field(min_length=1, max_length=2, description="Sides of an interval or rectangle.")
    boundary: Literal["reflecting", "periodic"] = Field(
        "reflecting", description="reflecting: walls; periodic: axes wrap around."
    )
    diffusion: dict[Letter, NonNegative] = Field(description="Diffusion constant of each species.")
    reaction_radius: NonNegative = Field(0.0, description="Distance within which two particles react.")


class PoissonSection(Strict):
    """Independent particles with a density: a background and Gaussian bumps."""

    background: Positive = Field(description="Particles per length or area, everywhere.")
    bumps: tuple[tuple[Number, Positive, Positive], ...] = Field(
        (), description="Centre, width (standard deviation) and mean number of particles of each bump; intervals only."
    )


class RegularSection(Strict):
    """A chain of equal distances with independent normal displacements, on a periodic interval."""

    density: Positive = Field(description="Particles per length.")
    spread: NonNegative = Field(description="Standard deviation of the displacements in units of the distance.")


class ClusteredSection(Strict):
    """Clusters at independent places, normally spread, in a periodic box."""

    density: Positive = Field(description="Particles per length or area.")
    members: Positive = Field(description="Mean number of particles in a cluster.")
    width: Positive = Field(description="Standard deviation of the distance from its centre along each axis.")


class PatternSection(Strict):
    """Where the particles of a species start: exactly one of the patterns."""

    poisson: PoissonSection | None = Field(None, description="Independent particles with a density.")
    regular: RegularSection | None = Field(None, description="A chain of nearly equal distances.")
    clustered: ClusteredSection | None = Field(None, description="Clusters of particles.")

    @model_validator(mode="after")
    def _one_way(self):
        return _exactly_one(self, ("poisson", "regular", "clustered"))


class StartSplitSection(Strict):
    """A part of the ensemble with a purpose of its own, such as training or testing."""

    runs: Count = Field(description="Runs per start.")
    starts: tuple[dict[Letter, PatternSection], ...] = Field(
        min_length=1, description="Each a pattern for every species."
    )

    @property
    def initial_conditions(self) -> int:
        """Number of starts."""
        return len(self.starts)


class ParticleEnsembleSection(Strict):
    """The stochastic simulations."""

    dt: Positive = Field(description="Time between two observations, in the unit of time of the rates.")
    steps: Count = Field(description="Number of observations after the one at the start.")
    substeps: Count = Field(1, description="Steps per observation in which motion and reactions of pairs take turns.")
    groups: Annotated[int, Field(ge=2, strict=True)] = Field(
        20, description="Groups that the runs are dealt to; errors and error bands come from the spread between them."
    )
    splits: dict[Name, StartSplitSection] = Field(
        min_length=1, description="Splits by name; 'train' is learned from, the others are held out."
    )
    batch: BatchSection = Field(BatchSection(), description="How the ensemble is cut into jobs.")


class HistogramSection(Strict):
    """A histogram of distances."""

    reach: Positive = Field(description="Largest distance.")
    bins: Count = Field(description="Number of equal bins.")


class ObservablesSection(Strict):
    """What is counted in every snapshot."""

    cells: tuple[Count, ...] = Field(description="Equal cells along each axis in which particles are counted.")
    pairs: HistogramSection | None = Field(None, description="Pairs of particles by distance.")
    gaps: HistogramSection | None = Field(None, description="Distances between neighbours on a periodic interval.")


class DensityEquationSection(Strict):
    """The reduced equation of a density: grid of the functions over nu, minus the logarithm of the density."""

    lower: Number = Field(description="Lower end of the grid.")
    upper: Number = Field(description="Upper end of the grid.")
    spacing: Positive = Field(description="Grid spacing.")
    substeps: Count = Field(description="Runge-Kutta steps per observation.")

    @model_validator(mode="after")
    def _in_order(self):
        if self.lower >= self.upper:
            raise ValueError(f"grid: {mismatch(f'{self.lower} to {self.upper}', 'a lower end below the upper one')}")
        return self


class PairEquationSection(Strict):
    """The equation of density and pair density on the bins of the counted pairs."""

    substeps: Count = Field(description="Steps of the equation per observation.")


class FunctionsSection(Strict):
    """Learned functions of the density equation."""

    start_diffusion: Positive = Field(description="Learning starts at plain diffusion with this constant.")
    scale: tuple[Positive, Positive, Positive] = Field(
        description="Typical sizes of F0, F1 and ln F2, in which their roughness is measured."
    )
    roughness: tuple[Positive, ...] = Field(
        min_length=1, description="Weights of the roughness penalty, tried in this order, each from the last minimum."
    )
    held_out: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = Field(
        min_length=1, description="Training starts, counted from 0, that choose the weight; then all are learned from."
    )
    tolerance: Positive = Field(1.0, description="Gain in log-likelihood below which a step is the last.")
    bootstrap: Annotated[int, Field(ge=2, strict=True)] = Field(60, description="Resampled data sets behind the band.")


class MeanFieldSection(Strict):
    """The functions of the density equation by mean-field theory."""


class RateLawSection(Strict):
    """Mean-field functions, with one constant for all reactions of pairs fitted to the training split."""


class ClosureSection(Strict):
    """Learned closure of the pair equation."""

    spacing: Positive = Field(description="Grid spacing of the exponent over S / (1 + S).")
    upper: Positive = Field(1.0, description="Upper end of its grid, from 0.", le=1)
    roughness: Positive = Field(description="Weight of the roughness penalty.")
    error: Positive = Field(0.003, description="Relative error granted to the closure, besides that of the data.")
    tolerance: Positive = Field(1.0, description="Gain in log-likelihood below which a step is the last.")


class KirkwoodSection(Strict):
    """Closure of the pair equation by Kirkwood's superposition."""


class MatchingSection(Strict):
    """Static matching of number and pairs by a Gibbs point process with a pair interaction."""

    initial_condition: Annotated[int, Field(ge=0, strict=True)] = Field(
        0, description="Start of the evaluated split, counted from 0, whose pairs are matched."
    )
    steps: tuple[Count, ...] = Field(min_length=1, description="Observations at which they are matched.")
    reach: Positive = Field(description="Range of the interaction.")
    spacing: Positive = Field(description="Grid spacing of the interaction.")
    iterations: Annotated[int, Field(ge=3, strict=True)] = Field(18, description="Newton steps.")
    samples: Annotated[int, Field(ge=10, strict=True)] = Field(1000, description="Samples of the process per step.")
    final_samples: Annotated[int, Field(ge=10, strict=True)] = Field(
        20000, description="Samples that the matched process is judged by."
    )


RECIPES = ("functions", "mean_field", "rate_law", "closure", "kirkwood")
OF_PAIRS = ("closure", "kirkwood")


class ContinuumModelSection(Strict):
    """A reduced model: exactly one recipe, of the density equation or of the pair equation."""

    title: str = Field(description="What figures call it.")
    functions: FunctionsSection | None = Field(None, description="Density equation, functions learned.")
    mean_field: MeanFieldSection | None = Field(None, description="Density equation by mean-field theory.")
    rate_law: RateLawSection | None = Field(
        None, description="Density equation by mean-field theory, one constant fitted."
    )
    closure: ClosureSection | None = Field(None, description="Pair equation, closure learned.")
    kirkwood: KirkwoodSection | None = Field(None, description="Pair equation, closure by Kirkwood's superposition.")

    @model_validator(mode="after")
    def _one_recipe(self):
        return _exactly_one(self, RECIPES)

    @property
    def recipe(self) -> str:
        """The name of the recipe."""
        return next(name for name in RECIPES if getattr(self, name) is not None)


class ScoringSection(Strict):
    """How models are compared with simulations."""

    split: str = Field("test", description="Split on which the summary is scored.")
    cells: Count | None = Field(None, description="Cells that densities are compared in; without it those counted in.")
    exact: bool = Field(
        False, description="Whether mean-field theory is the truth, which learned functions are then compared with."
    )


class ContinuumFiguresSection(Strict):
    """Which figures there are, and what they look like."""

    draw: tuple[Literal["functions", "densities", "space_time", "pair_density", "closure"], ...] = Field(
        (), description="Figures to draw: the first three are of density equations, the others of pairs."
    )
    colors: dict[str, Annotated[str, Field(pattern=COLOR)]] = Field(
        {}, description="Colour of a model in all figures, by model name, as #rrggbb."
    )


class ContinuumStudy(Strict):
    """One complete study in continuous space."""

    title: str = Field(description="What the study is about, in one line.")
    species: tuple[Letter, ...] = Field(min_length=1, description="Species, one upper-case letter each.")
    reactions: tuple[RatedReactionSection, ...] = Field(description="Reactions of one or two particles.")
    space: SpaceSection = Field(description="Where particles are and how they move.")
    ensemble: ParticleEnsembleSection = Field(description="Stochastic simulations.")
    observables: ObservablesSection = Field(description="What is counted in every snapshot.")
    density_equation: DensityEquationSection | None = Field(None, description="Needed for models of the density.")
    pair_equation: PairEquationSection | None = Field(None, description="Needed for models of pairs.")
    matching: MatchingSection | None = Field(None, description="Needed for models of pairs.")
    models: dict[Name, ContinuumModelSection] = Field(description="Reduced models, all of the density or all of pairs.")
    evaluation: ScoringSection = Field(ScoringSection(), description="How models are scored.")
    figures: ContinuumFiguresSection = Field(ContinuumFiguresSection(), description="What the figures look like.")

    @property
    def of_pairs(self) -> bool:
        """Whether the models are of the pair equation."""
        return any(model.recipe in OF_PAIRS for model in self.models.values())


def _exactly_one(section: Strict, names: tuple[str, ...]) -> Strict:
    """The section, if exactly one of its keys is given."""
    given = [name for name in names if getattr(section, name) is not None]
    if len(given) != 1:
        raise ValueError(f"found {' and '.join(given) or 'none'}; give exactly one of {', '.join(names)}")
    return section
