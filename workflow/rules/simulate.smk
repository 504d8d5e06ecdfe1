# Stochastic simulations, and the moments of their lattices.


rule simulate_ensemble:
    input:
        library("simulate_ensemble.py"),
    output:
        keep("<results>/{study}/{split}/ensemble/{part}.nc"),
    log:
        "<logs>/{study}/{split}/simulate_ensemble/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_ensemble/{part}.tsv"
    conda:
        "../../envs/numerics.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        settings=start_settings(
            "species", "reactions", "lattice", "ensemble.dt", "ensemble.steps", "seed"
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../scripts/simulate_ensemble.py"


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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
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
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings=settings("ensemble.dt"),
    message:
        "Combine the moments of {wildcards.study}, split {wildcards.split}"
    script:
        "../scripts/combine_moments.py"
