"""What the types alone cannot know of a study: whether its parts fit together.

Each function yields pairs of a key and what is wrong with it. They build on one another in the order of `STAGES`: what
a later one asks makes sense once the earlier ones have found nothing.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from math import prod
from typing import Any

from dbd.boltzmann.chain import build_chain
from dbd.boltzmann.composition import STARTS
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.mean_composition import MeanComposition
from dbd.build.model import build_model
from dbd.build.reduced_runs import check_reduced_runs
from dbd.build.source import Layout, check_source
from dbd.build.system import build_lattice, build_network
from dbd.evaluation.baselines import BASELINES
from dbd.files.netcdf import StoreError
from dbd.lattice.observables import check_observables
from dbd.messages import mismatch, one_of
from dbd.study.lattice_study import InitialConditionSection, ReactionSection, Study
from dbd.study.model import (
    ContrastiveSection,
    GaussNewtonSection,
    MatchedTrajectoriesSection,
    ModelSection,
    ReducedRunsSection,
)


def start_of(study: Study, split: str) -> InitialConditionSection | None:
    """Where the runs of a split start: its own initial condition, or that of the study; None if a source has them."""
    return study.ensemble.splits[split].initial_condition or study.initial_condition


# A job holds at least one run, a byte for each site and time, and in three dimensions about 100 bytes for each site
# while tables of neighbours are built.
RUN_BYTES, TABLE_BYTES = 8 * 2**30, 100
# At two events per molecule and time step, 86 % of the molecules react before they move once, and Euler's scheme no
# longer follows a decay (Runge-Kutta at 2.8).
EVENTS_PER_STEP = 2.0

CHAIN_FIGURES = ("lattices", "counts", "initial_conditions")
MODEL_FIGURES = (
    "overview",
    "lattices",
    "parameters",
    "global_and_local",
    "trajectories",
    "right_hand_sides",
    "learning",
)


def exactly_known(study: Study) -> bool:
    """Whether exact means and variances are known: molecules react alone, and runs start from given numbers of them."""
    start = start_of(study, study.evaluation.split)
    reactions = build_network(study.model_dump(mode="json")).reactions
    given = start is not None and start.counts is not None and not start.rates
    return given and not any(reaction.bimolecular for reaction in reactions)


def _source_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is missing of a study that is simulated, or what a study of other runs cannot have."""
    source, splits = study.source, study.ensemble.splits
    if source is None:
        for key in ("reactions", "initial_condition"):
            if getattr(study, key) is None:
                yield key, "missing, and there is no default"
        return
    starts = {f"ensemble.splits.{name}.initial_condition": split.initial_condition for name, split in splits.items()}
    for key, start in ({"initial_condition": study.initial_condition} | starts).items():
        if start is not None:
            yield key, "got one, expected none: runs come from source"
    for name, split in splits.items():
        if split.initial_conditions is None:
            yield f"ensemble.splits.{name}.initial_conditions", "missing, and there is no default"
    axes = len(study.lattice.shape)
    if source.lower and len(source.lower) != axes:
        yield "source.lower", mismatch(f"{len(source.lower)} numbers", f"{axes}, one for each axis of the lattice")
    for name, model in study.models.items():
        if isinstance(model.learning, ReducedRunsSection):
            yield f"models.{name}.learning.recipe", mismatch("reduced_runs", "another one: a source counts no events")
    if source.files and (wrong := {*source.files} ^ {*splits}):
        yield (
            "source.files",
            mismatch(", ".join(source.files), f"a file for each of {', '.join(splits)}, not {min(wrong)}"),
        )


def _file_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what can be seen at once to be wrong with the files of a source."""
    for name, path in study.source.files.items() if study.source else ():
        try:
            check_source(path, Layout.of(study.model_dump(mode="json"), name))
        except StoreError as error:
            yield f"source.files.{name}", str(error)


def _system_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield (key, problem) for what the types alone cannot know of the simulated system."""
    tree, sites = study.model_dump(mode="json"), prod(study.lattice.shape)
    most = RUN_BYTES // (study.ensemble.steps + 1 + TABLE_BYTES)
    if sites > most:
        expected = f"at most {most} for {study.ensemble.steps} time steps; a job holds the lattices of whole runs"
        yield "lattice.shape", mismatch(f"{sites} sites", expected)
        return
    lattice = yield from attempt("lattice", build_lattice, tree)
    if (yield from attempt("species", build_network, tree | {"reactions": []})) is None:
        return
    for index, reaction in enumerate(study.reactions or ()):
        yield from _reaction_mistakes(study, reaction, f"reactions.{index}")
    if lattice is not None:
        yield from attempt("observables", check_observables, lattice, study.species, study.observables)
    if missing := [name for name in study.species if name not in study.observables]:
        yield "observables", f"missing {', '.join(missing)}; every species is counted, for the closures to compare with"


