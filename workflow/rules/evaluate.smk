# Evaluation: learned models against simulations they have not seen.


def predictions(wildcards):
    """Predictions of all models on the evaluated split, and of their families' oracles."""
    study = STUDIES[wildcards.study]
    names = {
        "prediction": list(study.models),
        "oracle": [name for name, model in study.models.items() if model.oracle],
    }
    patterns = {
        "prediction": "{model}/{split}.nc",
        "oracle": "{model}/oracle.{split}.nc",
    }
    return [
        f"{RESULTS}/{wildcards.study}/models/"
        + patterns[kind].format(model=model, split=study.evaluation.split)
        for kind, models in names.items()
        for model in models
    ]


rule evaluate_study:
    input:
        library("evaluate_study.py"),
        moments=lambda w: f"{RESULTS}/{w.study}/{STUDIES[w.study].evaluation.split}/moments.nc",
        predictions=predictions,
    output:
        evaluation=RESULTS + "/{study}/evaluation.csv",
        summary=RESULTS + "/{study}/summary.csv",
    log:
        RESULTS + "/logs/{study}/evaluate_study.log",
    benchmark:
        RESULTS + "/benchmarks/{study}/evaluate_study.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=lambda w: settings("observables", "evaluation")(w)
        | {
            "published": {
                name: model.published
                for name, model in STUDIES[w.study].models.items()
            }
        },
    message:
        "Evaluate {wildcards.study}"
    script:
        "../scripts/evaluate_study.py"
