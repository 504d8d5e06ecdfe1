"""What the types alone cannot know of a study in continuous space: whether its parts fit together.

As in `dbd.study.lattice_checks`, each function yields pairs of a key and what is wrong with it, and builds on those
before it.
"""

from collections.abc import Iterator

from dbd.build.particles import build_box, build_system
from dbd.continuum.density_equation import DIFFUSION_LIMIT, STENCIL
from dbd.continuum.pair_equation import PairEquation
from dbd.messages import mismatch, one_of
from dbd.study.attempt import attempt
from dbd.study.continuum_study import OF_PAIRS, ContinuumStudy

FIGURES_OF_PAIRS = ("pair_density", "closure")


def _system_mistakes(study: ContinuumStudy) -> Iterator[tuple[str, str]]:
    """Yield (key, problem) for the simulated system and where it starts."""
    tree = study.model_dump(mode="json")
    for name in study.species:
        if name not in study.space.diffusion:
            yield "space.diffusion", f"missing {name}; every species needs a diffusion constant"
            return
    for name in study.space.diffusion:
        if name not in study.species:
            yield f"space.diffusion.{name}", mismatch(name, one_of(study.species))
    if (yield from attempt("species", build_system, tree | {"reactions": []})) is None:
        return
    for index, reaction in enumerate(tree["reactions"]):
        yield from attempt(f"reactions.{index}", build_system, tree | {"reactions": [reaction]})


def _ensemble_mistakes(study: ContinuumStudy) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with starts, observables and what is evaluated."""
    box = build_box(study.model_dump(mode="json"))
    interval = box.dimension == 1
    for split, section in study.ensemble.splits.items():
        if section.runs < study.ensemble.groups:
            yield (
                f"ensemble.splits.{split}.runs",
                mismatch(section.runs, f"{study.ensemble.groups} or more, one for each of the groups"),
            )
        for index, start in enumerate(section.starts):
            for name, pattern in start.items():
                where = f"ensemble.splits.{split}.starts.{index}.{name}"
                if name not in study.species:
                    yield where, mismatch(name, one_of(study.species))
                if pattern.poisson and pattern.poisson.bumps and not interval:
                    yield f"{where}.poisson.bumps", mismatch("some", "none: they are for intervals")
                if pattern.regular and not (interval and box.periodic):
                    yield where, mismatch("regular", "poisson or clustered: it is for periodic intervals")
                if pattern.clustered and not box.periodic:
                    yield where, mismatch("clustered", "poisson: it is for periodic boxes")
    seen = study.observables
    if len(seen.cells) != box.dimension:
        yield "observables.cells", mismatch(f"{len(seen.cells)} numbers", f"one for each axis, {box.dimension}")
    if seen.pairs and not (box.periodic and seen.pairs.reach <= box.longest_range):
        yield (
            "observables.pairs.reach",
            mismatch(seen.pairs.reach, f"a periodic box, and at most {box.longest_range}"),
        )
    if seen.gaps and not (interval and box.periodic):
        yield "observables.gaps", mismatch("some", "none: they are for periodic intervals")
    if study.models and "train" not in study.ensemble.splits:
        yield "ensemble.splits", f"{', '.join(study.ensemble.splits)}; to learn models, one must be called train"
    if study.evaluation.split not in study.ensemble.splits:
        yield (
            "evaluation.split",
            mismatch(study.evaluation.split, one_of(study.ensemble.splits)),
        )


def _model_mistakes(study: ContinuumStudy) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the models and the figures of them."""
    if not study.models:
        return
    if len(study.species) > 1 or len(study.space.lengths) > 1:
        yield "models", mismatch("some", "none: they are for one species on an interval")
        return
    if len({model.recipe in OF_PAIRS for model in study.models.values()}) > 1:
        yield (
            "models",
            mismatch("both kinds", f"models of pairs alone ({', '.join(OF_PAIRS)}), or of the density alone"),
        )
        return
    yield from (_pair_mistakes if study.of_pairs else _density_mistakes)(study)
    for name in study.figures.draw:
        if (name in FIGURES_OF_PAIRS) != study.of_pairs:
            yield (
                "figures.draw",
                mismatch(name, f"one for models of {'pairs' if study.of_pairs else 'the density'}"),
            )
    for name in study.figures.colors:
        if name not in study.models:
            yield f"figures.colors.{name}", mismatch(name, one_of(study.models))


