"""Say how a file of the results was made, and whether the configuration and the code of now would make the same.

    python workflow/tools/provenance.py results/annihilation/summary.csv
    python workflow/tools/provenance.py results/smoke/annihilation/test/moments.nc --configfile config/smoke.yaml

netCDF files tell it themselves; of tables and figures, and of the steps before them, Snakemake has kept which rule made
them from what. Exit code 0: the same; 1: something differs, each difference in a line; 2: nothing is known of the file.
"""

import argparse
import ast
import base64
import importlib.metadata
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import xarray as xr
import yaml

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.files.netcdf import file_hash  # noqa: E402
from dbd.study import reading as definition  # noqa: E402
from dbd.study.lattice_checks import start_of  # noqa: E402
from dbd.study.lattice_study import Study, Workflow  # noqa: E402

RECORDS = Path(".snakemake", "metadata")


def record(path: Path) -> dict[str, Any] | None:
    """What Snakemake has kept of a file: rule, inputs with checksums, parameters; None if nothing."""
    kept = RECORDS / base64.b64encode(str(path).encode(), b"-_").decode()
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None


def lineage(path: Path, found: dict[Path, dict[str, Any]]) -> dict[Path, dict[str, Any]]:
    """Records of a file and of all that it was made from, by path, added to `found`."""
    if path not in found and (kept := record(path)):
        found[path] = kept
        for name in kept["input"]:
            lineage(Path(name), found)
    return found


def attributes(path: Path) -> dict[str, str]:
    """Provenance in a netCDF file; none of another file."""
    if path.suffix != ".nc":
        return {}
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return dict(dataset.attrs)


def leaves(tree: Any, *above: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values of a nested mapping with the keys above them."""
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():
            yield from leaves(value, *above, str(key))
    else:
        yield above, tree


def value_at(tree: Any, keys: tuple[str, ...]) -> Any:
    """Value of a nested mapping at some keys; None if there is none."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return tree


def variants(configuration: list[Path], study: str) -> list[dict[str, Any]]:
    """The study as it is configured now; one on a lattice once with the start of the runs of each split."""
    tree: dict[str, Any] = {}
    for path in configuration:
        tree = definition.overlay(tree, definition.read_yaml(path))
    settings = definition.parse(Workflow, tree, " and ".join(map(str, configuration)))
    loaded = definition.load_study(ROOT / "config" / "studies" / f"{study}.yaml", settings.overrides.get(study))
    whole = loaded.model_dump(mode="json") | {"seed": settings.seed}
    if not isinstance(loaded, Study):
        return [whole]
    starts = [start_of(loaded, split) for split in loaded.ensemble.splits if loaded.source is None]
    return [whole | {"initial_condition": start.model_dump(mode="json")} for start in starts] or [whole]


def differences(path: Path, kept: Mapping[str, Any], now: list[dict[str, Any]]) -> Iterator[str]:
    """What differs for one file from how it was made: configuration, inputs and code, versions."""
    for text in kept["params"]:
        recorded = ast.literal_eval(text) if text.startswith("{") else {}
        for keys, was in leaves(recorded):
            values = [value_at(tree, keys) for tree in now]
            if keys[0] in now[0] and was not in values:
                yield f"configuration: {'.'.join(keys)}: was {was}, is {values[0]}"
    for name, checksum in kept["input_checksums"].items():
        what = "code" if name.endswith(".py") else "input"
        if not Path(name).exists():
            yield f"{what}: {name}: is gone"
        elif f"sha256:{file_hash(name)}" != checksum:
            yield f"{what}: {name}: has changed"
    script = ROOT / "workflow" / "scripts" / f"{kept['rule']}.py"
    if script.exists() and script.stat().st_mtime > kept["endtime"]:
        yield f"code: {script.relative_to(ROOT)}: has changed since"
    if path.exists():
        for name, was in json.loads(attributes(path).get("versions", "{}")).items():
            if (version := importlib.metadata.version(name)) != was:
                yield f"version: {name}: was {was}, is {version}"


def history(path: Path, kept: Mapping[str, Any]) -> dict[str, Any]:
    """How a file was made, for printing."""
    data = [name for name in kept["input"] if not name.endswith(".py")]
    own = {"parameters": [ast.literal_eval(text) for text in kept["params"] if text.startswith("{")]}
    whole = {name: json.loads(text) if text[:1] in "{[" else text for name, text in attributes(path).items()}
    return {"file": str(path), "rule": kept["rule"], "made from": data} | (whole or own)


def main(arguments: list[str]) -> int:
    """Print how a file was made and what differs now; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--configfile", type=Path, nargs="*", default=[], help="presets, as for Snakemake")
    options = parser.parse_args(arguments)
    found = lineage(options.file, {})
    if options.file not in found:
        print(f"{options.file}: nothing is known of how it was made", file=sys.stderr)
        return 2
    print(
        yaml.safe_dump(history(options.file, found[options.file]), sort_keys=False, default_flow_style=None, width=100)
    )
    configuration = [ROOT / "config" / "config.yaml", *options.configfile]
    studies = {file.stem for file in (ROOT / "config" / "studies").glob("*.yaml")}
    of = {path: next((part for part in path.parts if part in studies), None) for path in found}
    now = {study: variants(configuration, study) for study in {*of.values()} - {None}}
    lines = [line for path, kept in found.items() for line in differences(path, kept, now.get(of[path], [{}]))]
    print("\n".join(dict.fromkeys(lines)) or "The configuration and the code of now would make the same.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
