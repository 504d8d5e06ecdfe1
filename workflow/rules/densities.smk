# Studies in continuous space: simulation, and learning of density equations.


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
