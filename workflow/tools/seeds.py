"""Run a study with several seeds and tabulate the errors of its models: mean and standard deviation over seeds.

    python workflow/tools/seeds.py annihilation 1 2 3 4 5
    python workflow/tools/seeds.py rossler 1 2 3 4 5 --configfile config/config.yaml config/released.yaml

Every seed draws other simulations, initial conditions and learning. Results are under <results>/seeds/<seed>, so that a
run that is stopped goes on where it was; the table is <results>/seeds/<study>.csv.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

KEYS = ["model", "kind", "steps", "observable"]


def tabulate(summaries: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean, standard deviation and number of seeds of the errors in summaries of one study."""
    columns = [name for name in ("rmse", "relative_rmse") if name in summaries[0]]
    grouped = pd.concat(summaries).groupby([key for key in KEYS if key in summaries[0]], sort=False)[columns]
    table = grouped.agg(["mean", "std", "count"])
    table.columns = [f"{name}_{statistic}" for name, statistic in table.columns]
    return table.reset_index()


def results_of(files: Sequence[str]) -> Path:
    """Directory of results that the last of some configuration files names."""
    named = [yaml.safe_load(Path(file).read_text()).get("results") for file in files]
    return Path([name for name in named if name][-1])


def main(arguments: Sequence[str]) -> int:
    """Run the study with each seed; write and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--configfile", nargs="+", default=["config/config.yaml"])
    parser.add_argument("--cores", default="all")
    given = parser.parse_args(arguments)
    apart, summaries = results_of(given.configfile) / "seeds", []
    for seed in given.seeds:
        results = apart / str(seed)
        summary = results / given.study / "summary.csv"
        command = [Path(sys.executable).with_name("snakemake"), summary, "--cores", given.cores]
        changes = ["--configfile", *given.configfile, "--config", f"seed={seed}", f"results={results}"]
        if code := subprocess.run([*map(str, command), *changes]).returncode:
            return code
        summaries.append(pd.read_csv(summary))
    table = tabulate(summaries)
    table.to_csv(apart / f"{given.study}.csv", index=False, float_format="%.4g")
    print(table.to_string(index=False, float_format="%.4g"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
