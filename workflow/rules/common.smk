"""What all rules share: the checked configuration, which studies a rule is for, and its params and code."""

import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

HERE = Path(workflow.current_basedir.get_path_or_uri(secret_free=True))
if not HERE.is_dir():
    raise WorkflowError(f"{HERE}: this workflow runs from a local copy; clone it")
WORKFLOW = Path(os.path.relpath(HERE.parent))
SCRIPTS = WORKFLOW / "scripts"
STUDY_FILES = Path(os.path.relpath(HERE.parents[1] / "config" / "studies"))
sys.path.insert(0, str(HERE.parent / "scripts"))

from dbd.evaluation.baselines import BASELINES
from dbd.study import reading as definition
from dbd.study.imports import kernel_cache, library_files
from dbd.study.lattice_checks import exactly_known
from dbd.study.lattice_study import Workflow
from dbd.study.part import Part


def refuse(mistake):
    """Stop before anything runs, with a line for each mistake."""
    sys.exit(f"Error in the configuration:\n{mistake}")


def is_rule(name):
    """Whether there is a rule of a name already."""
    try:
        getattr(rules, name)
    except (AttributeError, WorkflowError):
        return False
    return True


try:
    FILES = dict.fromkeys(os.path.relpath(file) for file in workflow.configfiles)
    ORIGIN = " and ".join(FILES) or "config"
    SETTINGS = definition.parse(Workflow, config, ORIGIN)
    definition.check_names(SETTINGS.overrides, STUDY_FILES, f"{ORIGIN}: overrides")
    definition.check_names(SETTINGS.studies, STUDY_FILES, f"{ORIGIN}: studies")
    # Every study file can be built by name; mistakes in one that is not listed are reported when it is asked for.
    STUDIES = definition.load_studies(
        STUDY_FILES,
        SETTINGS.overrides,
        f"the overrides of {ORIGIN}",
        needed=SETTINGS.studies,
    )
    definition.check_compared(STUDIES, ORIGIN)
except definition.ConfigurationError as error:
    refuse(error)

WRONG = sorted({file.stem for file in STUDY_FILES.glob("*.yaml")} - {*STUDIES})

TREES = {
    name: study.model_dump(mode="json") | {"seed": SETTINGS.seed}
    for name, study in STUDIES.items()
}

os.environ.update(NUMBA_CACHE_DIR=str(kernel_cache(SCRIPTS)))


pathvars:
    results=SETTINGS.results,
    logs=f"{SETTINGS.results}/logs",
    benchmarks=f"{SETTINGS.results}/benchmarks",


# Files that several rules make, one for each kind of study or model.
LEARNED = "<results>/{study}/models/{model}/dynamics.nc"
PREDICTED = "<results>/{study}/models/{model}/{split}.nc"
COUNTED = "<results>/{study}/{split}/counts/{part}.nc"
EVALUATION = "<results>/{study}/evaluation.csv"
SUMMARY = "<results>/{study}/summary.csv"


def mistakes(study):
    """Input function that tells what is wrong with a study."""

    def tell(wildcards):
        file, changes = STUDY_FILES / f"{study}.yaml", SETTINGS.overrides.get(study)
        try:
            definition.load_study(file, changes, f"the overrides of {ORIGIN}")
        except definition.ConfigurationError as error:
            refuse(error)

    return tell


def any_of(names):
    """Constraint of a wildcard to some names, if need be to none."""
    return "|".join(names) or "(?!)"


def on_lattice(study):
    """Whether a study is one on a lattice; the others are in continuous space."""
    return "lattice" in TREES[study]


ON_LATTICE = [name for name in STUDIES if on_lattice(name)]
IN_SPACE = [name for name in STUDIES if not on_lattice(name)]
OF_PAIRS = [name for name in IN_SPACE if STUDIES[name].of_pairs]
OF_DENSITIES = [name for name in IN_SPACE if not STUDIES[name].of_pairs]


# Rules of studies in continuous space have a constraint of their own.
wildcard_constraints:
    study=any_of(ON_LATTICE),
    split=any_of(
        {split for study in STUDIES.values() for split in study.ensemble.splits}
    ),
    model=any_of({model for study in STUDIES.values() for model in study.models}),
    baseline=any_of(BASELINES),
    part=Part.PATTERN,


# Keys of a model that say which family its Boltzmann distribution is from.
FAMILY = ("family", "spread", "interactions", "layers")


@cache
def code(script):
    """Input files of a rule: its script, and the library files that the script imports, directly or through others."""
    return sorted(map(str, library_files(SCRIPTS / script)))


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
            "initial_condition": start and start.model_dump(mode="json")
        }

    return params


def split_settings(*keys, of=None):
    """Params like those of `settings`, with the starts of a split: that of the wildcards, or training by default."""

    def params(wildcards):
        split = of(wildcards.study) if of else wildcards.get("split", "train")
        starts = TREES[wildcards.study]["ensemble"]["splits"][split]["starts"]
        return settings(*keys)(wildcards) | {"starts": starts}

    return params


def part_settings(*keys):
    """Params like those of `settings`, with the starts that a part is about and the number of its first one."""

    def params(wildcards):
        conditions = Part.parse(wildcards.part).conditions
        starts = TREES[wildcards.study]["ensemble"]["splits"][wildcards.split]["starts"]
        return settings(*keys)(wildcards) | {
            "first": conditions.start,
            "starts": starts[conditions.start : conditions.stop],
        }

    return params
