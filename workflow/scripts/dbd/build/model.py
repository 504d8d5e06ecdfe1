"""From the sections of a study (plain mappings, already checked) to a reduced model."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dbd.boltzmann.composition_law import CompositionLaw
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.family import CompositionAndCouplings, Family, NaturalParameters
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.mean_composition import MeanComposition, MeanCompositionMoments
from dbd.boltzmann.moment_map import ExactMoments, MomentMap
from dbd.boltzmann.sampling_law import SamplingLaw
from dbd.build.system import build_lattice, build_network
from dbd.kinetics.reactions import ReactionNetwork
from dbd.learning.dynamics import Dynamics
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.numerics.hermite import HermiteGrid


def build_model(settings: Mapping[str, Any], model: Mapping[str, Any]) -> EnergyModel:
    """Boltzmann model with the ``interactions`` and ``layers`` of `model` on the study's lattice."""
    layers = [
        Layer(
            tuple(layer["species"]),
            tuple(layer["weights"]),
            tuple(map(tuple, layer["offsets"])),
            layer["wrap"],
            layer["bonds"],
        )
        for layer in model["layers"]
    ]
    species, interactions = tuple(settings["species"]), tuple(model["interactions"])
    return EnergyModel(build_lattice(settings), species, interactions, tuple(layers))


def build_family(settings: Mapping[str, Any], model: Mapping[str, Any]) -> Family:
    """The Boltzmann model of `model` in the coordinates of its ``family``."""
    energy = build_model(settings, model)
    if model["family"] == "mean_composition":
        return MeanComposition(energy)
    if model["family"] == "composition":
        return CompositionAndCouplings(energy, model["spread"])
    return NaturalParameters(energy)


def build_moment_map(family: Family, observables: Sequence[str], sampling: Mapping[str, Any] | None) -> MomentMap:
    """Moments of a model under the law of its ``sampling``, or exact ones where there is none."""
    if isinstance(family, MeanComposition):
        return MeanCompositionMoments(family, observables)
    if isinstance(family, CompositionAndCouplings):
        return CompositionLaw(family, observables, **sampling)
    if sampling:
        return SamplingLaw(Sampler(family.model), observables, **sampling)
    return ExactMoments(family.model, observables)


def build_grid(domain: Mapping[str, Any]) -> HermiteGrid:
    """Grid over a model's ``domain``."""
    return HermiteGrid.covering(domain["lower"], domain["upper"], domain["spacing"])


def domain_axes(model: Mapping[str, Any], family: Family) -> tuple[int, ...]:
    """Indices of the parameters in the ``domain`` of a model."""
    return tuple(family.names.index(name) for name in model["domain"]["parameters"])


def reactions_of(settings: Mapping[str, Any], model: Mapping[str, Any]) -> ReactionNetwork | None:
    """The reactions by which the densities of a model change; None where they are unknown or all parameters driven."""
    known = model["family"] != "natural" and settings["reactions"] is not None
    return build_network(settings) if known else None


def build_dynamics(
    settings: Mapping[str, Any], model: Mapping[str, Any], family: Family, domain: Mapping[str, Any] | None = None
) -> Dynamics | ReactionDynamics:
    """Differential equations of a model in the study's time step.

    Where the data decide on the grid (recipe ``matched_trajectories``), it is that of `domain`, such as the dataset of
    learned dynamics, with the rates that functions refer to (``reference``, if any); elsewhere that of the model's own
    ``domain``.
    """
    axes, dt, integrator = domain_axes(model, family), settings["ensemble"]["dt"], model["integrator"]
    if model["learning"]["recipe"] == "matched_trajectories":
        network = reactions_of(settings, model)
        reference = np.asarray(domain.get("reference", ()), float)
        reference = tuple(reference.tolist()) if np.isfinite(reference).any() else ()
        return ReactionDynamics(build_grid(domain), family, network, axes, dt, integrator["substeps"], reference)
    grid = build_grid(model["domain"])
    return Dynamics(grid, len(family.names), axes, dt, integrator["scheme"], integrator["substeps"])
