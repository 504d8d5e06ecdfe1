"""Reading a study: from YAML to checked types.

Every mistake is found here, before any job starts, and is told in one line: file, key, value found, what is allowed.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from dbd.config import Contrastive, InitialCondition, Model, Study
from dbd.energy import EnergyModel
from dbd.lattice import Lattice
from dbd.models import build_chain, build_model
from dbd.moments import check_observables
from dbd.systems import build_lattice, build_network


class ConfigurationError(ValueError):
    """What is wrong with a configuration, in one line for each mistake."""


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; raises ConfigurationError if it is missing, unreadable or something else."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        near = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise ConfigurationError(f"{path}: no such file; allowed are {near}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path}{where}: not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: found {type(data).__name__}; allowed is a mapping of keys to values")
    return data


def overlay(base: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, mapping by mapping; null in `changes` takes a key away."""
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = overlay(merged[key], value)
        else:
            merged[key] = value
    return merged


def load_study(path: Path, changes: Mapping[str, Any] | None = None) -> Study:
    """Read a study file, with changes laid over it, and check everything that can be checked before running it.

    Raises
    ------
    ConfigurationError
        One line for each mistake.
    """
    study = parse(Study, overlay(read_yaml(path), changes or {}), str(path))
    if mistakes := [f"{path}: {key}: {problem}" for key, problem in _mistakes(study)]:
        raise ConfigurationError("\n".join(mistakes))
    return study


