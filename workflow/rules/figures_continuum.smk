# Figures of studies in continuous space: each as PDF for print and as PNG in the report.


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
