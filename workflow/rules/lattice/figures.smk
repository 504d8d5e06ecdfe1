# Figures of studies on a lattice: what each shows, what it reads, and with which settings.


def drawn(*keys):
    """Params of a figure: the named keys of the study, and of its models what is drawn of them."""

    def params(wildcards):
        models = TREES[wildcards.study]["models"]
        shown = {
            name: definition.subtree(model, *FAMILY, "runs", "title", "domain")
            for name, model in models.items()
        }
        return settings(*keys, "figures.colors")(wildcards) | {"models": shown}

    return params


def compared(*keys):
    """Params of a figure of models and baselines: those of `drawn`, with what the baselines are called."""
    titles = {name: baseline.title for name, baseline in BASELINES.items()}
    return lambda wildcards: drawn(*keys)(wildcards) | {"baselines": titles}


MOMENTS = rules.combine_moments.output
LATTICE = ("species", "lattice.shape", "lattice.boundary", "ensemble.dt")
EXAMPLE = {
    "lattices": lambda w: ensemble(w.study, evaluated(w.study))[0],
    "predictions": of_models(PREDICTED),
}


def first_model(file):
    """Input function: a file of the first model, of the evaluated split."""
    return lambda w: of_models(file)(w)[0]


LATTICE_FIGURES = {
    "overview": Figure(
        "the idea, with {wildcards.study}",
        lambda w: settings(*LATTICE, "reactions", "figures.colors")(w)
        | {
            "models": {
                name: definition.subtree(
                    model, *FAMILY, "domain", "integrator", "learning.recipe"
                )
                for name, model in list(TREES[w.study]["models"].items())[:1]
            }
        },
        {
            "lattices": EXAMPLE["lattices"],
            "moments": of_split(MOMENTS),
            "predictions": first_model(PREDICTED),
            "dynamics": first_model(LEARNED),
        },
    ),
    "lattices": Figure(
        "example lattices of {wildcards.study}", drawn(*LATTICE), EXAMPLE
    ),
    "counts": Figure(
        "simulated means and neighbour correlations of {wildcards.study}",
        settings("lattice.shape"),
        {"moments": of_split(MOMENTS, "train")},
    ),
    "initial_conditions": Figure(
        "the initial conditions of {wildcards.study}",
        settings(),
        {"moments": of_split(MOMENTS, "train")},
    ),
    "voxels": Figure(
        "a lattice of {wildcards.study} and its hidden units", drawn(*LATTICE), EXAMPLE
    ),
    "site_selection": Figure(
        "what the choice of molecules does to {wildcards.study}",
        lambda w: settings("lattice.shape", "evaluation.last_step")(w)
        | {
            "choices": [
                STUDIES[study].lattice.site_selection for study in compared_studies(w)
            ]
        },
        {
            "moments": lambda w: [
                expand(MOMENTS, study=study, split=evaluated(study))[0]
                for study in compared_studies(w)
            ],
            "lattices": lambda w: [
                ensemble(study, evaluated(study))[0] for study in compared_studies(w)
            ],
        },
    ),
    "control": Figure(
        "the control of {wildcards.study}",
        settings(),
        {"control": rules.compare_exact.output[0]},
    ),
    "hermite_basis": Figure("the Hermite basis", settings(), {}),
    "parameters": Figure(
        "learned parameters over time of {wildcards.study}",
        drawn("ensemble.dt"),
        {"predictions": of_models(PREDICTED), "dynamics": of_models(LEARNED)},
    ),
    "global_and_local": Figure(
        "what correlations are made of in {wildcards.study}",
        drawn("species", "lattice.shape", "lattice.boundary"),
        {"moments": of_split(MOMENTS, "train"), "dynamics": of_models(LEARNED)},
    ),
    "trajectories": Figure(
        "learned trajectories of {wildcards.study}",
        drawn(),
        {"predictions": of_models(PREDICTED)},
    ),
    "right_hand_sides": Figure(
        "learned right-hand sides of {wildcards.study}",
        drawn(),
        {"dynamics": of_models(LEARNED), "predictions": of_models(PREDICTED)},
    ),
    "learning": Figure(
        "the learning of {wildcards.study}", drawn(), {"dynamics": of_models(LEARNED)}
    ),
    "moments": Figure(
        "predicted moments of {wildcards.study}",
        compared("evaluation.last_step"),
        {
            "moments": of_split(MOMENTS),
            "predictions": lambda w: of_models(PREDICTED)(w) + baselines(w),
        },
    ),
    "held_out": Figure(
        "held-out initial conditions of {wildcards.study}",
        drawn("species"),
        {
            "moments": of_split(MOMENTS),
            "predictions": of_models(PREDICTED),
            "independent": lambda w: expand(
                rules.predict_baseline.output,
                study=w.study,
                baseline="independent_sites",
                split=evaluated(w.study),
            )[0],
        },
    ),
    "rmse": Figure(
        "errors of {wildcards.study}",
        compared("observables"),
        {"evaluation": EVALUATION},
    ),
    "visited_grid": Figure(
        "the visited grid of {wildcards.study}",
        drawn("species", "lattice.shape"),
        {"moments": of_split(MOMENTS), "predictions": of_models(PREDICTED)},
    ),
    "relative_errors": Figure(
        "relative errors of {wildcards.study}", compared(), {"summary": SUMMARY}
    ),
}
