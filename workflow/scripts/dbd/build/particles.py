"""From the sections of a study (plain mappings, already checked) to the simulated system and where its runs start."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dbd.continuum.box import Box
from dbd.continuum.brownian import BrownianSystem
from dbd.continuum.point_patterns import (
    Profile,
    clustered_pairs,
    clustered_points,
    jittered_pairs,
    jittered_points,
    poisson_points,
)
from dbd.kinetics.reactions import ReactionNetwork

FINE_CELLS = 1024
"""Cells of constant density from which points of a profile are drawn."""


def build_box(settings: Mapping[str, Any]) -> Box:
    """Box of the section ``space``."""
    return Box(tuple(settings["space"]["lengths"]), settings["space"]["boundary"])


def build_system(settings: Mapping[str, Any]) -> BrownianSystem:
    """System of the sections ``species``, ``reactions`` and ``space``."""
    equations = ((reaction["equation"], {"rate": reaction["rate"]}) for reaction in settings["reactions"])
    network = ReactionNetwork.from_equations(settings["species"], equations, pairs="rate")
    space = settings["space"]
    diffusion = tuple(space["diffusion"][name] for name in network.species)
    return BrownianSystem(build_box(settings), network, diffusion, space["reaction_radius"])


def build_profile(pattern: Mapping[str, Any]) -> Profile:
    """Density of a pattern of independent particles."""
    return Profile(pattern["poisson"]["background"], tuple(map(tuple, pattern["poisson"]["bumps"])))


def start_sampler(
    box: Box, species: tuple[str, ...], start: Mapping[str, Any]
) -> Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]:
    """Function that draws positions (particles, dimension) and species (particles,) from the patterns of a start."""
    samplers = [(kind, _sampler(box, start[name])) for kind, name in enumerate(species, start=1) if name in start]

    def draw(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        points = [sample(rng) for _, sample in samplers]
        kinds = [np.full(len(drawn), kind, np.uint8) for (kind, _), drawn in zip(samplers, points, strict=True)]
        return np.concatenate(points), np.concatenate(kinds)

    return draw


def start_pairs(pattern: Mapping[str, Any], distance: np.ndarray) -> tuple[float, np.ndarray]:
    """Density and pair density at distances (n,) of a homogeneous pattern on a long interval."""
    if pattern["poisson"]:
        density = pattern["poisson"]["background"]
        return density, np.full(len(distance), density**2)
    if pattern["regular"]:
        return pattern["regular"]["density"], jittered_pairs(**pattern["regular"], distance=distance)
    return pattern["clustered"]["density"], clustered_pairs(**pattern["clustered"], distance=distance)


def _sampler(box: Box, pattern: Mapping[str, Any]) -> Callable[[np.random.Generator], np.ndarray]:
    """Function that draws the positions of one species."""
    if pattern["poisson"]:
        uniform = box.dimension > 1  # bumps are for intervals
        profile = build_profile(pattern)
        density = np.full((1,) * box.dimension, profile.background) if uniform else profile.cell_means(box, FINE_CELLS)
        return lambda rng: poisson_points(rng, box, density)
    if pattern["regular"]:
        number = round(pattern["regular"]["density"] * box.volume)
        return lambda rng: jittered_points(rng, box, number, pattern["regular"]["spread"])
    return lambda rng: clustered_points(rng, box, **pattern["clustered"])
