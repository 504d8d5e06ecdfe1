# Studies in continuous space: the stages of the lattice studies, with densities for moments.


rule simulate_particles:
    input:
        library("simulate_particles.py"),
    output:
        "<results>/{study}/{split}/counts/{part}.nc",
    log:
        "<logs>/{study}/{split}/simulate_particles/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_particles/{part}.tsv"
    wildcard_constraints:
        study=CONTINUOUS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=part_settings(
            "species",
            "reactions",
            "space",
            "ensemble.dt",
            "ensemble.steps",
            "ensemble.substeps",
            "ensemble.groups",
            "observables",
            "seed",
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../scripts/simulate_particles.py"


rule combine_densities:
    input:
        library("combine_densities.py"),
        counts=lambda w: expand(
            "<results>/{study}/{split}/counts/{part}.nc",
            study=w.study,
            split=w.split,
            part=parts(w.study, w.split),
        ),
    output:
        "<results>/{study}/{split}/densities.nc",
    log:
        "<logs>/{study}/{split}/combine_densities.log",
    benchmark:
        "<benchmarks>/{study}/{split}/combine_densities.tsv"
    wildcard_constraints:
        study=CONTINUOUS,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        settings=settings("space", "observables", "ensemble.dt"),
    message:
        "Combine the densities of {wildcards.study}, split {wildcards.split}"
    script:
        "../scripts/combine_densities.py"


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
        library("learn_densities.py"),
        densities="<results>/{study}/train/densities.nc",
    output:
        "<results>/{study}/models/{model}/dynamics.nc",
    log:
        "<logs>/{study}/models/{model}/learn_densities.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_densities.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
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
        "../scripts/learn_densities.py"


rule predict_densities:
    input:
        library("predict_densities.py"),
        dynamics="<results>/{study}/models/{model}/dynamics.nc",
    output:
        "<results>/{study}/models/{model}/{split}.nc",
    log:
        "<logs>/{study}/models/{model}/predict_densities.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_densities.{split}.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=split_settings(*DENSITY_EQUATION, "ensemble.steps"),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../scripts/predict_densities.py"


rule evaluate_densities:
    input:
        library("evaluate_densities.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
        dynamics=of_models("dynamics.nc"),
        training=lambda w: of_models("train.nc")(w)[0],
        predictions=of_models("{split}.nc"),
    output:
        "<results>/{study}/evaluation.csv",
        "<results>/{study}/summary.csv",
        "<results>/{study}/functions.csv",
    log:
        "<logs>/{study}/evaluate_densities.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_densities.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
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
        "../scripts/evaluate_densities.py"


rule plot_functions:
    input:
        library("plot_functions.py"),
        functions="<results>/{study}/functions.csv",
    output:
        figure("functions"),
    log:
        "<logs>/{study}/figures/plot_functions.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_functions.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=titles(),
    message:
        "Draw the functions of {wildcards.study}"
    script:
        "../scripts/plot_functions.py"


rule plot_densities:
    input:
        library("plot_densities.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
        predictions=of_models("{split}.nc"),
    output:
        figure("densities"),
    log:
        "<logs>/{study}/figures/plot_densities.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_densities.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=titles("evaluation.cells"),
    message:
        "Draw simulated and predicted densities of {wildcards.study}"
    script:
        "../scripts/plot_densities.py"


rule plot_space_time:
    input:
        library("plot_space_time.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
        predictions=of_models("{split}.nc"),
    output:
        figure("space_time"),
    log:
        "<logs>/{study}/figures/plot_space_time.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_space_time.tsv"
    wildcard_constraints:
        study=OF_DENSITIES,
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=titles("evaluation.cells"),
    message:
        "Draw densities in space and time of {wildcards.study}"
    script:
        "../scripts/plot_space_time.py"


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


rule plot_pair_density:
    input:
        library("plot_pair_density.py"),
        densities=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/densities.nc",
        matching="<results>/{study}/matching.nc",
    output:
        figure("pair_density"),
    log:
        "<logs>/{study}/figures/plot_pair_density.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_pair_density.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings("space.lengths", "matching"),
    message:
        "Draw the pair density of {wildcards.study}"
    script:
        "../scripts/plot_pair_density.py"


rule plot_closure:
    input:
        library("plot_closure.py"),
        evaluation="<results>/{study}/evaluation.csv",
        summary="<results>/{study}/summary.csv",
        dynamics=of_models("dynamics.nc"),
        training=of_models("train.nc"),
    output:
        figure("closure"),
    log:
        "<logs>/{study}/figures/plot_closure.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_closure.tsv"
    wildcard_constraints:
        study=OF_PAIRS,
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=titles(*PAIR_EQUATION, "models"),
    message:
        "Draw the closure of {wildcards.study}"
    script:
        "../scripts/plot_closure.py"
