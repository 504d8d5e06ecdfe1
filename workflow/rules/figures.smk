# A rule for each figure, drawn as PDF for print and as PNG for the report; its caption is in workflow/report.

FIGURES = (
    [(ON_LATTICE, *item) for item in LATTICE_FIGURES.items()]
    + [(OF_DENSITIES, *item) for item in DENSITY_FIGURES.items()]
    + [(OF_PAIRS, *item) for item in PAIR_FIGURES.items()]
)

for studies, name, drawing in FIGURES:

    # The script is found when the job is run, when this loop has ended: by a wildcard that has one value in each rule.
    rule:
        name:
            f"plot_{name}"
        input:
            code(f"plot_{name}.py"),
            **drawing.inputs,
        output:
            "<results>/{study}/figures/{figure}.pdf",
            report(
                "<results>/{study}/figures/{figure}.png",
                caption=f"../report/{name}.rst",
                category="{study}",
            ),
        log:
            "<logs>/{study}/figures/plot_{figure}.log",
        benchmark:
            "<benchmarks>/{study}/figures/plot_{figure}.tsv"
        wildcard_constraints:
            study=any_of(studies),
            figure=name,
        conda:
            "../../envs/figures.yaml"
        params:
            settings=drawing.settings,
        message:
            f"Draw {drawing.what}"
        script:
            "../scripts/plot_{wildcards.figure}.py"
