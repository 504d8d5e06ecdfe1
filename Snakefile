# The study is in workflow/Snakefile, where `module:` statements and the workflow catalogue look for it.
include: "workflow/Snakefile"


use rule all as reproduce with:
    default_target: True
