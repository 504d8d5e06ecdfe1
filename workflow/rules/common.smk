"""What all rules share: the checked configuration, the paths of the data, and the inputs that are code."""

import ast
import hashlib
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

SCRIPTS = Path(workflow.basedir) / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from dbd import study as definition
from dbd.config import Settings

try:
    ORIGIN = " and ".join(
        dict.fromkeys(os.path.relpath(file) for file in workflow.configfiles)
    )
    SETTINGS = definition.parse(Settings, config, ORIGIN)
    STUDY_FILES = Path(os.path.relpath(workflow.basedir), "config", "studies")
    definition.check_overrides(SETTINGS.overrides, STUDY_FILES, ORIGIN)
    STUDIES = {
        name: definition.load_study(
            STUDY_FILES / f"{name}.yaml",
            SETTINGS.overrides.get(name),
            f"the overrides of {ORIGIN}",
        )
        for name in SETTINGS.studies
    }
except definition.ConfigurationError as error:
    sys.exit(f"Error in the configuration:\n{error}")

RESULTS = SETTINGS.results
TREES = {
    name: study.model_dump(mode="json") | {"seed": SETTINGS.seed}
    for name, study in STUDIES.items()
}

# A compiled kernel does not notice a change in a callee of another module: the cache is one per state of the library.
SOURCES = sorted(SCRIPTS.glob("dbd/*.py"))
os.environ["NUMBA_CACHE_DIR"] = str(
    Path(
        ".snakemake",
        "numba",
        hashlib.sha256(b"".join(map(Path.read_bytes, SOURCES))).hexdigest()[:16],
    ).resolve()
)


wildcard_constraints:
    study="|".join(STUDIES),
    split="|".join(
        {split for study in STUDIES.values() for split in study.ensemble.splits}
    ),
    model="|".join({model for study in STUDIES.values() for model in study.models}),
    part=r"ic\d+-\d+_run\d+-\d+",


def settings(*keys):
    """Params of a rule: exactly these dotted keys of the study, with {model} and {split} filled in from wildcards."""
    return lambda wildcards: definition.subtree(
        TREES[wildcards.study],
        *(key.format_map(dict(wildcards.items())) for key in keys),
    )


def start_settings(*keys):
    """Params like those of `settings`, with where the runs of the split start."""

    def params(wildcards):
        start = definition.start_of(STUDIES[wildcards.study], wildcards.split)
        return settings(*keys)(wildcards) | {
            "initial_condition": start.model_dump(mode="json")
        }

    return params


@cache
def library(script):
    """Files of the library that a script imports, directly or through others, found by walking the imports."""
    found, ahead = set(), [SCRIPTS / script]
    while ahead:
        for node in ast.walk(ast.parse(ahead.pop().read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [
                    node.module,
                    *(f"{node.module}.{alias.name}" for alias in node.names),
                ]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                file = SCRIPTS.joinpath(*name.split(".")).with_suffix(".py")
                if file.exists() and file not in found:
                    found.add(file)
                    ahead.append(file)
    return sorted(os.path.relpath(file) for file in found)


def parts(study, split):
    """Names of the pieces that a split's ensemble is cut into: a fixed grid, so that a larger ensemble adds pieces."""
    ensemble = STUDIES[study].ensemble
    initial_conditions = definition.initial_conditions(STUDIES[study], split)
    return [
        f"ic{first}-{min(first + ensemble.batch.initial_conditions, initial_conditions)}"
        f"_run{run}-{min(run + ensemble.batch.runs, ensemble.splits[split].runs)}"
        for first in range(0, initial_conditions, ensemble.batch.initial_conditions)
        for run in range(0, ensemble.splits[split].runs, ensemble.batch.runs)
    ]


def ensemble(study, split):
    """Files of the simulated lattices of a split."""
    return expand(
        RESULTS + "/{study}/{split}/ensemble/{part}.nc",
        study=study,
        split=split,
        part=parts(study, split),
    )


def products(study):
    """Everything that a study ends in; without models, the moments of its splits."""
    if not STUDIES[study].models:
        return [
            f"{RESULTS}/{study}/{split}/moments.nc"
            for split in STUDIES[study].ensemble.splits
        ]
    return [
        f"{RESULTS}/{study}/{name}" for name in ("evaluation.csv", "summary.csv")
    ] + figures(study)
