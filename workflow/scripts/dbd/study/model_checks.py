"""What the types alone cannot know of the models of a study on a lattice; as `dbd.study.lattice_checks`."""

from collections.abc import Iterable, Iterator

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.composition import STARTS
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.mean_composition import MeanComposition
from dbd.build.model import build_model
from dbd.build.reduced_runs import check_reduced_runs
from dbd.evaluation.baselines import BASELINES
from dbd.messages import mismatch, one_of
from dbd.study.attempt import attempt
from dbd.study.lattice_study import Study, start_of
from dbd.study.model import (
    ContrastiveSection,
    GaussNewtonSection,
    MatchedTrajectoriesSection,
    ModelSection,
    ReducedRunsSection,
)


def model_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the models."""
    tree = study.model_dump(mode="json")
    for name, model in study.models.items():
        where = f"models.{name}"
        if name in BASELINES:
            yield where, mismatch("the name of a baseline", f"another one than {', '.join(BASELINES)}")
        energy = yield from attempt(where, build_model, tree, tree["models"][name])
        if energy is None:
            continue
        matched = model.initial.method == "exact" or isinstance(model.learning, GaussNewtonSection)
        reduced = isinstance(model.learning, ReducedRunsSection)
        matched |= model.oracle and model.sampling is None and not reduced
        if matched or (model.sampling is None and not reduced):
            yield from attempt(where, build_chain, energy)
        unknown = [
            (key, parameter)
            for key, named in (
                ("domain.parameters", model.domain.parameters),
                ("learning.rate", _rates(model)),
                ("initial.others", model.initial.others),
            )
            for parameter in named
            if parameter not in energy.parameters
        ]
        for key, parameter in unknown:
            yield (
                f"{where}.{key}",
                mismatch(parameter, one_of(energy.parameters)),
            )
        for key in ("published", "published_relative"):
            for observable in getattr(model, key):
                if observable not in study.observables:
                    yield f"{where}.{key}", mismatch(observable, one_of(study.observables))
        if matched:
            needed = {
                *model.interactions,
                *(name for layer in model.layers for name in (study.species[0], 2 * study.species[0])),
            }
            if missing := sorted(needed - set(study.observables)):
                yield "observables", f"missing {', '.join(missing)}, which {where} is matched to"
        yield from _recipe_mistakes(study, model, energy, where)
        yield from (_reduced_mistakes if reduced else _family_mistakes)(study, model, energy, where)
        if model.initial.method == "given" and model.family != "composition" and not unknown:
            yield from _given_mistakes(study, model, energy, where)


def _recipe_mistakes(study: Study, model: ModelSection, energy: EnergyModel, where: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with how a model is learned from the training split."""
    runs, steps, learning = study.ensemble.splits["train"].runs, study.ensemble.steps, model.learning
    for split in study.ensemble.splits if not isinstance(learning, MatchedTrajectoriesSection) else ():
        if (start := start_of(study, split)) and start.rates:
            expected = f"matched_trajectories, as {split} has rates of its own"
            yield f"{where}.learning.recipe", mismatch(learning.recipe, expected)
    if isinstance(learning, MatchedTrajectoriesSection | ReducedRunsSection) and (learning.last_step or steps) > steps:
        yield f"{where}.learning.last_step", mismatch(learning.last_step, f"1 to {steps}, the simulated steps")
    batches = {}
    if model.initial.method == "contrastive":
        batches["initial.contrastive.batch"] = model.initial.contrastive.batch
    if model.initial.method == "sampled" and model.sampling is None:
        yield f"{where}.initial.method", mismatch("sampled without 'sampling'", "exact or independent")
    if isinstance(learning, ContrastiveSection):
        batches["learning.batch"] = learning.batch
        if missing := [name for name in energy.parameters if name not in learning.rate]:
            yield f"{where}.learning.rate", f"missing {', '.join(missing)}; every parameter needs a learning rate"
        last = (learning.steps - 1) // learning.steps_per_shift + learning.window
        if last > steps:
            yield (
                f"{where}.learning.window",
                mismatch(f"{learning.window}, which reaches time step {last}", f"one that ends by step {steps}"),
            )
    for key, batch in batches.items():
        if batch > runs:
            yield f"{where}.{key}", mismatch(batch, f"1 to {runs}, the training runs of an initial condition")


