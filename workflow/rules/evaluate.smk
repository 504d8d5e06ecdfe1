# Evaluation: learned models against simulations they have not seen.


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
            "published": {
                name: model.published
                for name, model in STUDIES[w.study].models.items()
            }
        },
    message:
        "Evaluate {wildcards.study}"
    script:
        "../scripts/evaluate_study.py"
