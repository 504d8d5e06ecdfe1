"""The keys of a reduced model in a study file: distribution, right-hand sides, learning and sampling."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dbd.messages import mismatch
from dbd.study.values import Count, Letter, Number, Positive, Strict


class LayerSection(Strict):
    """A layer of hidden units above the visible sites or above the layer before it."""

    species: tuple[Letter, ...] = Field(description="Hidden species; each carries a bias.")
    weights: tuple[str, ...] = Field(description="Pairs of a species below and one of this layer, for example [AX].")
    offsets: tuple[tuple[int, ...], ...] = Field(
        (), description="Hidden unit i is connected to the units i + offset of the layer below."
    )
    wrap: bool = Field(False, description="Whether connections wrap around, whatever the lattice does.")
    bonds: bool = Field(
        False,
        description="Instead of offsets: a unit on every bond, connected to both ends of it, or to the only one at a "
        "wall; in the highest layer only.",
    )


class DomainSection(Strict):
    """The parameters that the right-hand sides depend on, and the grid of Q3 C1 elements over them."""

    parameters: tuple[str, ...] = Field(
        (), min_length=1, max_length=4, description="Names of one to four parameters; by default the first three."
    )
    lower: tuple[Number, ...] = Field(
        (),
        description="Lower corner of the grid; by default -6 for visible biases, -3 for others. For recipe "
        "matched_trajectories the data say where the grid is.",
    )
    upper: tuple[Number, ...] = Field((), description="Upper corner of the grid; by default 3.")
    spacing: tuple[Positive, ...] = Field((), description="Grid spacing of each parameter; by default 0.75.")

    @model_validator(mode="after")
    def _whole_cells(self):
        for name in self.parameters:
            if self.parameters.count(name) > 1:
                raise ValueError(f"parameters: {mismatch(f'{name} twice', 'each once')}")
        if not (self.lower or self.upper or self.spacing):
            return self
        for name in ("lower", "upper", "spacing"):
            if len(getattr(self, name)) != len(self.parameters):
                raise ValueError(
                    f"{name}: got {len(getattr(self, name))} numbers, "
                    f"expected one for each of {', '.join(self.parameters)}"
                )
        for low, high, step in zip(self.lower, self.upper, self.spacing, strict=True):
            cells = (high - low) / step
            if round(cells) < 1 or abs(cells - round(cells)) > 1e-6:
                raise ValueError(f"grid: {mismatch(f'{low} .. {high} with spacing {step}', 'a whole number of cells')}")
        return self

    @property
    def vertices(self) -> tuple[int, ...]:
        """Vertices of the grid along each parameter."""
        cells = zip(self.lower, self.upper, self.spacing, strict=True)
        return tuple(round((high - low) / step) + 1 for low, high, step in cells)


class GaussNewtonSection(Strict):
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


class SamplingSection(Strict):
    """Moments of a model by Gibbs sampling: the declared sampling law."""

    lattices: Annotated[int, Field(ge=2, strict=True)] = Field(10, description="Chains per initial condition and time.")
    sweeps: Count = Field(10, description="Gibbs sweeps of each chain.")
    start: Literal["empty", "random", "separated", "dispersed"] = Field(
        "empty",
        description="Lattice from which each chain starts: empty or random; in mixed coordinates random, separated "
        "(one species after another) or dispersed (as few neighbours as possible).",
    )


class MatchedTrajectoriesSection(Strict):
    """For sampled moments: static matching at every time, then whole trajectories in the Fisher metric."""

    recipe: Literal["matched_trajectories"] = Field(description="Name of the recipe.")
    roughness: tuple[Positive, ...] = Field(
        (100.0, 30.0, 10.0, 3.0, 1.0),
        min_length=1,
        description="Candidate weights of the roughness penalty, from the largest down; chosen by the split "
        "validation, or by a quarter of the training initial conditions. The last one where there are too few.",
    )
    last_step: Count | None = Field(None, description="Last time step that is learned from; by default the last.")


class ReducedRunsSection(Strict):
    """Runs that jump: factors of the reactions and drives of the correlations of neighbours, from simulated runs."""

    recipe: Literal["reduced_runs"] = Field(description="Name of the recipe.")
    roughness: tuple[Positive, ...] = Field(
        (30.0, 10.0),
        min_length=1,
        description="Candidate weights of the roughness penalty, from the largest down; chosen by training runs that "
        "are left out.",
    )
    last_step: Count | None = Field(None, description="Last time step that is learned from; by default the last.")


class ContrastiveSection(Strict):
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
    adjoint: Literal["exact", "released"] = Field(
        "exact",
        description="released: the adjoint equation of the released code, which takes the derivative of the last "
        "right-hand side alone and does not divide it by the grid spacing.",
    )


class IntegratorSection(Strict):
    """How the differential equations are integrated."""

    scheme: Literal["rk4", "euler"] = Field("rk4", description="Runge-Kutta scheme of order four, or Euler's.")
    substeps: Count = Field(1, description="Equal steps of the scheme per time step.")


class StaticContrastiveSection(Strict):
    """Initial parameters of a hidden-layer model by contrastive divergence, as published."""

    rate: Positive = Field(1e-5, description="Learning rate.")
    steps: Count = Field(1000, description="Optimisation steps.")
    sweeps: Count = Field(1, description="Gibbs sweeps of each chain.")
    batch: Count = Field(10, description="Lattices per estimate of the moments.")
    average: Count = Field(50, description="How many last steps are averaged.")

    @model_validator(mode="after")
    def _enough_steps(self):
        if self.average > self.steps:
            raise ValueError(f"average: {mismatch(self.average, f'1 to {self.steps}, the number of steps')}")
        return self


class InitialSection(Strict):
    """How a model's parameters at time zero are found."""

    method: Literal["given", "exact", "independent", "sampled", "contrastive"] = Field(
        description="given: those that the initial lattices were drawn from; exact: static matching with exact "
        "moments; independent: biases of independent sites, all else as in `others`; sampled: the "
        "same, with biases that match the moments under the model's sampling law; contrastive: contrastive divergence."
    )
    others: dict[str, Number] = Field(
        {},
        description="For independent and sampled: parameters that are not zero, or visible biases to take in the place "
        "of those of independent sites.",
    )
    contrastive: StaticContrastiveSection = Field(
        StaticContrastiveSection(), description="Settings of contrastive divergence."
    )


