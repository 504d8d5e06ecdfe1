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
    "models.{model}.learning.recipe",
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
        settings=settings(*DISTRIBUTION, "models.{model}.initial", "seed"),
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


rule learn_matched_trajectories:
    input:
        code("learn_matched_trajectories.py"),
        moments=learned_from(rules.combine_moments.output),
        initial=learned_from(rules.initial_parameters.output),
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_matched_trajectories.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_matched_trajectories.tsv"
    wildcard_constraints:
        model=learned_by("matched_trajectories"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_matched_trajectories")
    resources:
        **needs("learn_matched_trajectories"),
    params:
        settings=lambda w: settings(
            *DYNAMICS, "models.{model}.learning", "seed", *reactions_of(w)
        )(w),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, by matched trajectories"
    script:
        "../../scripts/learn_matched_trajectories.py"


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


rule learn_reduced_runs:
    input:
        code("learn_reduced_runs.py"),
        counts=lambda w: expand(
            COUNTED, study=w.study, split="train", part=parts(w.study, "train")
        ),
    output:
        LEARNED,
    log:
        "<logs>/{study}/models/{model}/learn_reduced_runs.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/learn_reduced_runs.tsv"
    wildcard_constraints:
        model=learned_by("reduced_runs"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("learn_reduced_runs")
    resources:
        **needs("learn_reduced_runs"),
    params:
        settings=settings(*DYNAMICS, "reactions", "models.{model}.learning", "seed"),
    message:
        "Learn {wildcards.study}, model {wildcards.model}, run by run"
    script:
        "../../scripts/learn_reduced_runs.py"


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
    wildcard_constraints:
        model=learned_by("gauss_newton", "matched_trajectories", "contrastive"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("predict_moments")
    resources:
        **needs("predict_moments"),
    params:
        settings=lambda w: settings(
            *DYNAMICS,
            "evaluation.extrapolate_to",
            "observables",
            "models.{model}.sampling",
            "seed",
            *reactions_of(w),
        )(w),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with model {wildcards.model}"
    script:
        "../../scripts/predict_moments.py"


rule predict_reduced_runs:
    input:
        code("predict_reduced_runs.py"),
        dynamics=LEARNED,
        initial=rules.initial_parameters.output[0],
    output:
        PREDICTED,
    log:
        "<logs>/{study}/models/{model}/predict_reduced_runs.{split}.log",
    benchmark:
        "<benchmarks>/{study}/models/{model}/predict_reduced_runs.{split}.tsv"
    wildcard_constraints:
        model=learned_by("reduced_runs"),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("predict_reduced_runs")
    resources:
        **needs("predict_reduced_runs"),
    params:
        settings=settings(
            *DYNAMICS,
            "reactions",
            "evaluation.extrapolate_to",
            "observables",
            "models.{model}.runs",
            "seed",
        ),
    message:
        "Predict {wildcards.study}, split {wildcards.split}, with reduced runs {wildcards.model}"
    script:
        "../../scripts/predict_reduced_runs.py"


rule match_oracle:
    input:
        code("match_oracle.py"),
        moments=rules.combine_moments.output[0],
        initial=rules.initial_parameters.output[0],
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
            "models.{model}.sampling",
            "seed",
            *["evaluation.last_step"] * bool(section(w).sampling),
        )(w),
    message:
        "Match {wildcards.study}, split {wildcards.split}, by the family of model {wildcards.model}"
    script:
        "../../scripts/match_oracle.py"
