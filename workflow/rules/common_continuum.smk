"""What the rules of studies in continuous space share: which studies they are for, and params and inputs."""

import re

IN_SPACE = [name for name in STUDIES if not on_lattice(name)]
CONTINUOUS = any_of(IN_SPACE)
OF_PAIRS = any_of(name for name in IN_SPACE if STUDIES[name].of_pairs)
OF_DENSITIES = any_of(name for name in IN_SPACE if not STUDIES[name].of_pairs)


def part_settings(*keys):
    """Params like those of `settings`, with the starts that a part is about and the number of its first one."""

    def params(wildcards):
        first, last = map(int, re.match(r"ic(\d+)-(\d+)", wildcards.part).groups())
        starts = TREES[wildcards.study]["ensemble"]["splits"][wildcards.split]["starts"]
        return settings(*keys)(wildcards) | {
            "first": first,
            "starts": starts[first:last],
        }

    return params


def split_settings(*keys, of=None):
    """Params like those of `settings`, with the starts of a split: that of the wildcards, or training by default."""

    def params(wildcards):
        split = of(wildcards.study) if of else wildcards.get("split", "train")
        starts = TREES[wildcards.study]["ensemble"]["splits"][split]["starts"]
        return settings(*keys)(wildcards) | {"starts": starts}

    return params


def of_models(file):
    """Input function: a file of every model; {split} is the evaluated one."""
    return lambda w: [
        f"<results>/{w.study}/models/{model}/{file.format(split=evaluated(w.study))}"
        for model in STUDIES[w.study].models
    ]


def titles(*keys):
    """Params of a figure: the named keys of the study, and what its models are called."""
    return lambda wildcards: settings(*keys, "figures.colors")(wildcards) | {
        "titles": {
            name: model.title for name, model in STUDIES[wildcards.study].models.items()
        }
    }
