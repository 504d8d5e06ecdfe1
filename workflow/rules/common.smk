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

from dbd.study import reading as definition
from dbd.evaluation.baselines import BASELINES
from dbd.study.lattice_checks import exactly_known
from dbd.study.lattice_study import Workflow

try:
    ORIGIN = " and ".join(
        dict.fromkeys(os.path.relpath(file) for file in workflow.configfiles)
    )
    SETTINGS = definition.parse(Workflow, config, ORIGIN)
    STUDY_FILES = Path(os.path.relpath(workflow.basedir), "config", "studies")
    definition.check_names(SETTINGS.overrides, STUDY_FILES, f"{ORIGIN}: overrides")
    definition.check_names(SETTINGS.studies, STUDY_FILES, f"{ORIGIN}: studies")
    # Every study file can be built by name; mistakes matter in those that are asked for.
    STUDIES = definition.load_studies(
        STUDY_FILES,
        SETTINGS.overrides,
        f"the overrides of {ORIGIN}",
        needed=[*SETTINGS.studies, *sys.argv],
    )
    definition.check_beside(STUDIES, ORIGIN)
except definition.ConfigurationError as error:
    sys.exit(f"Error in the configuration:\n{error}")

TREES = {
    name: study.model_dump(mode="json") | {"seed": SETTINGS.seed}
    for name, study in STUDIES.items()
}

# A compiled kernel does not notice a change in a callee of another module: the cache is one per state of the library.
SOURCES = sorted(SCRIPTS.glob("dbd/**/*.py"))
STATE = hashlib.sha256(b"".join(map(Path.read_bytes, SOURCES))).hexdigest()[:16]
os.environ.update(NUMBA_CACHE_DIR=str(Path(".snakemake", "numba", STATE).resolve()))


pathvars:
    results=SETTINGS.results,
    logs=f"{SETTINGS.results}/logs",
    benchmarks=f"{SETTINGS.results}/benchmarks",


def on_lattice(study):
    """Whether a study is one on a lattice; the others are in continuous space."""
    return "lattice" in TREES[study]


def any_of(studies):
    """Constraint of a wildcard to some studies, if need be to none."""
    return "|".join(studies) or "(?!)"


# Rules of studies in continuous space have a constraint of their own.
wildcard_constraints:
    study=any_of(filter(on_lattice, STUDIES)),
    split="|".join(
        {split for study in STUDIES.values() for split in study.ensemble.splits}
    ),
    model="|".join({model for study in STUDIES.values() for model in study.models}),
    baseline="|".join(BASELINES),
    part=r"ic\d+-\d+_run\d+-\d+",


# Keys of a model that say which family its Boltzmann distribution is from.
FAMILY = ("interactions", "layers", "reference_density")


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
def imported(file):
    """Files of the library that a file imports."""
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module]
            names += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    files = {SCRIPTS.joinpath(*name.split(".")).with_suffix(".py") for name in names}
    return {file for file in files if file.exists()}


@cache
def library(script):
    """Files of the library that a script imports, directly or through others, found by walking the imports."""
    found, ahead = set(), [SCRIPTS / script]
    while ahead:
        new = imported(ahead.pop()) - found
        found |= new
        ahead += new
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
        "<results>/{study}/{split}/ensemble/{part}.nc",
        study=study,
        split=split,
        part=parts(study, split),
    )


def products(study):
    """Everything that a study ends in; in continuous space without models, the densities of its splits."""
    if not on_lattice(study) and not STUDIES[study].models:
        return [
            f"<results>/{study}/{split}/densities.nc"
            for split in STUDIES[study].ensemble.splits
        ]
    tables = ["evaluation", "summary"]
    if on_lattice(study):
        tables += ["sweeps"] * bool(STUDIES[study].evaluation.sweeps)
        tables += ["control"] * exactly_known(STUDIES[study])
    return [f"<results>/{study}/{name}.csv" for name in tables] + figures(study)


def lattices_if(needed):
    """Input function: the lattices of the split, training by default, for models whose recipe draws from them."""
    return lambda w: (
        ensemble(w.study, w.get("split", "train"))
        if needed(STUDIES[w.study].models[w.model])
        else []
    )


def samples_initial(wildcards):
    """Whether a model's initial parameters are matched under its sampling law."""
    model = STUDIES[wildcards.study].models[wildcards.model]
    return model.initial.method == "sampled"


def tracks_paths(wildcards):
    """Whether a model is learned by path tracking; the same static matching is then its oracle."""
    model = STUDIES[wildcards.study].models[wildcards.model]
    return model.learning.recipe == "path_tracking"


def predictions(wildcards):
    """Predictions of all models on the evaluated split, of their families' oracles, and of what they have to beat."""
    models = f"<results>/{wildcards.study}/models"
    split = evaluated(wildcards.study)
    oracles = [
        f"{models}/{name}/oracle.{split}.nc"
        for name, model in STUDIES[wildcards.study].models.items()
        if model.oracle
    ]
    return predicted(wildcards) + oracles + baselines(wildcards)


def figures(study):
    """Files of all figures of a study."""
    return [
        f"<results>/{study}/figures/{name}.{kind}"
        for name in STUDIES[study].figures.draw
        for kind in ("pdf", "png")
    ]


def figure(name):
    """Output of a figure's rule; its caption is in workflow/report."""
    paths = [f"<results>/{{study}}/figures/{name}.{kind}" for kind in ("pdf", "png")]
    picture = report(paths[1], caption=f"../report/{name}.rst", category="{study}")
    return [paths[0], picture]


def beside(wildcards):
    """A study and the one that it is shown beside."""
    return [wildcards.study, STUDIES[wildcards.study].figures.beside]


def evaluated(study):
    """Split that a study's models are scored on."""
    return STUDIES[study].evaluation.split


def predicted(wildcards):
    """Predictions of all models on the evaluated split."""
    study = wildcards.study
    return [
        f"<results>/{study}/models/{model}/{evaluated(study)}.nc"
        for model in STUDIES[study].models
    ]


def sampled_models(study):
    """What the distributions of models with a sampling law are, and that law."""
    return {
        name: definition.subtree(model, *FAMILY, "sampling")
        for name, model in TREES[study]["models"].items()
        if model["sampling"]
    }


def baselines(wildcards):
    """Predictions of all baselines on the evaluated split."""
    study = wildcards.study
    return [
        f"<results>/{study}/baselines/{baseline}/{evaluated(study)}.nc"
        for baseline in BASELINES
    ]


def learned(wildcards):
    """Learned dynamics of all models."""
    return [
        f"<results>/{wildcards.study}/models/{model}/dynamics.nc"
        for model in STUDIES[wildcards.study].models
    ]


def drawn(*keys):
    """Params of a figure: the named keys of the study, and of its models what is drawn of them."""

    def params(wildcards):
        models = TREES[wildcards.study]["models"]
        shown = {
            name: definition.subtree(model, *FAMILY, "title", "domain")
            for name, model in models.items()
        }
        return settings(*keys, "figures.colors")(wildcards) | {"models": shown}

    return params


def compared(*keys):
    """Params of a figure of models beside baselines: those of `drawn`, with what the baselines are called."""
    titles = {name: baseline.title for name, baseline in BASELINES.items()}
    return lambda wildcards: drawn(*keys)(wildcards) | {"baselines": titles}
