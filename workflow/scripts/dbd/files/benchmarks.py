"""What jobs have cost, from the benchmark files that Snakemake writes for each of them."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

RULE = re.compile(r"[a-z]+(_[a-z]+)+")
"""Name of a rule, verb and noun; those of parts and splits differ."""


def read_runtimes(folder: str | Path, files: Iterable[str | Path] | None = None) -> pd.DataFrame:
    """One row per job: study, rule, wall and processor time (s), largest resident memory (MB).

    Reads some files of the folder, or all of them. A benchmark file is ``<study>/<split>/<rule>.tsv``,
    ``<study>/<split>/<rule>/<part>.tsv`` or ``<study>/models/<model>/<rule>.<split>.tsv``; the column `wildcards` has
    what of these there is.
    """
    rows = []
    for path in sorted(Path(folder).rglob("*.tsv") if files is None else map(Path, files)):
        study, *words = path.relative_to(folder).with_suffix("").parts
        position = max(index for index, word in enumerate(words) if RULE.fullmatch(word.split(".")[0]))
        rule, _, split = words[position].partition(".")
        names = dict(part=words[-1], split=split or words[0], model=words[1] if words[0] == "models" else "")
        last = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
        rows.append((study, rule, names, last["s"], last["cpu_time"], last["max_rss"]))
    return pd.DataFrame(rows, columns=["study", "rule", "wildcards", "wall", "processor", "memory"])


def costs_of_rules(jobs: pd.DataFrame) -> pd.DataFrame:
    """Jobs, seconds in all, and largest memory of each rule, the longest first."""
    costs = jobs.groupby("rule").agg(
        jobs=("wall", "size"), wall=("wall", "sum"), processor=("processor", "sum"), memory=("memory", "max")
    )
    return costs.sort_values("wall", ascending=False).round(1)
