"""netCDF files in and out: written atomically, read whole, each with how it was made.

No clock time and no host name goes into a file, so the same computation gives the same bytes.
"""

import hashlib
import importlib.metadata
import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dbd.streams import BIT_GENERATOR

PACKAGES = ("numpy", "numba", "scipy", "xarray", "netCDF4", "snakemake")
COMPRESSION_LEVEL = 1  # higher levels gain little on lattices and cost several times as much


class StoreError(RuntimeError):
    """A file that cannot be read or does not hold what it should, in one line."""


def provenance(settings: Mapping[str, Any], inputs: Iterable[str | Path] = ()) -> dict[str, str]:
    """Return how a file is made, as plain strings: configuration, seed, versions, commit and hashes of its inputs.

    Parameters
    ----------
    settings
        Exactly the part of the configuration that the file depends on, with the master ``seed`` if it does.
    inputs
        Data files that it was computed from.
    """
    hashes = {Path(path).name: file_hash(path) for path in inputs}
    return {
        "Conventions": "CF-1.11",
        "configuration": json.dumps(settings, sort_keys=True),
        "seed": str(settings.get("seed", "none")),
        "bit_generator": BIT_GENERATOR,
        "versions": json.dumps({name: importlib.metadata.version(name) for name in PACKAGES}),
        "commit": _commit(),
        "input_sha256": json.dumps(hashes, sort_keys=True),
    }


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(dataset: xr.Dataset, path: str | Path, attributes: Mapping[str, str]) -> None:
    """Write a dataset with global attributes; the file appears whole or not at all.

    Numbers are compressed, and read-only copies of a partly written file never carry the final name.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    compressed = {"zlib": True, "complevel": COMPRESSION_LEVEL, "_FillValue": None}
    encoding = {
        name: {**compressed, **variable.encoding} for name, variable in dataset.variables.items() if _numeric(variable)
    }
    try:
        dataset.assign_attrs(attributes).to_netcdf(partial, engine="netcdf4", format="NETCDF4", encoding=encoding)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: str | Path, *variables: str) -> xr.Dataset:
    """Read a dataset into memory, or only some of its variables.

    Raises
    ------
    StoreError
        If the file is missing, truncated or corrupt, or lacks a variable.
    """
    try:
        with xr.open_dataset(path, engine="netcdf4") as dataset:
            missing = [name for name in variables if name not in dataset]
            if missing:
                raise StoreError(f"{path}: no variable {missing[0]}; it holds {', '.join(map(str, dataset))}")
            chosen = dataset[list(variables)] if variables else dataset
            return chosen.load().drop_encoding()
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except (OSError, RuntimeError, ValueError, UnicodeDecodeError, AttributeError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(
            f"{path}: truncated or corrupt netCDF file ({error}); delete it and run again to make it anew"
        ) from None


def read_models(paths: Iterable[str | Path]) -> dict[str, xr.Dataset]:
    """Read files ``models/<model>/<name>.nc``; return them by the name of the model."""
    return {Path(path).parent.name: read(path) for path in paths}


def read_lattices(paths: Iterable[str | Path]) -> list[np.ndarray]:
    """Occupancies of an ensemble from its parts, one array (run, time, site) per initial condition, in their order."""
    pieces: dict[int, list[tuple[int, np.ndarray]]] = {}
    for path in paths:
        part = read(path, "occupancy")
        for index, runs in zip(part.initial_condition.values, part.occupancy.values, strict=True):
            pieces.setdefault(int(index), []).append((int(part.run.values[0]), runs))
    return [np.concatenate([runs for _, runs in sorted(pieces[index], key=lambda x: x[0])]) for index in sorted(pieces)]


def _numeric(variable: xr.Variable) -> bool:
    return np.issubdtype(variable.dtype, np.number) and variable.ndim > 0


def _commit() -> str:
    """Commit of the code, with '+changes' if files differ from it; 'unknown' outside a git checkout."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=here, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
