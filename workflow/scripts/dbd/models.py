"""From the sections of a study (plain mappings, already checked) to a reduced model."""

from collections.abc import Mapping
from typing import Any

from dbd.chain import Chain
from dbd.dynamics import Dynamics
from dbd.energy import EnergyModel, Layer
from dbd.hermite import HermiteGrid
from dbd.systems import build_lattice


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
    return EnergyModel(build_lattice(settings), species, interactions, tuple(layers), model["reference_density"])


def build_chain(model: EnergyModel) -> Chain:
    """Exactly solvable form of a model; raises ValueError if it has none.

    There is one for a single species on an open chain, with at most one hidden layer between neighbouring sites.
    """
    layers = [(len(layer.species), set(layer.offsets), layer.wrap) for layer in model.layers]
    chain = model.lattice.dimension == 1 and model.lattice.boundary == "open" and len(model.species) == 1
    if not chain or model.reference_density or layers not in ([], [(1, {(0,), (1,)}, False)]):
        raise ValueError(
            "has no exact moments, which an oracle, exact initial parameters, the recipe gauss_newton and predictions "
            "without 'sampling' need; allowed are models of one species on an open chain, without a reference density "
            "and with at most one hidden layer of one species and offsets [[0], [1]]"
        )
    return Chain(model.lattice.size, model.parameters)


def build_grid(domain: Mapping[str, Any]) -> HermiteGrid:
    """Grid over a model's ``domain``."""
    return HermiteGrid.covering(domain["lower"], domain["upper"], domain["spacing"])


def build_dynamics(settings: Mapping[str, Any], model: Mapping[str, Any], energy: EnergyModel) -> Dynamics:
    """Differential equations of a model on the grid of its ``domain``, in the study's time step."""
    return Dynamics(
        build_grid(model["domain"]),
        len(energy.parameters),
        tuple(energy.parameters.index(name) for name in model["domain"]["parameters"]),
        settings["ensemble"]["dt"],
        model["integrator"]["scheme"],
        model["integrator"]["substeps"],
    )