def _reaction_mistakes(study: Study, reaction: ReactionSection, where: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a reaction or its rate."""
    tree = study.model_dump(mode="json") | {"reactions": [reaction.model_dump(mode="json")]}
    yield from attempt(where, build_network, tree)
    events = (reaction.rate or 0.0) * study.ensemble.dt
    if events > EVENTS_PER_STEP:
        got = f"{events:.3g} events per molecule in a time step of {study.ensemble.dt:g}"
        yield f"{where}.rate", mismatch(got, f"at most {EVENTS_PER_STEP:g}; a shorter ensemble.dt")


def _ensemble_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the ensemble, where its runs start and what is evaluated of it."""
    ensemble, scoring = study.ensemble, study.evaluation
    for name, split in ensemble.splits.items():
        if split.runs < 2:
            yield f"ensemble.splits.{name}.runs", mismatch(split.runs, "2 or more; one run has no standard error")
        where = f"ensemble.splits.{name}.initial_condition" if split.initial_condition else "initial_condition"
        if start := start_of(study, name):
            yield from _start_mistakes(study, name, start, where)
    if study.models and "train" not in ensemble.splits:
        yield "ensemble.splits", f"{', '.join(ensemble.splits)}; to learn models, one must be called train"
    if scoring.split not in ensemble.splits:
        yield "evaluation.split", mismatch(scoring.split, one_of(ensemble.splits))
    if scoring.last_step and scoring.last_step > ensemble.steps:
        yield "evaluation.last_step", mismatch(scoring.last_step, f"1 to {ensemble.steps}, the simulated steps")
    elif (furthest := scoring.extrapolate_to) and not (scoring.last_step or 1) <= furthest <= ensemble.steps:
        yield (
            "evaluation.extrapolate_to",
            mismatch(furthest, f"{scoring.last_step} to {ensemble.steps}, the simulated steps"),
        )
    for name in study.figures.draw:
        if name in CHAIN_FIGURES and (len(study.lattice.shape) > 1 or len(study.species) > 1):
            yield (
                "figures.draw",
                mismatch(name, "no figure that is for chains of one species"),
            )
        if name in MODEL_FIGURES and not study.models:
            yield "figures.draw", mismatch(name, "no figure of models, of which there are none")
        if name == "overview" and len(study.lattice.shape) != 2:
            yield "figures.draw", mismatch(name, "no figure that is for lattices in two dimensions")
        if name == "control" and scoring.split in ensemble.splits and not exactly_known(study):
            yield "figures.draw", mismatch("control", "molecules that react alone and start from counts")
    for name in study.figures.colors:
        if name not in study.models:
            yield f"figures.colors.{name}", mismatch(name, one_of(study.models))


def _start_mistakes(study: Study, split: str, start: InitialConditionSection, where: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with where the runs of a split start."""
    wanted, lattice = study.ensemble.splits[split].initial_conditions, build_lattice(study.model_dump(mode="json"))
    if start.parameters is None and wanted is None:
        yield f"ensemble.splits.{split}.initial_conditions", "missing; needed where they are not listed one by one"
    if start.parameters is not None and (wanted or 1) > len(start.parameters):
        yield (
            f"ensemble.splits.{split}.initial_conditions",
            mismatch(wanted or 1, f"at most the {len(start.parameters)} that {where}.parameters lists"),
        )
    if start.interactions:
        yield from attempt(f"{where}.interactions", EnergyModel, lattice, study.species, start.interactions)
    for species in start.counts or {}:
        if species not in study.species:
            yield f"{where}.counts.{species}", mismatch(species, one_of(study.species))
    equations = [reaction.equation for reaction in study.reactions or ()]
    for equation, given in start.rates.items():
        if equation not in equations:
            yield f"{where}.rates", mismatch(equation, one_of(equations))
            continue
        reaction = study.reactions[equations.index(equation)]
        for value in given.ends:
            changed = {"rate": value} if reaction.rate is not None else {"probability": value}
            yield from _reaction_mistakes(study, reaction.model_copy(update=changed), f"{where}.rates")
    most = sum(count[1] if isinstance(count, tuple) else count for count in (start.counts or {}).values())
    if most > lattice.size:
        yield f"{where}.counts", mismatch(f"{most} molecules", f"at most {lattice.size}, one per site")


def _model_mistakes(study: Study) -> Iterator[tuple[str, str]]:
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


def _evaluation_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the evaluation and the figures."""
    if "site_selection" in study.figures.draw and study.figures.compare_with is None:
        yield "figures.compare_with", "missing; figure site_selection needs another study"


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


def attempt(key: str, build: Callable, *arguments) -> Generator[tuple[str, str], None, Any]:
    """Build something; yield the mistake that its constructor finds and return None, or return what was built."""
    try:
        return build(*arguments)
    except ValueError as error:
        yield key, str(error)
        return None


STAGES = (_source_mistakes, _system_mistakes, _file_mistakes, _ensemble_mistakes, _model_mistakes, _evaluation_mistakes)
