# Stochastic simulations, and the moments of their lattices.

KEPT = [name for name in ON_LATTICE if STUDIES[name].ensemble.keep_lattices]


rule simulate_ensemble:
    input:
        code("simulate_ensemble.py"),
    output:
        "<results>/{study}/{split}/ensemble/{part}.nc",
    log:
        "<logs>/{study}/{split}/simulate_ensemble/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_ensemble/{part}.tsv"
    wildcard_constraints:
        study=any_of(KEPT),
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("simulate_ensemble")
    resources:
        **needs("simulate_ensemble"),
    params:
        settings=start_settings(
            "species", "reactions", "lattice", "ensemble.dt", "ensemble.steps", "seed"
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../../scripts/simulate_ensemble.py"


use rule simulate_ensemble as simulate_temporary_ensemble with:
    output:
        temp("<results>/{study}/{split}/ensemble/{part}.nc"),
    wildcard_constraints:
        study=any_of(name for name in ON_LATTICE if name not in KEPT),


rule count_moments:
    input:
        code("count_moments.py"),
        lattices=rules.simulate_ensemble.output[0],
    output:
        COUNTED,
    log:
        "<logs>/{study}/{split}/count_moments/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/count_moments/{part}.tsv"
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("count_moments")
    resources:
        **needs("count_moments"),
    params:
        settings=settings("species", "lattice.shape", "lattice.boundary", "observables"),
    message:
        "Count observables of {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../../scripts/count_moments.py"


rule combine_moments:
    input:
        code("combine_moments.py"),
        counts=all_counts,
    output:
        "<results>/{study}/{split}/moments.nc",
    log:
        "<logs>/{study}/{split}/combine_moments.log",
    benchmark:
        "<benchmarks>/{study}/{split}/combine_moments.tsv"
    conda:
        "../../../envs/numerics.yaml"
    threads: cores("combine_moments")
    resources:
        **needs("combine_moments"),
    message:
        "Combine the moments of {wildcards.study}, split {wildcards.split}"
    script:
        "../../scripts/combine_moments.py"
