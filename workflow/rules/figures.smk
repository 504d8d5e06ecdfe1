# Figures: each as PDF for print and as PNG in the report.


FIGURES = [
    "hermite_basis",
    "lattices",
    "counts",
    "initial_conditions",
    "parameters",
    "trajectories",
    "right_hand_sides",
    "learning",
    "moments",
    "rmse",
]


def figures(study):
    """Files of all figures of a study."""
    names = FIGURES if STUDIES[study].models else []
    return [
        f"{RESULTS}/{study}/figures/{name}.{kind}"
        for name in names
        for kind in ("pdf", "png")
    ]


def figure(name):
    """Output of a figure's rule; its caption is in workflow/report."""
    path = RESULTS + "/{study}/figures/" + name
    picture = report(path + ".png", caption=f"../report/{name}.rst", category="{study}")
    return [path + ".pdf", picture]


def evaluated(study):
    """Split that a study's models are scored on."""
    return STUDIES[study].evaluation.split


def predicted(wildcards):
    """Predictions of all models on the evaluated split."""
    study = wildcards.study
    return [
        f"{RESULTS}/{study}/models/{model}/{evaluated(study)}.nc"
        for model in STUDIES[study].models
    ]


def learned(wildcards):
    """Learned dynamics of all models."""
    return [
        f"{RESULTS}/{wildcards.study}/models/{model}/dynamics.nc"
        for model in STUDIES[wildcards.study].models
    ]


def drawn(*keys):
    """Params of a figure: the named keys of the study, and of its models what is drawn of them."""

    def params(wildcards):
        models = TREES[wildcards.study]["models"]
        shown = {
            name: definition.subtree(model, "title", "interactions", "layers", "domain")
            for name, model in models.items()
        }
        return settings(*keys, "figures")(wildcards) | {"models": shown}

    return params


rule plot_hermite_basis:
    input:
        library("plot_hermite_basis.py"),
    output:
        figure("hermite_basis"),
    log:
        RESULTS + "/logs/{study}/figures/plot_hermite_basis.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_hermite_basis.tsv"
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


rule plot_lattices:
    input:
        library("plot_lattices.py"),
        lattices=lambda w: ensemble(w.study, evaluated(w.study))[0],
        predictions=predicted,
    output:
        figure("lattices"),
    log:
        RESULTS + "/logs/{study}/figures/plot_lattices.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_lattices.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("species", "lattice.shape", "lattice.boundary", "ensemble.dt"),
    message:
        "Draw example lattices of {wildcards.study}"
    script:
        "../scripts/plot_lattices.py"


rule plot_counts:
    input:
        library("plot_counts.py"),
        moments=RESULTS + "/{study}/train/moments.nc",
    output:
        figure("counts"),
    log:
        RESULTS + "/logs/{study}/figures/plot_counts.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_counts.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings("lattice.shape"),
    message:
        "Draw simulated means and neighbour correlations of {wildcards.study}"
    script:
        "../scripts/plot_counts.py"


rule plot_initial_conditions:
    input:
        library("plot_initial_conditions.py"),
        moments=RESULTS + "/{study}/train/moments.nc",
    output:
        figure("initial_conditions"),
    log:
        RESULTS + "/logs/{study}/figures/plot_initial_conditions.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_initial_conditions.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Draw the initial conditions of {wildcards.study}"
    script:
        "../scripts/plot_initial_conditions.py"


rule plot_parameters:
    input:
        library("plot_parameters.py"),
        predictions=predicted,
    output:
        figure("parameters"),
    log:
        RESULTS + "/logs/{study}/figures/plot_parameters.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_parameters.tsv"
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
        RESULTS + "/logs/{study}/figures/plot_trajectories.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_trajectories.tsv"
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
        RESULTS + "/logs/{study}/figures/plot_right_hand_sides.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_right_hand_sides.tsv"
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
        RESULTS + "/logs/{study}/figures/plot_learning.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_learning.tsv"
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
        moments=lambda w: f"{RESULTS}/{w.study}/{evaluated(w.study)}/moments.nc",
        predictions=predicted,
    output:
        figure("moments"),
    log:
        RESULTS + "/logs/{study}/figures/plot_moments.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_moments.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn(),
    message:
        "Draw predicted moments of {wildcards.study}"
    script:
        "../scripts/plot_moments.py"


rule plot_rmse:
    input:
        library("plot_rmse.py"),
        evaluation=RESULTS + "/{study}/evaluation.csv",
    output:
        figure("rmse"),
    log:
        RESULTS + "/logs/{study}/figures/plot_rmse.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/figures/plot_rmse.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("observables"),
    message:
        "Draw errors of {wildcards.study}"
    script:
        "../scripts/plot_rmse.py"
