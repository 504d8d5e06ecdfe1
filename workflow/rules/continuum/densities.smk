# Density equations: learning, prediction and evaluation.

# What defines the density equation of a study, apart from its functions.
DENSITY_EQUATION = (
    "space.lengths",
    "space.boundary",
    "observables.cells",
    "density_equation",
    "ensemble.dt",
)


rule learn_densities:
    input:
        code("learn_densities.py"),
        densities=of_split(rules.combine_densities.output, "train"),
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_densities.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_densities.tsv"
    wildcard_constraints:
        study=any_of(OF_DENSITIES),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=split_settings(
            "species",
            "reactions",
            "space",
            *DENSITY_EQUATION[2:],
            "models.{model}",
            "seed",
        ),
    message:
        "Learn {wildcards.study}, model {wildcards.model}"
    script:
        "../../scripts/learn_densities.py"


rule predict_densities:
    input:
        code("predict_densities.py"),
        dynamics=LEARNED,
    output:
        PREDICTED,
    log:
        "<logs>/{study}/models/{model}/predict_densities.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_densities.{split}.tsv"
    wildcard_constraints:
        study=any_of(OF_DENSITIES),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=split_settings(*DENSITY_EQUATION, "ensemble.steps"),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../../scripts/predict_densities.py"


rule evaluate_densities:
    input:
        code("evaluate_densities.py"),
        densities=of_split(rules.combine_densities.output),
        dynamics=of_models(LEARNED),
        training=lambda w: of_models(PREDICTED, "train")(w)[0],
        predictions=of_models(PREDICTED),
    output:
        EVALUATION,
        table(SUMMARY),
        functions=table("<results>/{study}/functions.csv"),
    log:
        "<logs>/{study}/evaluate_densities.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_densities.tsv"
    wildcard_constraints:
        study=any_of(OF_DENSITIES),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=settings(
            "species",
            "reactions",
            "space",
            *DENSITY_EQUATION[2:],
            "ensemble.steps",
            "evaluation",
        ),
    message:
        "Evaluate {wildcards.study}"
    script:
        "../../scripts/evaluate_densities.py"
