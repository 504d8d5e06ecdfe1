# The study is in workflow/Snakefile, where `module:` statements and the workflow catalogue look for it.
include: "workflow/Snakefile"


rule reproduce:
    default_target: True
    input:
        rules.all.input,
