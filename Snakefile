# Learning moment closure in reaction-diffusion systems: the whole study at a glance.
#
#   snakemake                  all studies of config/config.yaml
#   snakemake annihilation     one study, any file in config/studies
#   snakemake -n               what would be run, and why


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/learn.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/figures_simulation.smk"
include: "workflow/rules/figures_models.smk"
include: "workflow/rules/common_continuum.smk"
include: "workflow/rules/densities.smk"
include: "workflow/rules/pairs.smk"
include: "workflow/rules/figures_continuum.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        rules.make_report.output,
        [products(study) for study in SETTINGS.studies],


for study in STUDIES:

    rule:
        name:
            study
        input:
            products(study),