def subtree(tree: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    """Return the part of a nested mapping at dotted `keys`, in the same nesting."""
    part: dict[str, Any] = {}
    for key in keys:
        *parents, last = key.split(".")
        source, target = tree, part
        for parent in parents:
            source, target = source[parent], target.setdefault(parent, {})
        target[last] = source[last]
    return part


def initial_conditions(study: Study, split: str) -> int:
    """Number of initial conditions of a split: as configured, or as many as are listed."""
    given = study.ensemble.splits[split].initial_conditions
    return given or len(start_of(study, split).parameters)


def start_of(study: Study, split: str) -> InitialCondition:
    """Where the runs of a split start: its own initial condition, or that of the study."""
    return study.ensemble.splits[split].initial_condition or study.initial_condition


def _mistakes(study: Study) -> Iterator[tuple[str, str]]:
    """Yield (key, problem) for what the types alone cannot know."""
    tree = study.model_dump(mode="json")
    lattice = yield from _attempt("lattice", build_lattice, tree)
    for index, reaction in enumerate(tree["reactions"]):
        one = {"species": tree["species"], "reactions": [reaction]}
        yield from _attempt(f"reactions.{index}", build_network, one)
    yield from _attempt("reactions", build_network, tree)
    if lattice is None:
        return
    yield from _attempt("observables", check_observables, study.species, study.observables)
    for name, split in study.ensemble.splits.items():
        start = start_of(study, name)
        where = f"ensemble.splits.{name}.initial_condition" if split.initial_condition else "initial_condition"
        yield from _initial_mistakes(study, lattice, name, start, where)
    if study.evaluation.split not in study.ensemble.splits:
        splits = ", ".join(study.ensemble.splits)
        yield "evaluation.split", f"'{study.evaluation.split}'; allowed are {splits}"
    for name in study.models:
        yield from _model_mistakes(study, tree, name)
    for name in set(study.figures.colors) - set(study.models):
        yield f"figures.colors.{name}", f"no such model; allowed are {', '.join(study.models)}"


def _initial_mistakes(
    study: Study, lattice: Lattice, split: str, start: InitialCondition, where: str
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with where the runs of a split start."""
    wanted = study.ensemble.splits[split].initial_conditions
    if start.parameters is None and wanted is None:
        yield f"ensemble.splits.{split}.initial_conditions", "missing; needed where they are not listed one by one"
    if start.parameters is not None and wanted is not None and wanted > len(start.parameters):
        yield (
            f"ensemble.splits.{split}.initial_conditions",
            f"{wanted}; allowed are at most the {len(start.parameters)} that {where}.parameters lists",
        )
    if start.interactions:
        yield from _attempt(f"{where}.interactions", EnergyModel, lattice, study.species, start.interactions)
    for species in set(start.counts or {}) - set(study.species):
        yield f"{where}.counts.{species}", f"unknown species; allowed are {', '.join(study.species)}"
    most = sum(count[1] if isinstance(count, tuple) else count for count in (start.counts or {}).values())
    if most > lattice.size:
        yield f"{where}.counts", f"{most} molecules in all; allowed are at most the {lattice.size} sites"


def _model_mistakes(study: Study, tree: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a model."""
    model, where = study.models[name], f"models.{name}"
    energy = yield from _attempt(where, build_model, tree, tree["models"][name])
    if energy is None:
        return
    known = ", ".join(energy.parameters)
    for key, named in {"domain.parameters": model.domain.parameters, **_named_by_recipe(model)}.items():
        for parameter in named:
            if parameter not in energy.parameters:
                yield f"{where}.{key}", f"'{parameter}' is not a parameter of this model; allowed are {known}"
    for observable in model.published:
        if observable not in study.observables:
            yield f"{where}.published", f"'{observable}'; allowed are {', '.join(study.observables)}"
    if model.sampling is None:
        yield from _attempt(where, build_chain, energy)
    box = study.initial_condition.box
    if model.initial.method == "given":
        if study.initial_condition.interactions != energy.parameters:
            yield (
                f"{where}.initial.method",
                f"'given', but the initial lattices have the parameters "
                f"{', '.join(study.initial_condition.interactions) or '(none)'}; allowed for a model of {known} "
                "are exact, contrastive",
            )
        elif box:
            yield from _domain_mistakes(model, energy, box.lower, box.upper, where)


def _domain_mistakes(model: Model, energy: EnergyModel, lower, upper, where: str) -> Iterator[tuple[str, str]]:
    """Yield if the box of initial parameters leaves the grid."""
    for axis, parameter in enumerate(model.domain.parameters):
        place = energy.parameters.index(parameter)
        if lower[place] < model.domain.lower[axis] or upper[place] > model.domain.upper[axis]:
            yield (
                f"{where}.domain",
                f"grid of {parameter} from {model.domain.lower[axis]} to {model.domain.upper[axis]}; allowed is one "
                f"that holds the initial parameters, {lower[place]} to {upper[place]}",
            )


def _named_by_recipe(model: Model) -> dict[str, Iterable[str]]:
    """Parameters that a learning recipe names."""
    return {"learning.rate": model.learning.rate} if isinstance(model.learning, Contrastive) else {}


def _attempt(key: str, build: Callable, *arguments) -> Generator[tuple[str, str], None, Any]:
    """Build something; yield the mistake that its constructor finds and return None, or return what was built."""
    try:
        return build(*arguments)
    except ValueError as error:
        yield key, str(error)
        return None


def parse(kind: type[BaseModel], data: Any, where: str) -> BaseModel:
    """Check `data` against a configuration type; raises ConfigurationError with one line for each mistake."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_line(where, item) for item in error.errors())) from None


def _line(where: str, error: Mapping[str, Any]) -> str:
    """One line for one mistake that pydantic found."""
    key = ".".join(str(part) for part in error["loc"] if part not in ("gauss_newton", "contrastive"))
    problem = error["msg"].removeprefix("Value error, ").replace("Input should be", "allowed is")
    if error["type"] == "missing":
        return f"{where}: {key}: missing, and there is no default"
    found = f" {_shown(error['input'])}:" if not isinstance(error["input"], dict) else ""
    return f"{where}: {key or 'study'}:{found} {problem}"


def _shown(value: Any) -> str:
    """A value found in a file, cut to fit on a line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
