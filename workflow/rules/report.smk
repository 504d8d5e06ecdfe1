# The page that shows everything.

PAGE = WORKFLOW / "report" / "page.html"


rule make_report:
    input:
        code("make_report.py"),
        page=PAGE,
        captions=[
            PAGE.with_name(f"{name}.rst")
            for name in sorted({name for _, name, _ in FIGURES})
        ],
        products=[products(study) for study in SETTINGS.studies],
        learned=[differential_equations(study) for study in SETTINGS.studies],
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
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
