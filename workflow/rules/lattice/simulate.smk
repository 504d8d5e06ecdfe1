# Stochastic simulations, and the moments of their lattices.

KEPT = [name for name in ON_LATTICE if STUDIES[name].ensemble.keep_lattices]
IMPORTED = [name for name in ON_LATTICE if STUDIES[name].source]


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
        study=any_of(name for name in KEPT if name not in IMPORTED),
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
        study=any_of(name for name in ON_LATTICE if name not in {*KEPT, *IMPORTED}),


# What somebody else has done, for a study of the repository: here so that the study can be made from nothing.
rule simulate_smoldyn:
    input:
        code("simulate_smoldyn.py"),
        model=str(STUDY_FILES.parent / "outside" / "annihilation.txt"),
    output:
        "<results>/{study}/source/{split}.csv",
    log:
        "<logs>/{study}/{split}/simulate_smoldyn.log",
    benchmark:
        "<benchmarks>/{study}/{split}/simulate_smoldyn.tsv"
    wildcard_constraints:
        study=any_of(
            name
            for name in IMPORTED
            if STUDIES[name].source.made_by == "simulate_smoldyn"
        ),
    conda:
        "../../../envs/smoldyn.yaml"
    params:
        settings=settings(
            "lattice.shape",
            "ensemble.dt",
            "ensemble.steps",
            "ensemble.splits.{split}.initial_conditions",
            "ensemble.splits.{split}.runs",
            "seed",
        ),
    message:
        "Simulate {wildcards.study}, split {wildcards.split}, by Smoldyn"
    script:
        "../../scripts/simulate_smoldyn.py"


# First of all, so that whatever is wrong with a file is known before anything is made of the others.
rule import_ensemble:
    input:
        code("import_ensemble.py"),
        source=source_file,
    output:
        "<results>/{study}/{split}/ensemble/{part}.nc",
    log:
        "<logs>/{study}/{split}/import_ensemble/{part}.log",
    benchmark:
        "<benchmarks>/{study}/{split}/import_ensemble/{part}.tsv"
    wildcard_constraints:
        study=any_of(name for name in IMPORTED if name in KEPT),
    priority: 1
    conda:
        "../../../envs/source.yaml"
    threads: cores("import_ensemble")
    resources:
        **needs("import_ensemble"),
    params:
        settings=settings(
            "species",
            "lattice.shape",
            "lattice.boundary",
            "source.lower",
            "source.spacing",
            "source.shared",
            "ensemble.dt",
            "ensemble.steps",
            "ensemble.splits.{split}.initial_conditions",
            "ensemble.splits.{split}.runs",
        ),
    message:
        "Import {wildcards.study}, split {wildcards.split}, {wildcards.part}"
    script:
        "../../scripts/import_ensemble.py"


use rule import_ensemble as import_temporary_ensemble with:
    output:
        temp("<results>/{study}/{split}/ensemble/{part}.nc"),
    wildcard_constraints:
        study=any_of(name for name in IMPORTED if name not in KEPT),


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