class ModelSection(Strict):
    """A reduced model: its Boltzmann distribution, its right-hand sides and how they are learned."""

    title: str | None = Field(None, description="What figures call it; by default its name.")
    interactions: tuple[str, ...] = Field(description="Visible statistics that carry parameters, for example [A, AA].")
    layers: tuple[LayerSection, ...] = Field((), description="Hidden layers, from the lowest up.")
    family: Literal["natural", "composition", "mean_composition"] = Field(
        "natural",
        description="Coordinates of the distribution; by default natural for open chains of one species and recipes "
        "gauss_newton and contrastive, else composition. natural: every parameter is a bias or a coupling, and numbers "
        "of molecules are free; composition: the parameters of species are densities, and couplings act at fixed "
        "composition (mixed coordinates); mean_composition: the same for open chains of one species, with exact "
        "moments and numbers that vary about their mean.",
    )
    spread: bool = Field(
        False,
        description="For family composition: whether the covariance of the numbers of molecules between runs is part "
        "of the model and is learned too; otherwise all runs have the mean composition.",
    )
    domain: DomainSection | None = Field(
        None, description="What the right-hand sides depend on; by default the first three parameters, on a wide grid."
    )
    integrator: IntegratorSection = Field(
        IntegratorSection(), description="How the differential equations are integrated."
    )
    initial: InitialSection | None = Field(
        None,
        description="Parameters at time zero; by default given where the runs start from the same interactions, else "
        "exact for open chains of one species and independent for all others.",
    )
    learning: GaussNewtonSection | MatchedTrajectoriesSection | ReducedRunsSection | ContrastiveSection | None = Field(
        None,
        description="How it is learned; by default gauss_newton for open chains of one species, else "
        "matched_trajectories.",
        discriminator="recipe",
    )
    sampling: SamplingSection | None = Field(
        None,
        description="Gibbs sampling of predicted moments; by default none for open chains of one species, where they "
        "are exact, else 100 lattices of 20 sweeps.",
    )
    runs: Count | None = Field(
        None,
        description="For recipe reduced_runs: reduced runs of each initial condition that predictions are averages of; "
        "by default 4000.",
    )
    oracle: bool = Field(False, description="Also report the best this family can reach at each step.")
    published: dict[str, Number] = Field({}, description="Published errors by observable, to compare with ours.")
    published_relative: dict[str, Number] = Field(
        {}, description="Published errors by observable, relative to the range of the published simulation."
    )
