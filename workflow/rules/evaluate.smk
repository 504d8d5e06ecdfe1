# Evaluation: learned models, and what they have to beat, against simulations they have not seen.


rule predict_baseline:
    input:
        library("predict_baseline.py"),
        moments="<results>/{study}/{split}/moments.nc",
    output:
        "<results>/{study}/baselines/{baseline}/{split}.nc",
    log:
        "<logs>/{study}/baselines/{baseline}/predict_baseline.{split}.log",
    benchmark:
        "<benchmarks>/{study}/baselines/{baseline}/predict_baseline.{split}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(
            "species",
            "reactions",
            "lattice.shape",
            "lattice.boundary",
            "ensemble.dt",
            "evaluation.last_step",
            "observables",
        ),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, by {wildcards.baseline}"
    script:
        "../scripts/predict_baseline.py"


rule evaluate_study:
    input:
        library("evaluate_study.py"),
        moments=lambda w: f"<results>/{w.study}/{STUDIES[w.study].evaluation.split}/moments.nc",
        predictions=predictions,
    output:
        evaluation="<results>/{study}/evaluation.csv",
        summary="<results>/{study}/summary.csv",
    log:
        "<logs>/{study}/evaluate_study.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_study.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda w: settings("observables", "evaluation")(w)
        | {
            kind: {
                name: getattr(model, kind)
                for name, model in STUDIES[w.study].models.items()
            }
            for kind in ("published", "published_relative")
        },
    message:
        "Evaluate {wildcards.study}"
    script:
        "../scripts/evaluate_study.py"


rule compare_sweeps:
    input:
        library("compare_sweeps.py"),
        moments=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/moments.nc",
        predictions=predicted,
    output:
        "<results>/{study}/sweeps.csv",
    log:
        "<logs>/{study}/compare_sweeps.log",
    benchmark:
        "<benchmarks>/{study}/compare_sweeps.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=lambda w: settings(
            "species",
            "lattice.shape",
            "lattice.boundary",
            "observables",
            "evaluation",
            "seed",
        )(w)
        | {"models": sampled_models(w.study)},
    message:
        "Compare sampling laws of {wildcards.study}"
    script:
        "../scripts/compare_sweeps.py"


rule compare_exact:
    input:
        library("compare_exact.py"),
        moments=lambda w: f"<results>/{w.study}/{evaluated(w.study)}/moments.nc",
    output:
        "<results>/{study}/control.csv",
    log:
        "<logs>/{study}/compare_exact.log",
    benchmark:
        "<benchmarks>/{study}/compare_exact.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings(
            "species", "reactions", "lattice.shape", "lattice.boundary", "ensemble.dt"
        ),
    message:
        "Compare {wildcards.study} with exact means and variances"
    script:
        "../scripts/compare_exact.py"
