# Evaluation: learned models, and what they have to beat, against simulations they have not seen.


rule predict_baseline:
    input:
        code("predict_baseline.py"),
        moments=rules.combine_moments.output[0],
    output:
        "<results>/{study}/baselines/{baseline}/{split}.nc",
    log:
        "<logs>/{study}/baselines/{baseline}/predict_baseline.{split}.log",
    benchmark:
        "<benchmarks>/{study}/baselines/{baseline}/predict_baseline.{split}.tsv"
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=start_settings(
            "species",
            "reactions",
            "lattice.shape",
            "lattice.boundary",
            "ensemble.dt",
            "evaluation.extrapolate_to",
            "observables",
            "seed",
        ),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, by {wildcards.baseline}"
    script:
        "../../scripts/predict_baseline.py"


rule compare_sweeps:
    input:
        code("compare_sweeps.py"),
        moments=of_split(rules.combine_moments.output),
        predictions=of_models(PREDICTED),
    output:
        table("<results>/{study}/sweeps.csv"),
    log:
        "<logs>/{study}/compare_sweeps.log",
    benchmark:
        "<benchmarks>/{study}/compare_sweeps.tsv"
    conda:
        "../../../envs/numerics.yaml"
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
        "../../scripts/compare_sweeps.py"


rule evaluate_study:
    input:
        code("evaluate_study.py"),
        moments=of_split(rules.combine_moments.output),
        predictions=lambda w: of_models(PREDICTED)(w) + oracles(w) + baselines(w),
        training=lambda w: (
            of_split(rules.combine_moments.output, "train")(w)
            if starts_as_training(w.study)
            else []
        ),
        sweeps=lambda w: (
            expand(rules.compare_sweeps.output, study=w.study)[0]
            if sampled_models(w.study)
            else []
        ),
    output:
        evaluation=EVALUATION,
        summary=table(SUMMARY),
    log:
        "<logs>/{study}/evaluate_study.log",
    benchmark:
        "<benchmarks>/{study}/evaluate_study.tsv"
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=lambda w: settings("observables", "evaluation")(w)
        | {
            "models": {
                name: definition.subtree(model, "published", "published_relative")
                for name, model in TREES[w.study]["models"].items()
            }
        },
    message:
        "Evaluate {wildcards.study}"
    script:
        "../../scripts/evaluate_study.py"


rule compare_exact:
    input:
        code("compare_exact.py"),
        moments=of_split(rules.combine_moments.output),
    output:
        table("<results>/{study}/control.csv"),
    log:
        "<logs>/{study}/compare_exact.log",
    benchmark:
        "<benchmarks>/{study}/compare_exact.tsv"
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=settings(
            "species", "reactions", "lattice.shape", "lattice.boundary", "ensemble.dt"
        ),
    message:
        "Compare {wildcards.study} with exact means and variances"
    script:
        "../../scripts/compare_exact.py"