def _family_mistakes(study: Study, model: ModelSection, energy: EnergyModel, where: str) -> Iterator[tuple[str, str]]:
    """Yield what does not fit the family of a model, or the static matching of its recipe."""
    composition, chain = model.family != "natural", model.family == "mean_composition"
    sampled = isinstance(model.learning, MatchedTrajectoriesSection)
    if composition and not sampled:
        yield (
            f"{where}.learning.recipe",
            mismatch(model.learning.recipe, "matched_trajectories or reduced_runs for this family"),
        )
        return
    methods = ("given" if chain else "sampled", "independent")
    if composition and model.initial.method not in methods:
        expected = f"{' or '.join(sorted(methods))} for this family"
        yield f"{where}.initial.method", mismatch(model.initial.method, expected)
    if model.runs is not None:
        yield f"{where}.runs", mismatch(model.runs, "none but for recipe reduced_runs")
    starts = STARTS if composition else ("empty", "random")
    if model.sampling and model.sampling.start not in starts:
        yield f"{where}.sampling.start", mismatch(model.sampling.start, one_of(starts))
    if not sampled and not model.domain.lower:
        yield f"{where}.domain", mismatch("no grid", "one for this recipe")
    visible = [name for name in model.interactions if sampled and (not composition or len(name) > 1)]
    if missing := [name for name in visible if name not in study.observables]:
        yield "observables", f"missing {', '.join(missing)}, which {where} is matched to"
    weights = [name for layer in energy.layers for name in layer.weights]
    if sampled and weights and not any(model.initial.others.get(name) for name in weights):
        yield f"{where}.initial.others", mismatch("no weight", "some other than zero, where learning can begin")
    if not composition:
        if model.spread:
            yield f"{where}.spread", mismatch("true", "false for natural parameters")
        return
    if missing := [name for name in study.species if name not in model.interactions]:
        yield f"{where}.interactions", f"missing {', '.join(missing)}; a composition has every species"
    if chain:
        yield from attempt(where, MeanComposition, energy)
        for key, got in (("sampling", model.sampling), ("spread", model.spread)):
            if got:
                yield f"{where}.{key}", mismatch("one", "none for family mean_composition")
        return
    if model.sampling.lattices % 2:
        yield f"{where}.sampling.lattices", mismatch(model.sampling.lattices, "an even number")
    if len(energy.parameters) == len(study.species):
        yield f"{where}.interactions", mismatch("species alone", "at least one coupling")


def _reduced_mistakes(study: Study, model: ModelSection, energy: EnergyModel, where: str) -> Iterator[tuple[str, str]]:
    """Yield what does not fit a model of reduced runs."""
    yield from attempt(where, check_reduced_runs, study.model_dump(mode="json"), energy)
    for key, got, wanted in (
        ("family", model.family, "composition"),
        ("spread", model.spread, False),
        ("sampling", model.sampling, None),
        ("oracle", model.oracle, False),
        ("initial.method", model.initial.method, "independent"),
    ):
        if got != wanted:
            yield f"{where}.{key}", mismatch(got, f"{wanted} for recipe reduced_runs")
    for split in study.ensemble.splits:
        if start_of(study, split).counts is None:
            yield (
                f"{where}.learning.recipe",
                f"got reduced_runs, expected another one: {split} does not start from counts",
            )
    if unknown := sorted({*study.observables} ^ {*energy.parameters}):
        yield f"{where}.interactions", f"got {', '.join(energy.parameters)}, expected the observables, not {unknown[0]}"


def _given_mistakes(study: Study, model: ModelSection, energy: EnergyModel, where: str) -> Iterator[tuple[str, str]]:
    """Yield what keeps a model from starting at the parameters that the initial lattices were drawn with."""
    known = ", ".join(energy.parameters)
    for split in study.ensemble.splits:
        start = start_of(study, split)
        if start is None or start.interactions != energy.parameters or start.counts is not None:
            yield (
                f"{where}.initial.method",
                f"got given, expected exact, independent, sampled or contrastive for a model of {known}: the initial "
                f"lattices of {split} have the parameters {', '.join(start.interactions if start else ()) or '(none)'}",
            )
            return
        rows = [start.box.lower, start.box.upper] if start.box else start.parameters
        grid = zip(model.domain.parameters, model.domain.lower, model.domain.upper, strict=False)
        for parameter, lower, upper in grid:
            values = [row[energy.parameters.index(parameter)] for row in rows]
            if min(values) < lower or max(values) > upper:
                yield (
                    f"{where}.domain",
                    mismatch(
                        f"a grid of {parameter} from {lower} to {upper}",
                        f"one that holds the initial parameters, {min(values)} to {max(values)}",
                    ),
                )


def _rates(model: ModelSection) -> Iterable[str]:
    """Parameters that a learning recipe has rates for."""
    return model.learning.rate if isinstance(model.learning, ContrastiveSection) else ()
