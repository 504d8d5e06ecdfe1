# Figures of simulated ensembles: each as PDF for print and as PNG in the report.


rule plot_lattices:
    input:
        library("plot_lattices.py"),
        lattices=lambda w: ensemble(w.study, evaluated(w.study))[0],
        predictions=predicted,
    output:
        figure("lattices"),
    log:
        "<logs>/{study}/figures/plot_lattices.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_lattices.tsv"
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
        moments="<results>/{study}/train/moments.nc",
    output:
        figure("counts"),
    log:
        "<logs>/{study}/figures/plot_counts.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_counts.tsv"
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
        moments="<results>/{study}/train/moments.nc",
    output:
        figure("initial_conditions"),
    log:
        "<logs>/{study}/figures/plot_initial_conditions.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_initial_conditions.tsv"
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


rule plot_voxels:
    input:
        library("plot_voxels.py"),
        lattices=lambda w: ensemble(w.study, evaluated(w.study))[0],
        predictions=predicted,
    output:
        figure("voxels"),
    log:
        "<logs>/{study}/figures/plot_voxels.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_voxels.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=drawn("species", "lattice.shape", "lattice.boundary", "ensemble.dt"),
    message:
        "Draw a lattice of {wildcards.study} and its hidden units"
    script:
        "../scripts/plot_voxels.py"


rule plot_site_selection:
    input:
        library("plot_site_selection.py"),
        moments=lambda w: [
            f"<results>/{study}/{evaluated(study)}/moments.nc" for study in beside(w)
        ],
        lattices=lambda w: [ensemble(study, evaluated(study))[0] for study in beside(w)],
    output:
        figure("site_selection"),
    log:
        "<logs>/{study}/figures/plot_site_selection.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_site_selection.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda w: settings("lattice.shape", "evaluation.last_step")(w)
        | {"choices": [STUDIES[study].lattice.site_selection for study in beside(w)]},
    message:
        "Draw what the choice of molecules does to {wildcards.study}"
    script:
        "../scripts/plot_site_selection.py"


rule plot_control:
    input:
        library("plot_control.py"),
        control="<results>/{study}/control.csv",
    output:
        figure("control"),
    log:
        "<logs>/{study}/figures/plot_control.log",
    benchmark:
        "<benchmarks>/{study}/figures/plot_control.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    message:
        "Draw the control of {wildcards.study}"
    script:
        "../scripts/plot_control.py"
