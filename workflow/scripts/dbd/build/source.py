"""From the sections of a study (plain mappings, already checked) to what its source has to be."""

from collections.abc import Mapping
from typing import Any

from dbd.build.system import build_lattice
from dbd.files.source import Layout


def build_layout(settings: Mapping[str, Any], split: str) -> Layout:
    """Layout of the runs of a split."""
    lattice, ensemble, source = build_lattice(settings), settings["ensemble"], settings["source"]
    lower = tuple(source["lower"]) or (0.0,) * lattice.dimension
    number = ensemble["splits"][split]
    return Layout(
        tuple(settings["species"]),
        lattice,
        lower,
        source["spacing"],
        source["shared"],
        number["initial_conditions"],
        number["runs"],
        ensemble["steps"],
        ensemble["dt"],
    )
