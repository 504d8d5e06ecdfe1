"""Say how a file of the results was made, and whether the configuration and the code of now would make the same.

    python workflow/tools/provenance.py results/annihilation/summary.csv
    python workflow/tools/provenance.py results/smoke/annihilation/test/moments.nc --configfile config/smoke.yaml

netCDF files tell their configuration themselves; tables and figures have that of the netCDF files they go back to.
Rule, inputs and differences are what Snakemake says by ``--detailed-summary`` and ``--dry-run``. Exit code 0: the same;
1: something differs, each difference in a line; 2: nothing is known of the file.
"""

import argparse
import ast
import importlib.metadata
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import xarray as xr
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.files.netcdf import provenance  # noqa: E402

REASON = re.compile(r"^ *Reason: (.+)$", re.MULTILINE | re.IGNORECASE)
PARAMS = re.compile(r"Params have changed.* before: (\{.*\}) now: (\{.*\})")


def attributes(path: Path) -> dict[str, str]:
    """Provenance in a netCDF file."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return dict(dataset.attrs)


def history(file: Path, rows: dict[str, dict[str, str]]) -> dict:
    """How a file was made, from Snakemake's summary by file: rows of its own and of all that it goes back to."""
    own = rows[str(file)]
    made_from = [name for name in own["input-file(s)"].split(",") if not name.endswith(".py")]
    if file.suffix == ".nc":
        known = attributes(file)
    else:
        before = [path for path in map(Path, rows) if path.suffix == ".nc" and path.exists()]
        known = {"configuration": provenance({}, before, {})["configuration"]}
    known = {name: json.loads(text) if text[:1] in "{[" else text for name, text in known.items()}
    return {"file": str(file), "rule": own["rule"], "made from": made_from} | known


def leaves(tree: Any, *above: str) -> dict[str, Any]:
    """Values of a nested mapping by their dotted keys."""
    if not (isinstance(tree, dict) and tree):
        return {".".join(above): tree}
    return {key: value for name, below in tree.items() for key, value in leaves(below, *above, str(name)).items()}


def differences(plan: str) -> list[str]:
    """Why a dry run would make a file or one before it again; not what only follows from that."""
    found = []
    for reason in itertools.chain(*(reasons.split("; ") for reasons in REASON.findall(plan))):
        if params := PARAMS.match(reason):
            was, now = (leaves(ast.literal_eval(text)) for text in params.groups())
            keys = [key for key in was | now if was.get(key) != now.get(key)]
            found += [f"configuration: {key}: was {was.get(key)}, is {now.get(key)}" for key in keys]
        elif not reason.startswith("Input files updated by another job"):
            found.append(reason)
    return list(dict.fromkeys(found))


def main(arguments: list[str]) -> int:
    """Print how a file was made and what differs now; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--configfile", nargs="*", default=[], help="presets, as for Snakemake")
    options = parser.parse_args(arguments)

    def snakemake(*words: str) -> str:
        presets = ["--configfile", *options.configfile] if options.configfile else []
        command = [sys.executable, "-m", "snakemake", *words, str(options.file), *presets]
        return subprocess.run(command, capture_output=True, text=True).stdout

    header, *lines = [line.split("\t") for line in snakemake("--detailed-summary").splitlines() if "\t" in line] or [[]]
    rows = {line[0]: dict(zip(header, line, strict=True)) for line in lines}
    if not options.file.exists() or rows.get(str(options.file), {}).get("input-file(s)", "-") == "-":
        print(f"{options.file}: nothing is known of how it was made", file=sys.stderr)
        return 2
    told = history(options.file, rows)
    print(yaml.safe_dump(told, sort_keys=False, default_flow_style=None, width=100))
    differing = differences(snakemake("--dry-run"))
    for name, was in told.get("versions", {}).items():
        if (version := importlib.metadata.version(name)) != was:
            differing.append(f"version: {name}: was {was}, is {version}")
    print("\n".join(differing) or "The configuration and the code of now would make the same.")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
