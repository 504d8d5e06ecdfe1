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
        code("initial_parameters.py"),
        moments=rules.combine_moments.output[0],
        lattices=lattices_if_contrastive,
    output:
        "<results>/{study}/models/{model}/initial.{split}.nc",
    log:
        "<logs>/{study}/models/{model}/initial_parameters.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/initial_parameters.{split}.tsv"
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("initial_parameters")
    resources:
        **needs("initial_parameters"),
    params:
        settings=lambda w: settings(
            *DISTRIBUTION,
            "models.{model}.initial",
            "seed",
            *["models.{model}.sampling"] * (section(w).initial.method == "sampled"),
        )(w),
    message:
        "Find the initial parameters of {wildcards.study}, model {wildcards.model}, split {wildcards.split}"
    script:
        "../../scripts/initial_parameters.py"


# What every recipe learns from.
TRAINING = {
    name: expand(output, split="train", allow_missing=True)[0]
    for name, output in {
        "moments": rules.combine_moments.output,
        "initial": rules.initial_parameters.output,
    }.items()
}


rule learn_gauss_newton:
    input:
        code("learn_gauss_newton.py"),
        **TRAINING,
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_gauss_newton.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_gauss_newton.tsv"
    wildcard_constraints:
        model=learned_by("gauss_newton"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_gauss_newton")
    resources:
        **needs("learn_gauss_newton"),
    params:
        settings=settings(*DYNAMICS, "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, by second-order steps"
    script:
        "../../scripts/learn_gauss_newton.py"


rule learn_path_tracking:
    input:
        code("learn_path_tracking.py"),
        **TRAINING,
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_path_tracking.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_path_tracking.tsv"
    wildcard_constraints:
        model=learned_by("path_tracking"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_path_tracking")
    resources:
        **needs("learn_path_tracking"),
    params:
        settings=settings(*DYNAMICS, "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, by path tracking"
    script:
        "../../scripts/learn_path_tracking.py"


rule learn_mixed_coordinates:
    input:
        code("learn_mixed_coordinates.py"),
        **TRAINING,
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_mixed_coordinates.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_mixed_coordinates.tsv"
    wildcard_constraints:
        model=learned_by("mixed_coordinates"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_mixed_coordinates")
    resources:
        **needs("learn_mixed_coordinates"),
    params:
        settings=settings(*DYNAMICS, "reactions", "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, in mixed coordinates"
    script:
        "../../scripts/learn_mixed_coordinates.py"


rule learn_contrastive:
    input:
        code("learn_contrastive.py"),
        **TRAINING,
        lattices=lambda w: ensemble(w.study, "train"),
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_contrastive.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_contrastive.tsv"
    wildcard_constraints:
        model=learned_by("contrastive"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_contrastive")
    resources:
        **needs("learn_contrastive"),
    params:
        settings=settings(*DYNAMICS, "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, by contrastive divergence"
    script:
        "../../scripts/learn_contrastive.py"


rule predict_moments:
    input:
        code("predict_moments.py"),
        dynamics=LEARNED,
        initial=rules.initial_parameters.output[0],
    output:
        PREDICTED,
    log:
        "<logs>/{study}/models/{model}/predict_moments.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_moments.{split}.tsv"
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("predict_moments")
    resources:
        **needs("predict_moments"),
    params:
        settings=lambda w: settings(
            *DYNAMICS,
            "evaluation.last_step",
            "observables",
            "models.{model}.sampling",
            "seed",
            *["reactions"] * (section(w).family == "composition"),
        )(w),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../../scripts/predict_moments.py"


rule match_oracle:
    input:
        code("match_oracle.py"),
        moments=rules.combine_moments.output[0],
        initial=branch(tracks_paths, then=rules.initial_parameters.output, otherwise=[]),
    output:
        "<results>/{study}/models/{model}/oracle.{split}.nc",
    log:
        "<logs>/{study}/models/{model}/match_oracle.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/match_oracle.{split}.tsv"
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("match_oracle")
    resources:
        **needs("match_oracle"),
    params:
        settings=lambda w: settings(
            *DISTRIBUTION,
            "observables",
            "seed",
            *["models.{model}.learning", "models.{model}.sampling"] * is_sampled(w),
        )(w),
    message:
        "Match {wildcards.study}, split {wildcards.split}, by the family of model {wildcards.model}"
    script:
        "../../scripts/match_oracle.py"
