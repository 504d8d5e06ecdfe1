"""Say how a file of the results was made, and whether the configuration and the code of now would make the same.

    python workflow/tools/provenance.py results/annihilation/summary.csv
    python workflow/tools/provenance.py results/smoke/annihilation/test/moments.nc --configfile config/smoke.yaml

netCDF files tell their configuration themselves; of tables and figures it is that of the netCDF files that they go back to.
Rule, inputs and what differs are what Snakemake says by ``--detailed-summary`` and ``--dry-run``. Exit code 0: the same; 1:
something differs, each difference in a line; 2: nothing is known of the file.
"""

import argparse
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path

import xarray as xr
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.files.netcdf import provenance  # noqa: E402

PENDING = re.compile(r"^    output: (?P<output>.+?)\n(?:    .+\n)*?    reason: (?P<reason>.+)$", re.MULTILINE)


def attributes(path: Path) -> dict[str, str]:
    """Provenance in a netCDF file."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return dict(dataset.attrs)


def history(file: Path, rows: dict[str, dict[str, str]]) -> dict:
    """How a file was made, from the rows of Snakemake's summary by file: of this one and of all that it goes back to."""
    made_from = [name for name in rows[str(file)]["input-file(s)"].split(",") if not name.endswith(".py")]
    ancestors = [path for path in map(Path, rows) if path.suffix == ".nc" and path.exists()]
    known = (
        attributes(file) if file.suffix == ".nc" else {"configuration": provenance({}, ancestors, {})["configuration"]}
    )
    known = {name: json.loads(text) if text[:1] in "{[" else text for name, text in known.items()}
    return {"file": str(file), "rule": rows[str(file)]["rule"], "made from": made_from} | known


def differences(plan: str) -> list[str]:
    """What would be made again and why, from a dry run; not what only follows from that."""
    found = []
    for job in PENDING.finditer(plan):
        reasons = job["reason"].split("; ")
        found += [f"{job['output']}: {text}" for text in reasons if not text.startswith("Input files updated by")]
    return found


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
