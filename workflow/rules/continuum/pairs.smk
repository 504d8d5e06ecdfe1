# Studies of pairs in continuous space: learning of closures, and static matching.


# What defines the pair equation of a study, apart from its closure.
PAIR_EQUATION = (
    "reactions",
    "space",
    "observables.pairs",
    "ensemble.dt",
    "pair_equation",
)


rule learn_pairs:
    input:
        code("learn_pairs.py"),
        densities=of_split(rules.combine_densities.output, "train"),
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_pairs.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_pairs.tsv"
    wildcard_constraints:
        study=any_of(OF_PAIRS),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=split_settings(*PAIR_EQUATION, "models.{model}"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}"
    script:
        "../../scripts/learn_pairs.py"


rule predict_pairs:
    input:
        code("predict_pairs.py"),
        dynamics=LEARNED,
    output:
        PREDICTED,
    log:
        "<logs>/{study}/models/{model}/predict_pairs.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_pairs.{split}.tsv"
    wildcard_constraints:
        study=any_of(OF_PAIRS),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=split_settings(*PAIR_EQUATION, "ensemble.steps", "models.{model}"),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../../scripts/predict_pairs.py"


rule match_pairs:
    input:
        code("match_pairs.py"),
        densities=of_split(rules.combine_densities.output),
    output:
        "<results>/{study}/matching.nc",
    log:
        "<logs>/{study}/match_pairs.log",
    benchmark:
        "<benchmarks>/{study}/match_pairs.tsv"
    wildcard_constraints:
        study=any_of(OF_PAIRS),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=settings(
            "space",
            "observables.pairs",
            "observables.gaps",
            "matching",
            "seed",
        ),
    message:
        "Match the pairs of {wildcards.study}"
    script:
        "../../scripts/match_pairs.py"


rule evaluate_pairs:
    input:
        code("evaluate_pairs.py"),
        densities=of_split(rules.combine_densities.output),
        predictions=of_models(PREDICTED),
        matching=rules.match_pairs.output[0],
    output:
        EVALUATION,
        table(SUMMARY),
        table("<results>/{study}/matching.csv"),
    log:
        "<logs>/{study}/evaluate_pairs.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_pairs.tsv"
    wildcard_constraints:
        study=any_of(OF_PAIRS),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=split_settings("space.lengths", "evaluation", "matching", of=evaluated),
    message:
        "Evaluate {wildcards.study}"
    script:
        "../../scripts/evaluate_pairs.py"
