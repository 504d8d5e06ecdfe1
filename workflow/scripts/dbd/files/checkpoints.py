"""Where a long optimisation stands, in a file: killed, it goes on from there and ends with the same bytes."""

import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from dbd.files.netcdf import replacing

State = Mapping[str, np.ndarray]


def load_checkpoint(path: Path, key: Mapping[str, str]) -> dict[str, np.ndarray] | None:
    """Arrays of the checkpoint at `path`; None if there is none, or it is damaged, or belongs to another computation.

    `key` says which computation: the provenance of what it will make.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    return arrays if str(arrays.pop("key", "")) == json.dumps(key, sort_keys=True) else None


def checkpointed(states: Iterable[State], path: Path, key: Mapping[str, str]) -> Iterator[State]:
    """Pass states on, each after it has been kept; a kept state replaces the one before whole or not at all."""
    for state in states:
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, key=np.array(json.dumps(key, sort_keys=True)), **state)
        yield state
