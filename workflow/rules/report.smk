# The page that shows everything.

PAGE = WORKFLOW / "report" / "page.html"


def benchmarks(study):
    """What the jobs have cost that a study's products take."""
    known, split, files = STUDIES[study], evaluated(study), []

    def add(rule, **values):
        files.extend(expand(getattr(rules, rule).benchmark, study=study, **values))

    learned_from = ["train"] if known.models else []
    in_parts = ("simulate_particles",), "combine_densities"
    if on_lattice(study):
        in_parts = ("simulate_ensemble", "count_moments"), "combine_moments"
    for name in dict.fromkeys([*learned_from, split]):
        for rule in in_parts[0]:
            add(rule, split=name, part=parts(study, name))
        add(in_parts[1], split=name)
    for name, model in known.models.items():
        if on_lattice(study):
            add("initial_parameters", model=name, split={"train", split})
            add(f"learn_{model.learning.recipe}", model=name)
            add("predict_moments", model=name, split=split)
            add("match_oracle", model=[name] * model.oracle, split=split)
        else:
            kind = "pairs" if study in OF_PAIRS else "densities"
            add(f"learn_{kind}", model=name)
            add(f"predict_{kind}", model=name, split=split)
    if on_lattice(study):
        add("predict_baseline", baseline=BASELINES, split=split)
        add("evaluate_study")
    for name in known.figures.draw:
        add(f"plot_{name}", figure=name)
    return files


rule make_report:
    input:
        code("make_report.py"),
        page=PAGE,
        captions=[
            PAGE.with_name(f"{name}.rst")
            for name in sorted({name for _, name, _ in FIGURES})
        ],
        products=[products(study) for study in SETTINGS.studies],
        benchmarks=[benchmarks(study) for study in SETTINGS.studies],
    output:
        "<results>/report.html",
    log:
        "<logs>/all/make_report.log",
    benchmark:
        "<benchmarks>/all/make_report.tsv"
    conda:
        "../../envs/figures.yaml"
    params:
        settings={study: TREES[study] for study in SETTINGS.studies},
        seed=SETTINGS.seed,
        benchmarks=f"{SETTINGS.results}/benchmarks",
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
