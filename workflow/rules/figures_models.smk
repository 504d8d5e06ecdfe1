# Figures of models: each as PDF for print and as PNG in the report.


rule plot_hermite_basis:
    input:
        library("plot_hermite_basis.py"),
    output:
        figure("hermite_basis"),
    log:
        "<logs>/{study}/figures/plot_hermite_basis.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_hermite_basis.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Draw the Hermite basis"
    script:
        "../scripts/plot_hermite_basis.py"


rule plot_parameters:
    input:
        library("plot_parameters.py"),
        predictions=predicted,
    output:
        figure("parameters"),
    log:
        "<logs>/{study}/figures/plot_parameters.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_parameters.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("ensemble.dt"),
    message:
        "Draw learned parameters over time of {wildcards.study}"
    script:
        "../scripts/plot_parameters.py"


rule plot_trajectories:
    input:
        library("plot_trajectories.py"),
        predictions=predicted,
    output:
        figure("trajectories"),
    log:
        "<logs>/{study}/figures/plot_trajectories.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_trajectories.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn(),
    message:
        "Draw learned trajectories of {wildcards.study}"
    script:
        "../scripts/plot_trajectories.py"


rule plot_right_hand_sides:
    input:
        library("plot_right_hand_sides.py"),
        dynamics=learned,
        predictions=predicted,
    output:
        figure("right_hand_sides"),
    log:
        "<logs>/{study}/figures/plot_right_hand_sides.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_right_hand_sides.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn(),
    message:
        "Draw learned right-hand sides of {wildcards.study}"
    script:
        "../scripts/plot_right_hand_sides.py"


rule plot_learning:
    input:
        library("plot_learning.py"),
        dynamics=learned,
    output:
        figure("learning"),
    log:
        "<logs>/{study}/figures/plot_learning.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_learning.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn(),
    message:
        "Draw the learning of {wildcards.study}"
    script:
        "../scripts/plot_learning.py"


rule plot_moments:
    input:
        library("plot_moments.py"),
        moments=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/moments.nc",
        predictions=lambda w: predicted(w) + baselines(w),
    output:
        figure("moments"),
    log:
        "<logs>/{study}/figures/plot_moments.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_moments.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=compared(),
    message:
        "Draw predicted moments of {wildcards.study}"
    script:
        "../scripts/plot_moments.py"


rule plot_held_out:
    input:
        library("plot_held_out.py"),
        moments=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/moments.nc",
        predictions=predicted,
        independent=lambda w: f"<results>/{w.study}/baselines/independent_sites/{evaluated(w.study)}.nc",
    output:
        figure("held_out"),
    log:
        "<logs>/{study}/figures/plot_held_out.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_held_out.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("species"),
    message:
        "Draw held-out initial conditions of {wildcards.study}"
    script:
        "../scripts/plot_held_out.py"


rule plot_rmse:
    input:
        library("plot_rmse.py"),
        evaluation="<results>/{study}/evaluation.csv",
    output:
        figure("rmse"),
    log:
        "<logs>/{study}/figures/plot_rmse.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_rmse.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=compared("observables"),
    message:
        "Draw errors of {wildcards.study}"
    script:
        "../scripts/plot_rmse.py"


rule plot_visited_grid:
    input:
        library("plot_visited_grid.py"),
        moments=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/moments.nc",
        predictions=predicted,
    output:
        figure("visited_grid"),
    log:
        "<logs>/{study}/figures/plot_visited_grid.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_visited_grid.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("species", "lattice.shape"),
    message:
        "Draw the visited grid of {wildcards.study}"
    script:
        "../scripts/plot_visited_grid.py"


rule plot_relative_errors:
    input:
        library("plot_relative_errors.py"),
        summary="<results>/{study}/summary.csv",
    output:
        figure("relative_errors"),
    log:
        "<logs>/{study}/figures/plot_relative_errors.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_relative_errors.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=compared(),
    message:
        "Draw relative errors of {wildcards.study}"
    script:
        "../scripts/plot_relative_errors.py"
