"""Reading a study: from YAML to checked types.

Mistakes are reported, one line each, before anything runs: file, key, value and what is expected.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from dbd.messages import mismatch, one_of
from dbd.study.continuum_checks import STAGES as CONTINUOUS_STAGES
from dbd.study.continuum_study import ContinuumStudy
from dbd.study.lattice_checks import STAGES
from dbd.study.lattice_study import Study, start_of
from dbd.study.values import PATTERNS

EXPECTED = {
    "bool_parsing": "true or false",
    "dict_type": "a mapping",
    "float_parsing": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "finite_number": "a finite number",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
    "model_type": "a mapping",
    "string_type": "text",
    "too_long": "at most {max_length}",
    "too_short": "at least {min_length}",
    "tuple_type": "a list",
    "union_tag_invalid": "{expected_tags}",
    "union_tag_not_found": "'gauss_newton', 'matched_trajectories', 'reduced_runs' or 'contrastive'",
}
"""What is expected where pydantic finds an error of a type."""


class ConfigurationError(ValueError):
    """What is wrong with a configuration, in one line for each mistake."""


class _Loader(yaml.SafeLoader):
    """Reads YAML and refuses a key that is given twice, of which PyYAML would silently keep the last."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place] and key != "<<":
                raise yaml.constructor.ConstructorError(
                    None, None, f"key '{key}' is given twice", node.value[place][0].start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; raises ConfigurationError if it is missing, unreadable or something else."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError:
        near = ", ".join(sorted(file.stem for file in path.parent.glob("*.yaml")))
        raise ConfigurationError(f"{path}: no such file, expected one of {near}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigurationError(f"{path}{where}: not YAML: {getattr(error, 'problem', error)}") from None
    if not isinstance(data, dict):
        raise ConfigurationError(f"{path}: {mismatch(type(data).__name__, 'a mapping of keys to values')}")
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


def load_study(
    path: Path, changes: Mapping[str, Any] | None = None, origin: str = "overrides"
) -> Study | ContinuumStudy:
    """Read a study file, with changes that come from `origin` laid over it, and check all that can be checked now.

    A study with the key ``space`` is one in continuous space, any other is one on a lattice.

    Raises
    ------
    ConfigurationError
        One line for each mistake. Of mistakes that follow from others, only the first is reported.
    """
    where = f"{path} with {origin}" if changes else str(path)
    tree = overlay(read_yaml(path), changes or {})
    kind, stages = (ContinuumStudy, CONTINUOUS_STAGES) if "space" in tree else (Study, STAGES)
    study = parse(kind, tree, where)
    for stage in stages:
        if lines := [f"{where}: {key}: {problem}" for key, problem in stage(study)]:
            raise ConfigurationError("\n".join(dict.fromkeys(lines)))
    return study


def load_studies(
    folder: Path, overrides: Mapping[str, Mapping[str, Any]], origin: str, needed: Collection[str]
) -> dict[str, Study]:
    """Read all study files of a folder, with `overrides` by study that come from `origin` laid over them.

    Studies with mistakes are left out, unless their names are in `needed`.

    Raises
    ------
    ConfigurationError
        As `load_study` does, for the first study that is needed and has mistakes.
    """
    studies = {}
    for path in sorted(folder.glob("*.yaml")):
        try:
            studies[path.stem] = load_study(path, overrides.get(path.stem), origin)
        except ConfigurationError:
            if path.stem in needed:
                raise
    return studies


def check_names(names: Iterable[str], folder: Path, where: str) -> None:
    """Raise ConfigurationError unless every name is that of a study file in `folder`."""
    studies = sorted(file.stem for file in folder.glob("*.yaml"))
    for name in names:
        if name not in studies:
            raise ConfigurationError(f"{where}: {mismatch(name, one_of(studies))}")


def check_compared(studies: Mapping[str, Study | ContinuumStudy], where: str) -> None:
    """Raise ConfigurationError unless every study that another one is compared with exists."""
    for name, study in studies.items():
        other = getattr(study.figures, "compare_with", None)  # studies in continuous space have no such figure
        if other is not None and other not in studies:
            key = f"figures.compare_with of {name}"
            raise ConfigurationError(f"{where}: studies: {key}: {mismatch(other, one_of(studies))}")


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


def initial_conditions(study: Study | ContinuumStudy, split: str) -> int:
    """Number of initial conditions of a split: as configured, or as many as are listed."""
    given = study.ensemble.splits[split].initial_conditions
    return given or len(start_of(study, split).parameters)


def parse(kind: type[BaseModel], data: Any, where: str) -> BaseModel:
    """Check `data` against a configuration type; raises ConfigurationError with one line for each mistake."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        errors = error.errors()
    deeper = {item["loc"][:length] for item in errors for length in range(len(item["loc"]))}
    lines = (_line(where, item) for item in errors if item["loc"] not in deeper)  # the others follow from these
    raise ConfigurationError("\n".join(lines))


def _line(where: str, error: Mapping[str, Any]) -> str:
    """One line for one mistake that pydantic found."""
    place = zip(error["loc"], ("", *error["loc"]), strict=False)  # pydantic names the recipe after 'learning'
    key = ".".join(str(part) for part, before in place if part != "[key]" and before != "learning")
    kind, found = error["type"], error["input"]
    if kind == "missing":
        return f"{where}: {key}: missing, and there is no default"
    if kind.startswith("union_tag"):
        key, found = f"{key}.recipe", found.get("recipe") if isinstance(found, dict) else found
    expected = EXPECTED.get(kind, "").format(**error.get("ctx", {}))
    if kind == "string_pattern_mismatch":
        expected = PATTERNS[error["ctx"]["pattern"]]
    problem = mismatch(_shown(found), expected) if expected else error["msg"].removeprefix("Value error, ")
    return ": ".join(filter(None, (where, key, problem)))


def _shown(value: Any) -> str:
    """A value found in a file, cut to fit on a line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
