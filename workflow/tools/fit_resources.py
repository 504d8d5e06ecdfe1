"""Fit what jobs need to what they needed.

    python workflow/tools/fit_resources.py config/smoke.yaml config/config.yaml

Takes the benchmark files of finished runs, each named by its configuration file. Writes ``workflow/resources.yaml``:
per rule the memory (MB) and processor time (s) as a base and so much for each kind of work (`dbd.study.job_costs`), the
lowest such law that no measured job is above.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy.optimize import linprog

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.files.benchmarks import read_runtimes  # noqa: E402
from dbd.study.job_costs import WORK, estimate  # noqa: E402
from dbd.study.lattice_study import Workflow  # noqa: E402
from dbd.study.reading import load_study, overlay, parse, read_yaml  # noqa: E402

FILE = ROOT / "workflow" / "resources.yaml"
KINDS = ("lattices", "packed", "points", "updates")


def measured(configuration: Path) -> pd.DataFrame:
    """Jobs of a finished run with the work that each had to do."""
    tree = overlay(read_yaml(ROOT / "config" / "config.yaml"), read_yaml(configuration))
    settings = parse(Workflow, tree, str(configuration))
    jobs = read_runtimes(ROOT / settings.results / "benchmarks")
    jobs = jobs[jobs.rule.isin(WORK) & jobs.study.isin(settings.studies)]
    studies = {
        name: load_study(ROOT / "config" / "studies" / f"{name}.yaml", settings.overrides.get(name))
        for name in jobs.study.unique()
    }
    work = [WORK[job.rule](studies[job.study], job.wildcards) for job in jobs.itertuples()]
    return jobs.reset_index(drop=True).join(pd.DataFrame(work, columns=list(KINDS)).fillna(0.0))


def fitted(amounts: np.ndarray, values: np.ndarray) -> dict[str, float]:
    """Coefficients of the lowest linear law, in the sum, that no value is above, none negative; amounts (job, kind)."""
    design = np.column_stack([np.ones(len(values)), amounts])
    scale = np.where(design.max(0) > 0, design.max(0), 1)
    coefficients = linprog((design / scale).sum(0), A_ub=-design / scale, b_ub=-values).x / scale
    named = zip(("base", *KINDS), coefficients, strict=True)
    return {name: float(f"{value:.3g}") for name, value in named if value > 0}


if __name__ == "__main__":
    jobs = pd.concat([measured(Path(name)) for name in sys.argv[1:]])
    table = {}
    for rule, rows in jobs.groupby("rule"):
        amounts = rows[list(KINDS)].to_numpy()
        table[rule] = {what: fitted(amounts, rows[what].to_numpy()) for what in ("memory", "processor")}
        for what, coefficients in table[rule].items():
            work = [dict(zip(KINDS, row, strict=True)) for row in amounts]
            ratio = rows[what] / [estimate(coefficients, one) for one in work]
            print(f"{rule:20}{what:10} measured {rows[what].min():8.1f} to {rows[what].max():8.1f}, ", end="")
            print(f"{ratio.min():.2f} to {ratio.max():.2f} of the fit, {coefficients}")
    head = f"# Memory (MB) and processor time (s) per rule, by workflow/tools/fit_resources.py from {len(jobs)} jobs.\n"
    FILE.write_text(head + yaml.safe_dump(table, default_flow_style=None), encoding="utf-8")
