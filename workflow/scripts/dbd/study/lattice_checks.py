"""What the types alone cannot know of a study: whether its parts fit together.

Each function yields pairs of a key and what is wrong with it. They build on one another in the order of `STAGES`: what
a later one asks makes sense once the earlier ones have found nothing.
"""

from collections.abc import Iterator
from math import prod

from dbd.boltzmann.energy import EnergyModel
from dbd.build.source import Layout, check_source
from dbd.build.system import build_lattice, build_network
from dbd.files.netcdf import StoreError
from dbd.lattice.observables import check_observables
from dbd.messages import mismatch, one_of
from dbd.study.attempt import attempt
from dbd.study.lattice_study import InitialConditionSection, ReactionSection, Study, start_of
from dbd.study.model import ReducedRunsSection
from dbd.study.model_checks import model_mistakes

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


def _evaluation_mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the evaluation and the figures."""
    if "site_selection" in study.figures.draw and study.figures.compare_with is None:
        yield "figures.compare_with", "missing; figure site_selection needs another study"


STAGES = (_source_mistakes, _system_mistakes, _file_mistakes, _ensemble_mistakes, model_mistakes, _evaluation_mistakes)
