"""netCDF files in and out: written atomically, with their provenance and with checksums that reading compares.

No clock time and no host name goes into a file, so the same computation gives the same bytes.
"""

import hashlib
import importlib.metadata
import json
import os
import socket
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from dbd.lattice.packing import unpack
from dbd.numerics.random_streams import BIT_GENERATOR

PACKAGES = ("numpy", "numba", "scipy", "xarray", "netCDF4", "snakemake")
CHECKSUM = "crc32"
COMPRESSION_LEVEL = 4  # on sparse lattices a fifth smaller than at 1, and three times as fast as 6


class StoreError(RuntimeError):
    """A file that cannot be read or written or does not hold what it should, in one line."""


def provenance(
    settings: Mapping[str, Any], inputs: Iterable[str | Path] = (), hashes: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the origin of a file, as plain strings: configuration, seed, versions, commit and hashes of its inputs.

    Parameters
    ----------
    settings
        The part of the configuration that is used to make the file from its inputs. Those of the inputs are added to
        it, so that the file holds the whole configuration that it depends on.
    inputs
        netCDF files that it was computed from.
    hashes
        Hash of what was read, by name, instead of the files' own hashes: for inputs that are cut into files in a way
        that results do not depend on.
    """
    inputs = list(map(Path, inputs))
    configuration: dict[str, Any] = {}
    for inherited in (*map(configuration_of, inputs), settings):
        configuration = _merged(configuration, inherited)
    if hashes is None:
        hashes = {path.name: file_hash(path) for path in inputs}
    return {
        "Conventions": "CF-1.11",
        "configuration": json.dumps(configuration, sort_keys=True),
        "seed": str(configuration.get("seed", "none")),
        "bit_generator": BIT_GENERATOR,
        "versions": json.dumps({name: importlib.metadata.version(name) for name in PACKAGES}),
        "commit": _commit(),
        "input_sha256": json.dumps(hashes, sort_keys=True),
    }


def file_hash(path: str | Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(dataset: xr.Dataset) -> str:
    """SHA-256 of the numbers in a dataset, variable by variable in the order of their names, hexadecimal."""
    digest = hashlib.sha256()
    for name in sorted(map(str, dataset.variables)):
        digest.update(name.encode())
        digest.update(_bytes(dataset.variables[name]))
    return digest.hexdigest()


def _alive(process: int) -> bool:
    """Whether there is a process with this number on this machine."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a name to write to, which becomes `path` if all goes well; so a file appears whole or not at all.

    Each process has a name of its own, so a job that outlives a killed run does no harm to the one that replaces it.
    What killed ones on this machine have left is removed.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f".partial.{socket.gethostname()}.{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f".partial.{socket.gethostname()}.*.{path.name}"):
            if not _alive(int(left.name.removesuffix(path.name).split(".")[-2])):
                left.unlink(missing_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:  # the latter from the netCDF library, on a full disk for example
        raise StoreError(f"{path}: cannot be written ({getattr(error, 'strerror', None) or error})") from None


def variable(dims: str, values: Any, meaning: str, units: str = "1", **attributes: Any) -> tuple:
    """A variable of a dataset: names of its dimensions with spaces between them, its values, and what they are."""
    return dims.split(), values, {"units": units, "long_name": meaning, **attributes}


def time_axis(steps: np.ndarray, dt: float) -> dict[str, tuple]:
    """Coordinates of recorded times, from their numbers (steps,) and the time between two of them."""
    time = variable("time", steps * dt, "time in units of the rates", axis="T")
    return {"step": variable("time", steps, "time step or observation"), "time": time}


def write(dataset: xr.Dataset, path: str | Path, attributes: Mapping[str, str]) -> None:
    """Write a dataset with global attributes, compressed; the file appears whole or not at all.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    compressed = {"zlib": True, "complevel": COMPRESSION_LEVEL, "_FillValue": None}
    encoding = {
        name: {**compressed, **variable.encoding} for name, variable in dataset.variables.items() if _numeric(variable)
    }
    checked = dataset.assign_attrs(attributes).copy()
    for variable in checked.variables.values():
        variable.attrs[CHECKSUM] = _checksum(variable)
    with replacing(path) as partial:
        checked.to_netcdf(partial, engine="netcdf4", format="NETCDF4", encoding=encoding)


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
            loaded = chosen.load().drop_encoding()
        for name, variable in loaded.variables.items():
            if variable.attrs.pop(CHECKSUM, None) != _checksum(variable):
                raise ValueError(f"wrong checksum of {name}")
        return loaded
    except (StoreError, MemoryError):
        raise
    except FileNotFoundError:
        raise StoreError(f"{path}: no such file") from None
    except Exception as error:  # whatever the netCDF library makes of a damaged file
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise StoreError(
            f"{path}: truncated or corrupt netCDF file ({reason}); delete it and run again to restore it"
        ) from None


def read_models(paths: Iterable[str | Path]) -> dict[str, xr.Dataset]:
    """Read files ``models/<model>/<name>.nc``; return them by the name of the model."""
    return {Path(path).parent.name: read(path) for path in paths}


def read_lattices(paths: Iterable[str | Path]) -> list[np.ndarray]:
    """Occupancies of an ensemble from its parts, one array (run, time, site) per initial condition, in their order."""
    pieces: dict[int, list[tuple[int, np.ndarray]]] = {}
    for path in paths:
        part = read(path, "packed", "step")
        for index, packed in zip(part.initial_condition.values, part.packed.values, strict=True):
            runs = unpack(packed, int(part.packed.attrs["states"]), part.sizes["time"])
            pieces.setdefault(int(index), []).append((int(part.run.values[0]), runs))
    return [np.concatenate([runs for _, runs in sorted(pieces[index], key=lambda x: x[0])]) for index in sorted(pieces)]


def _bytes(variable: xr.Variable) -> bytes | memoryview:
    """Contents of a variable, whatever type of text it is kept in."""
    values = variable.values
    if np.issubdtype(values.dtype, np.number):
        return np.ascontiguousarray(values).data
    return "\n".join(map(str, values.flat)).encode()


def _checksum(variable: xr.Variable) -> str:
    return f"{zlib.crc32(_bytes(variable)):08x}"


def configuration_of(path: Path) -> dict[str, Any]:
    """Configuration in the provenance of a netCDF file."""
    with xr.open_dataset(path, engine="netcdf4") as dataset:
        return json.loads(dataset.attrs["configuration"])


def _merged(one: Any, other: Any) -> Any:
    """Two nested mappings in one; where both have a value, that of the other."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return other
    return {**one, **{key: _merged(one.get(key), value) for key, value in other.items()}}


def _numeric(variable: xr.Variable) -> bool:
    return np.issubdtype(variable.dtype, np.number) and variable.ndim > 0


def _commit() -> str:
    """Commit of the code, with '+changes' if files differ from it; 'unknown' outside a git checkout."""
    folder = Path(__file__).parent

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
