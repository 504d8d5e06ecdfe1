# Figures of studies in continuous space: what each shows, what it reads, and with which settings.


def titles(*keys):
    """Params of a figure: the named keys of the study, and what its models are called."""
    return lambda wildcards: settings(*keys, "figures.colors")(wildcards) | {
        "titles": {
            name: model.title for name, model in STUDIES[wildcards.study].models.items()
        }
    }


DENSITIES = of_split(rules.combine_densities.output)

DENSITY_FIGURES = {
    "functions": Figure(
        "the functions of {wildcards.study}",
        titles(),
        {"functions": rules.evaluate_densities.output.functions},
    ),
    "densities": Figure(
        "simulated and predicted densities of {wildcards.study}",
        titles("evaluation.cells"),
        {"densities": DENSITIES, "predictions": of_models(PREDICTED)},
    ),
    "space_time": Figure(
        "densities in space and time of {wildcards.study}",
        titles("evaluation.cells"),
        {"densities": DENSITIES, "predictions": of_models(PREDICTED)},
    ),
}

PAIR_FIGURES = {
    "pair_density": Figure(
        "the pair density of {wildcards.study}",
        settings("space.lengths", "matching"),
        {"densities": DENSITIES, "matching": rules.match_pairs.output[0]},
    ),
    "closure": Figure(
        "the closure of {wildcards.study}",
        titles(*PAIR_EQUATION, "models"),
        {
            "evaluation": EVALUATION,
            "summary": SUMMARY,
            "dynamics": of_models(LEARNED),
            "training": of_models(PREDICTED, "train"),
        },
    ),
}
