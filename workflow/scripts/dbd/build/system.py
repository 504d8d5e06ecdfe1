"""From the sections of a study (plain mappings, already checked) to the simulated system."""

from collections.abc import Mapping
from typing import Any

from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice


def build_lattice(settings: Mapping[str, Any]) -> Lattice:
    """Lattice of the section ``lattice``."""
    return Lattice(tuple(settings["lattice"]["shape"]), settings["lattice"]["boundary"])


def build_network(settings: Mapping[str, Any]) -> ReactionNetwork:
    """Reaction network of the sections ``species`` and ``reactions``, without reactions where these are not known."""
    return ReactionNetwork.from_equations(settings["species"], map(_equation, settings["reactions"] or ()))


def _equation(reaction: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """A reaction in the form that `ReactionNetwork` reads."""
    given = {key: reaction[key] for key in ("rate", "probability") if reaction[key] is not None}
    return reaction["equation"], given