def _density_mistakes(study: ContinuumStudy) -> Iterator[tuple[str, str]]:
    """Yield what keeps the density equation from being solved or learned."""
    equation, cells = study.density_equation, study.observables.cells[0]
    if equation is None:
        yield "density_equation", "missing; needed for models of the density"
        return
    if cells < 2 * STENCIL + 1:
        yield "observables.cells", mismatch(cells, f"{2 * STENCIL + 1} or more")
    if (scored := study.evaluation.cells) and cells % scored:
        yield "evaluation.cells", mismatch(scored, f"divisors of {cells}, the cells counted in")
    (diffusion,) = study.space.diffusion.values()
    width = study.space.lengths[0] / cells
    if diffusion * study.ensemble.dt / equation.substeps > DIFFUSION_LIMIT * width**2:
        least = int(diffusion * study.ensemble.dt / (DIFFUSION_LIMIT * width**2)) + 1
        yield "density_equation.substeps", mismatch(equation.substeps, f"{least} or more, to be stable")
    for split, section in study.ensemble.splits.items():
        for index, start in enumerate(section.starts):
            if any(pattern.poisson is None for pattern in start.values()) or not start:
                yield (
                    f"ensemble.splits.{split}.starts.{index}",
                    mismatch("others", "poisson, for models of density"),
                )
    starts = study.ensemble.splits["train"].initial_conditions
    for name, model in study.models.items():
        held_out = set(model.functions.held_out) if model.functions else set()
        if held_out and (max(held_out) >= starts or len(held_out) == starts):
            yield (
                f"models.{name}.functions.held_out",
                mismatch(sorted(held_out), f"some, not all, of the training starts 0 to {starts - 1}"),
            )
        if model.rate_law and not study.space.reaction_radius:
            yield f"models.{name}.rate_law", mismatch("a rate law", "none where no pairs react")


def _pair_mistakes(study: ContinuumStudy) -> Iterator[tuple[str, str]]:
    """Yield what keeps the pair equation from being solved, or pairs from being matched."""
    pairs, matching = study.observables.pairs, study.matching
    needed = {
        "pair_equation": study.pair_equation,
        "observables.pairs": pairs,
        "observables.gaps": study.observables.gaps,
        "matching": matching,
    }
    for key, section in needed.items():
        if section is None:
            yield key, "missing; needed for models of pairs"
            return
    (name,) = study.species
    if [reaction.equation.replace(" ", "") for reaction in study.reactions] != [f"{name}+{name}->0"]:
        yield "reactions", mismatch("others", f"{name} + {name} -> 0 alone, for models of pairs")
    yield from attempt(
        "observables.pairs.bins",
        lambda: PairEquation(0.0, 0.0, study.space.reaction_radius, pairs.reach, pairs.bins, 1.0, 1),
    )
    for split, section in study.ensemble.splits.items():
        for index, start in enumerate(section.starts):
            if not start or any(pattern.poisson and pattern.poisson.bumps for pattern in start.values()):
                yield (
                    f"ensemble.splits.{split}.starts.{index}",
                    mismatch("bumps", "none, for models of pairs"),
                )
    starts = study.ensemble.splits[study.evaluation.split].initial_conditions
    if matching.initial_condition >= starts:
        yield "matching.initial_condition", mismatch(matching.initial_condition, f"0 to {starts - 1}")
    if max(matching.steps) > study.ensemble.steps:
        yield "matching.steps", mismatch(max(matching.steps), f"1 to {study.ensemble.steps}")
    bins = matching.reach / pairs.reach * pairs.bins
    if abs(bins - round(bins)) > 1e-6 or matching.reach > pairs.reach:
        yield "matching.reach", mismatch(matching.reach, "a whole number of the bins of pairs")


STAGES = (_system_mistakes, _ensemble_mistakes, _model_mistakes)
