# Simulation of particles in continuous space, and their densities.


rule simulate_particles:
    input:
        code("simulate_particles.py"),
    output:
        COUNTED,
    log:
        "<logs>/{study}/{split}/simulate_particles/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_particles/{part}.tsv"
    wildcard_constraints:
        study=any_of(IN_SPACE),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=part_settings(
            "species",
            "reactions",
            "space",
            "ensemble.dt",
            "ensemble.steps",
            "ensemble.substeps",
            "ensemble.groups",
            "observables",
            "seed",
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../../scripts/simulate_particles.py"


rule combine_densities:
    input:
        code("combine_densities.py"),
        counts=all_counts,
    output:
        "<results>/{study}/{split}/densities.nc",
    log:
        "<logs>/{study}/{split}/combine_densities.log",
    benchmark:
        "<benchmarks>/{study}/{split}/combine_densities.tsv"
    wildcard_constraints:
        study=any_of(IN_SPACE),
    conda:
        "../../../envs/numerics.yaml"
    params:
        settings=settings("space", "observables", "ensemble.dt"),
    message:
        "Combine the densities of {wildcards.study}, split {wildcards.split}"
    script:
        "../../scripts/combine_densities.py"
