# The page that shows everything.

PAGES = Path(os.path.relpath(workflow.basedir), "workflow", "report")


rule make_report:
    input:
        library("make_report.py"),
        page=PAGES / "page.html",
        captions=sorted(PAGES.glob("*.rst")),
        products=[products(study) for study in SETTINGS.studies],
    output:
        "<results>/report.html",
    log:
        "<logs>/all/make_report.log",
    benchmark:
        "<benchmarks>/all/make_report.tsv"
    conda:
        "../../envs/figures.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        settings={study: TREES[study] for study in SETTINGS.studies},
        seed=SETTINGS.seed,
        benchmarks=f"{SETTINGS.results}/benchmarks",
    message:
        "Make the report"
    script:
        "../scripts/make_report.py"
