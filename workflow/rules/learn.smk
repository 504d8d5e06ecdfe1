# Learning: parameters at time zero, right-hand sides, and what the learned models predict.

# What defines the Boltzmann distribution of a model.
DISTRIBUTION = (
    "species",
    "lattice.shape",
    "lattice.boundary",
    *("models.{model}." + key for key in FAMILY),
)
# What defines its differential equations.
DYNAMICS = (
    *DISTRIBUTION,
    "ensemble.dt",
    "models.{model}.domain",
    "models.{model}.integrator",
)


rule initial_parameters:
    input:
        library("initial_parameters.py"),
        moments="<results>/{study}/{split}/moments.nc",
        lattices=lattices_if(lambda model: model.initial.method == "contrastive"),
    output:
        "<results>/{study}/models/{model}/initial.{split}.nc",
    log:
        "<logs>/{study}/models/{model}/initial_parameters.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/initial_parameters.{split}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("initial_parameters")
    resources:
        mem_mb=memory("initial_parameters"),
        runtime=minutes("initial_parameters"),
    params:
        settings=lambda w: settings(
            *DISTRIBUTION,
            "models.{model}.initial",
            "seed",
            *(["models.{model}.sampling"] if samples_initial(w) else []),
        )(w),
    message:
        "Find the initial parameters of {wildcards.study}, model {wildcards.model}, split {wildcards.split}"
    script:
        "../scripts/initial_parameters.py"


rule learn_dynamics:
    input:
        library("learn_dynamics.py"),
        moments="<results>/{study}/train/moments.nc",
        initial="<results>/{study}/models/{model}/initial.train.nc",
        lattices=lattices_if(lambda model: model.learning.recipe == "contrastive"),
    output:
        "<results>/{study}/models/{model}/dynamics.nc",
    log:
        "<logs>/{study}/models/{model}/learn_dynamics.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_dynamics.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("learn_dynamics")
    resources:
        mem_mb=memory("learn_dynamics"),
        runtime=minutes("learn_dynamics"),
    params:
        settings=settings(*DYNAMICS, "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}"
    script:
        "../scripts/learn_dynamics.py"


rule predict_moments:
    input:
        library("predict_moments.py"),
        dynamics="<results>/{study}/models/{model}/dynamics.nc",
        initial="<results>/{study}/models/{model}/initial.{split}.nc",
    output:
        "<results>/{study}/models/{model}/{split}.nc",
    log:
        "<logs>/{study}/models/{model}/predict_moments.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_moments.{split}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("predict_moments")
    resources:
        mem_mb=memory("predict_moments"),
        runtime=minutes("predict_moments"),
    params:
        settings=settings(
            *DYNAMICS,
            "ensemble.steps",
            "evaluation.last_step",
            "observables",
            "models.{model}.sampling",
            "seed",
        ),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../scripts/predict_moments.py"


rule match_oracle:
    input:
        library("match_oracle.py"),
        moments="<results>/{study}/{split}/moments.nc",
        initial=lambda w: (
            [f"<results>/{w.study}/models/{w.model}/initial.{w.split}.nc"]
            if tracks_paths(w)
            else []
        ),
    output:
        "<results>/{study}/models/{model}/oracle.{split}.nc",
    log:
        "<logs>/{study}/models/{model}/match_oracle.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/match_oracle.{split}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("match_oracle")
    resources:
        mem_mb=memory("match_oracle"),
        runtime=minutes("match_oracle"),
    params:
        settings=lambda w: settings(
            *DISTRIBUTION,
            "observables",
            "seed",
            *(
                ("models.{model}.learning", "models.{model}.sampling")
                if tracks_paths(w)
                else ()
            ),
        )(w),
    message:
        "Match {wildcards.study}, split {wildcards.split}, by the family of model {wildcards.model}"
    script:
        "../scripts/match_oracle.py"
