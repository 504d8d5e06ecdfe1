"""Compare what the jobs of the last run used with what they had asked for: ``make resources``.

    python workflow/tools/check_resources.py results/benchmarks

Prints, for each rule, the largest shares of memory and time that a job used; then each job that used more than it had
asked for, and exits with code 1 if there is one.
"""

import ast
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
LIMITS = {"memory": ("max_rss", "mem_mb", 1), "time": ("s", "runtime", 60)}
"""Column of what was used, name of what was asked for, and the first's unit in the second."""


def defaults() -> dict[str, float]:
    """What jobs of rules that say nothing ask for, in the profile of a cluster."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8"))
    pairs = (text.split("=") for text in profile["default-resources"])
    return {name: float(value.removesuffix(" * attempt")) for name, value in pairs if name in ("mem_mb", "runtime")}


def shares(folder: Path) -> pd.DataFrame:
    """One row per job: rule, file, and the shares of memory and time that it used of what it had asked for.

    Raises
    ------
    ValueError
        If there are no benchmark files, or some do not say what was asked for.
    """
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        last = pd.read_csv(path, sep="\t", na_values="-").iloc[-1]
        if "resources" not in last:
            raise ValueError(f"{path}: got no column 'resources', expected a run with --benchmark-extended")
        asked = defaults() | ast.literal_eval(last.resources)
        used = {what: last[used] / unit / asked[name] for what, (used, name, unit) in LIMITS.items()}
        rows.append({"rule": last.rule_name, "file": str(path)} | used)
    if not rows:
        raise ValueError(f"{folder}: got no benchmark files, expected those of a finished run")
    return pd.DataFrame(rows)


if __name__ == "__main__":
    try:
        jobs = shares(Path(sys.argv[1]))
    except ValueError as error:
        sys.exit(f"Error: {error}")
    print("Largest share that a job used of what it had asked for")
    print(jobs.groupby("rule")[[*LIMITS]].max().round(2).to_string())
    over = jobs[(jobs[[*LIMITS]] > 1).any(axis=1)]
    for job in over.itertuples():
        print(f"{job.file}: memory {job.memory:.2f}, time {job.time:.2f} of what was asked for")
    sys.exit(len(over) > 0)
