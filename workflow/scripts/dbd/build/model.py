"""From the sections of a study (plain mappings, already checked) to a reduced model."""

from collections.abc import Mapping, Sequence
from typing import Any

from dbd.boltzmann.composition_law import CompositionLaw, spread_names
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.moment_map import ExactMoments, MomentMap
from dbd.boltzmann.sampling_law import SamplingLaw
from dbd.build.system import build_lattice, build_network
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


def build_moment_map(model: EnergyModel, observables: Sequence[str], section: Mapping[str, Any]) -> MomentMap:
    """Moments of the model of a section: under the law of its ``sampling``, or exact ones where there is none."""
    if section["family"] == "composition":
        return CompositionLaw(model, observables, **section["sampling"])
    sampling = section["sampling"]
    return SamplingLaw(Sampler(model), observables, **sampling) if sampling else ExactMoments(model, observables)


def build_grid(domain: Mapping[str, Any]) -> HermiteGrid:
    """Grid over a model's ``domain``."""
    return HermiteGrid.covering(domain["lower"], domain["upper"], domain["spacing"])


def parameter_names(section: Mapping[str, Any], energy: EnergyModel) -> tuple[str, ...]:
    """Names of the parameters of a model's distribution, those of the law of its composition among them."""
    return energy.parameters + (spread_names(energy) if section["spread"] else ())


def domain_axes(model: Mapping[str, Any], energy: EnergyModel) -> tuple[int, ...]:
    """Indices of the parameters in the ``domain`` of a model."""
    return tuple(energy.parameters.index(name) for name in model["domain"]["parameters"])


def build_dynamics(
    settings: Mapping[str, Any], model: Mapping[str, Any], energy: EnergyModel, domain: Mapping[str, Any] | None = None
) -> Dynamics | ReactionDynamics:
    """Differential equations of a model on the grid of its ``domain``, in the study's time step.

    A grid that the data decided on is that of `domain`, of learned dynamics.
    """
    axes, dt = domain_axes(model, energy), settings["ensemble"]["dt"]
    if model["family"] == "composition":
        grid, network = build_grid(domain), build_network(settings)
        return ReactionDynamics(grid, energy, network, axes, dt, model["integrator"]["substeps"], model["spread"])
    return Dynamics(
        build_grid(model["domain"]),
        len(energy.parameters),
        axes,
        dt,
        model["integrator"]["scheme"],
        model["integrator"]["substeps"],
    )
