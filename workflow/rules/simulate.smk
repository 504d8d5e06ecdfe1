# Stochastic simulations, and the moments of their lattices.

KEPT = [
    name
    for name, study in STUDIES.items()
    if on_lattice(name) and study.ensemble.keep_lattices
]


# Snakemake compares a script with what it made, which may be gone, and an input also with what was made from that.
rule simulate_ensemble:
    input:
        library("simulate_ensemble.py"),
        os.path.relpath(SCRIPTS / "simulate_ensemble.py"),
    output:
        "<results>/{study}/{split}/ensemble/{part}.nc",
    log:
        "<logs>/{study}/{split}/simulate_ensemble/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_ensemble/{part}.tsv"
    wildcard_constraints:
        study=any_of(KEPT),
    conda:
        "../../envs/numerics.yaml"
    threads: cores("simulate_ensemble")
    resources:
        mem_mb=memory("simulate_ensemble"),
        runtime=minutes("simulate_ensemble"),
    params:
        settings=start_settings(
            "species", "reactions", "lattice", "ensemble.dt", "ensemble.steps", "seed"
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../scripts/simulate_ensemble.py"


use rule simulate_ensemble as simulate_temporary_ensemble with:
    output:
        temp("<results>/{study}/{split}/ensemble/{part}.nc"),
    wildcard_constraints:
        study=any_of(name for name in STUDIES if on_lattice(name) and name not in KEPT),


rule count_moments:
    input:
        library("count_moments.py"),
        lattices="<results>/{study}/{split}/ensemble/{part}.nc",
    output:
        "<results>/{study}/{split}/counts/{part}.nc",
    log:
        "<logs>/{study}/{split}/count_moments/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/count_moments/{part}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("count_moments")
    resources:
        mem_mb=memory("count_moments"),
        runtime=minutes("count_moments"),
    params:
        settings=settings("species", "lattice.shape", "lattice.boundary", "observables"),
    message:
        "Count observables of {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../scripts/count_moments.py"


rule combine_moments:
    input:
        library("combine_moments.py"),
        counts=lambda w: expand(
            "<results>/{study}/{split}/counts/{part}.nc",
            study=w.study,
            split=w.split,
            part=parts(w.study, w.split),
        ),
    output:
        "<results>/{study}/{split}/moments.nc",
    log:
        "<logs>/{study}/{split}/combine_moments.log",
    benchmark:
        "<benchmarks>/{study}/{split}/combine_moments.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: cores("combine_moments")
    resources:
        mem_mb=memory("combine_moments"),
        runtime=minutes("combine_moments"),
    params:
        settings=settings("ensemble.dt"),
    message:
        "Combine the moments of {wildcards.study}, split {wildcards.split}"
    script:
        "../scripts/combine_moments.py"
