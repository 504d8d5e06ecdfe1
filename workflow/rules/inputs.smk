"""Which files there are of a study, and which of them a rule reads."""

from typing import Any, Callable, NamedTuple


class Figure(NamedTuple):
    """What a figure shows, in words; the params of its rule; and the inputs."""

    what: str
    settings: Callable
    inputs: dict[str, Any]


def table(file):
    """Output that is a table of the study in Snakemake's report."""
    caption = f"../../report/tables/{Path(file).stem}.rst"
    return report(file, caption=caption, category="{study}")


def evaluated(study):
    """Split that a study's models are scored on."""
    return STUDIES[study].evaluation.split


def parts(study, split):
    """Pieces that a split's ensemble is cut into: a fixed grid, so that a larger ensemble adds pieces."""
    ensemble = STUDIES[study].ensemble
    return Part.all(
        definition.initial_conditions(STUDIES[study], split),
        ensemble.splits[split].runs,
        ensemble.batch.initial_conditions,
        ensemble.batch.runs,
    )


def ensemble(study, split):
    """Files of the simulated lattices of a split."""
    return expand(
        rules.simulate_ensemble.output,
        study=study,
        split=split,
        part=parts(study, split),
    )


def source_file(wildcards):
    """Input function: the file that the runs of a split come from."""
    source = STUDIES[wildcards.study].source
    if source.made_by:
        made = getattr(rules, source.made_by).output
        return expand(made, study=wildcards.study, split=wildcards.split)[0]
    return source.files[wildcards.split]


def all_counts(wildcards):
    """Input function: what is counted in all parts of a split."""
    return expand(COUNTED, **wildcards, part=parts(wildcards.study, wildcards.split))


def of_split(output, split=None):
    """Input function: a file of a split, by default the evaluated one."""
    return lambda w: expand(output, study=w.study, split=split or evaluated(w.study))[0]


def of_models(file, split=None):
    """Input function: a file of every model, of a split, by default the evaluated one."""
    return lambda w: expand(
        file,
        study=w.study,
        model=STUDIES[w.study].models,
        split=split or evaluated(w.study),
    )


def baselines_of(study):
    """Baselines that there are of a study: without reactions, independent sites alone."""
    known = STUDIES[study].reactions is not None
    return list(BASELINES) if known else ["independent_sites"]


def baselines(wildcards):
    """Input function: predictions of all baselines on the evaluated split."""
    study = wildcards.study
    return expand(
        rules.predict_baseline.output,
        study=study,
        baseline=baselines_of(study),
        split=evaluated(study),
    )


def oracles(wildcards):
    """Input function: the best that families of models can reach on the evaluated split, where it is asked for."""
    study = wildcards.study
    return expand(
        rules.match_oracle.output,
        study=study,
        model=[name for name, model in STUDIES[study].models.items() if model.oracle],
        split=evaluated(study),
    )


def compared_studies(wildcards):
    """A study and the one that it is compared with."""
    return [wildcards.study, STUDIES[wildcards.study].figures.compare_with]


def section(wildcards):
    """Section of the model that a job is about."""
    return STUDIES[wildcards.study].models[wildcards.model]


def figures(study):
    """Files of all figures of a study."""
    return [
        f"<results>/{study}/figures/{name}.{kind}"
        for name in STUDIES[study].figures.draw
        for kind in ("pdf", "png")
    ]


def products(study):
    """Everything that a study ends in; in continuous space without models, the densities of its splits."""
    if not on_lattice(study) and not STUDIES[study].models:
        splits = STUDIES[study].ensemble.splits
        return expand(rules.combine_densities.output, study=study, split=splits)
    tables = [EVALUATION, SUMMARY]
    if on_lattice(study):
        tables += rules.compare_sweeps.output * bool(sampled_models(study))
        tables += rules.compare_exact.output * exactly_known(STUDIES[study])
    return expand(tables, study=study) + figures(study)


def differential_equations(study):
    """Learned models on a lattice that have some; reduced runs jump."""
    models = STUDIES[study].models if on_lattice(study) else {}
    return [
        file
        for name, model in models.items()
        if model.learning.recipe != "reduced_runs"
        for file in expand(LEARNED, study=study, model=name)
    ]


def learned_by(*recipes):
    """Constraint of a model to those of some recipes; as names of models recur, it looks back at that of the study."""
    return any_of(
        rf"(?<=/{name}/models/){model}"
        for name in ON_LATTICE
        for model, section in STUDIES[name].models.items()
        if section.learning.recipe in recipes
    )


def lattices_if_contrastive(wildcards):
    """Input function: the lattices of the split, for models whose initial parameters are found from them."""
    if section(wildcards).initial.method != "contrastive":
        return []
    return ensemble(wildcards.study, wildcards.split)


def reactions_of(wildcards):
    """The key of the reactions, where the densities of a model change by them or it is learned at several rates."""
    start = definition.start_of(STUDIES[wildcards.study], "train")
    several = start is not None and bool(start.rates)
    return ["reactions"] * (section(wildcards).family != "natural" or several)


def learning_splits(study, model):
    """Splits that a model is learned from: training, and validation where the recipe takes it and there is one."""
    matched = model.learning.recipe == "matched_trajectories"
    return ["train"] + ["validation"] * (
        matched and "validation" in study.ensemble.splits
    )


def learned_from(output):
    """Input function: a file of every split that a model is learned from."""
    return lambda w: [
        file
        for split in learning_splits(STUDIES[w.study], section(w))
        for file in expand(output, split=split, **w)
    ]


def starts_as_training(study):
    """Whether runs of the evaluated split start as those of the training split do, from the same numbers."""
    known = STUDIES[study]
    if not known.models or known.source:
        return False
    start = definition.start_of(known, evaluated(study))
    same = start == definition.start_of(known, "train") and bool(start.counts)
    return same and all(isinstance(count, int) for count in start.counts.values())


def sampled_models(study):
    """What the distributions of models with a sampling law are, and that law."""
    return {
        name: definition.subtree(model, *FAMILY, "sampling")
        for name, model in TREES[study]["models"].items()
        if model["sampling"]
    }


def benchmarks(study):
    """What the jobs have cost that a study's products take."""
    known, split, files = STUDIES[study], evaluated(study), []

    def add(name, **values):
        files.extend(expand(getattr(rules, name).benchmark, study=study, **values))

    lattice, kind = on_lattice(study), "pairs" if study in OF_PAIRS else "densities"
    made = "import_ensemble" if lattice and known.source else "simulate_ensemble"
    splits = ["train"] * bool(known.models) + [split]
    for model in known.models.values() if lattice else ():
        splits += learning_splits(known, model)
    for needed in dict.fromkeys(splits):
        for name in [made, "count_moments"] if lattice else ["simulate_particles"]:
            add(name, split=needed, part=parts(study, needed))
        add("combine_moments" if lattice else "combine_densities", split=needed)
    for model, section in known.models.items():
        if lattice:
            needed = {*learning_splits(known, section), split}
            add("initial_parameters", model=model, split=needed)
            add("match_oracle", model=[model] * section.oracle, split=split)
        add(f"learn_{section.learning.recipe if lattice else kind}", model=model)
        predicting = "moments" if lattice else kind
        if lattice and section.learning.recipe == "reduced_runs":
            predicting = "reduced_runs"
        add(f"predict_{predicting}", model=model, split=split)
    if lattice:
        add("predict_baseline", baseline=baselines_of(study), split=split)
    if lattice or known.models:
        add(f"evaluate_{'study' if lattice else kind}")
        for figure in known.figures.draw:
            add(f"plot_{figure}", figure=figure)
    return files
