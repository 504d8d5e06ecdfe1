"""From the sections of a study to the pair equation and its closure."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from dbd.continuum.pair_equation import PairClosure, PairEquation
from dbd.continuum.pair_learning import LearnedClosure
from dbd.numerics.hermite import HermiteGrid


def build_pair_equation(settings: Mapping[str, Any]) -> PairEquation:
    """Pair equation of the one species and the one reaction of a study."""
    space, pairs = settings["space"], settings["observables"]["pairs"]
    (diffusion,), (reaction,) = space["diffusion"].values(), settings["reactions"]
    return PairEquation(
        diffusion,
        reaction["rate"],
        space["reaction_radius"],
        pairs["reach"],
        pairs["bins"],
        settings["ensemble"]["dt"],
        settings["pair_equation"]["substeps"],
    )


def build_closure(section: Mapping[str, Any], equation: PairEquation) -> LearnedClosure:
    """Learned closure of the section ``closure`` of a model."""
    return LearnedClosure(equation, HermiteGrid.covering((0.0,), (section["upper"],), (section["spacing"],)))


def closure_of(model: Mapping[str, Any], equation: PairEquation, u: np.ndarray) -> PairClosure | Callable:
    """PairClosure of a model, learned with coefficients u or Kirkwood's."""
    return build_closure(model["closure"], equation).of(u) if model["closure"] else equation.kirkwood
