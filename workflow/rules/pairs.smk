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
        library("learn_pairs.py"),
        densities="<results>/{study}/train/densities.nc",
    output:
        "<results>/{study}/models/{model}/dynamics.nc",
    log:
        "<logs>/{study}/models/{model}/learn_pairs.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_pairs.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=split_settings(*PAIR_EQUATION, "models.{model}"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}"
    script:
        "../scripts/learn_pairs.py"


rule predict_pairs:
    input:
        library("predict_pairs.py"),
        dynamics="<results>/{study}/models/{model}/dynamics.nc",
    output:
        "<results>/{study}/models/{model}/{split}.nc",
    log:
        "<logs>/{study}/models/{model}/predict_pairs.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_pairs.{split}.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=split_settings(*PAIR_EQUATION, "ensemble.steps", "models.{model}"),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../scripts/predict_pairs.py"


rule match_pairs:
    input:
        library("match_pairs.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
    output:
        "<results>/{study}/matching.nc",
    log:
        "<logs>/{study}/match_pairs.log",
    benchmark:
        "<benchmarks>/{study}/match_pairs.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
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
        "../scripts/match_pairs.py"


rule evaluate_pairs:
    input:
        library("evaluate_pairs.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
        predictions=of_models("{split}.nc"),
        matching="<results>/{study}/matching.nc",
    output:
        "<results>/{study}/evaluation.csv",
        "<results>/{study}/summary.csv",
        "<results>/{study}/matching.csv",
    log:
        "<logs>/{study}/evaluate_pairs.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_pairs.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=split_settings("space.lengths", "evaluation", "matching", of=evaluated),
    message:
        "Evaluate {wildcards.study}"
    script:
        "../scripts/evaluate_pairs.py"
