"""Turn what Smoldyn or ReaDDy has written, a file for each run, into a table that a study can have as its source.

    python workflow/tools/import_trajectories.py listmols2 "runs/{initial_condition}_{run}.txt" train.csv --species A B

``listmols`` is Smoldyn's, where another command (``molcount``, ``executiontime``) has written a line that begins with
the time into the same file just before. ``listmols2`` is told the time between its calls (``--dt``), how many there
were (``--times``) and the species in the order of the model file. ``readdy`` is a recorded trajectory, and is told the
time step (``--dt``). ``--species red=A green=B`` makes names of the program the letters of a study.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from dbd.files.netcdf import StoreError, replacing  # noqa: E402
from dbd.files.outside import outside  # noqa: E402
from dbd.messages import mismatch, one_of  # noqa: E402

NAMES = ("initial_condition", "run")


def listmols(path, options):
    """Times (T,), and molecules as (index of the time, name, *position)."""
    times, rows = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        first, *words = line.split() or [""]
        try:
            if not first.endswith(")"):
                times.append(float(first))
            elif times:
                rows.append((len(times) - 1, first.partition("(")[0], *map(float, words[:-1])))
            else:
                raise ValueError
        except ValueError:
            expected = "a line that begins with the time, and then one for each molecule"
            raise StoreError(f"{path}: line {number}: {mismatch(repr(line), expected)}") from None
    return np.array(times), pd.DataFrame(rows)


def listmols2(path, options):
    """As `listmols`; the file has numbers of the call, of the species and of its state, position and serial number."""
    try:
        table = pd.read_csv(path, sep=" ", header=None) if path.stat().st_size else pd.DataFrame()
        rows = table.drop(columns=[2, table.shape[1] - 1]) if len(table) else table
        for column, least, most in ((0, 1, options.times), (1, 1, len(options.species))):
            if len(rows) and not rows[column].between(least, most).all():
                what = ("calls", "species")[column]
                raise ValueError(f"{what}: {mismatch(f'up to {rows[column].max()}', f'{least} to {most}')}")
    except (ValueError, KeyError) as error:
        raise StoreError(f"{path}: {error}") from None
    if len(rows):
        rows[1] = np.array([name for name, _ in options.species])[rows[1] - 1]
        rows[0] -= 1
    return options.dt * np.arange(options.times), rows


def readdy(path, options):
    """As `listmols`."""
    outside("hdf5plugin")
    try:
        with outside("h5py").File(path) as file:
            kinds = {int(row["type_id"]): row["name"].decode() for row in file["readdy/config/particle_types"]}
            steps, limits, records = (file[f"readdy/trajectory/{name}"][:] for name in ("time", "limits", "records"))
    except (OSError, KeyError):
        raise StoreError(f"{path}: no trajectory of ReaDDy") from None
    index = np.repeat(np.arange(len(steps)), np.diff(limits.astype(np.int64), axis=1)[:, 0])
    rows = pd.DataFrame(records["pos"])
    rows.insert(0, "species", [kinds[int(kind)] for kind in records["typeId"]])
    rows.insert(0, "index", index)
    return options.dt * steps, rows


READERS = {reader.__name__: reader for reader in (listmols, listmols2, readdy)}


def table_of(path, options):
    """The table of one run: time, species and position, and a row without these where nothing is left."""
    times, rows = READERS[options.format](path, options)
    letters = dict(options.species)
    axes = list("xyz")[: max(rows.shape[1] - 2, 1)]
    rows = (
        rows.set_axis(["index", "species", *axes], axis=1) if len(rows) else pd.DataFrame(columns=["index", "species"])
    )
    if letters and (wrong := rows.species[~rows.species.isin([*letters])]).size:
        what = f"{wrong.iloc[0]} ({len(wrong)} of {len(rows)} molecules)"
        raise StoreError(f"{path}: species: {mismatch(what, one_of(letters))}")
    left = pd.DataFrame({"index": np.setdiff1d(np.arange(len(times)), rows["index"].astype(int))})
    rows = pd.concat([rows.replace({"species": letters}), left]).sort_values("index", kind="stable")
    rows.insert(0, "time", times[rows.pop("index").astype(int)])
    return rows


def found(pattern):
    """Files by (initial condition, run), from a pattern that has a place for each."""
    if missing := [name for name in NAMES if f"{{{name}}}" not in pattern]:
        raise StoreError(f"{pattern}: got no {{{missing[0]}}}, expected it in the names of the files")
    form = re.escape(pattern)
    for name in NAMES:
        form = form.replace(re.escape(f"{{{name}}}"), f"(?P<{name}>[^/]+?)")
    above = Path(pattern).anchor
    files = sorted(Path(above).glob(re.sub(r"\{\w+\}", "*", pattern.removeprefix(above))))
    if not files:
        raise StoreError(f"{pattern}: no such file")
    return {re.fullmatch(form, str(file)).group(*NAMES): file for file in files}


def main(arguments):
    """Write the table and print its name."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("format", choices=READERS)
    parser.add_argument("files", help="names of the files, with {initial_condition} and {run} in them")
    parser.add_argument("table", type=Path)
    parser.add_argument("--dt", type=float, help="listmols2: time between calls; readdy: time step")
    parser.add_argument("--times", type=int, help="listmols2: number of calls")
    parser.add_argument("--species", nargs="*", default=[], help="letter, or name=letter, of each species")
    options = parser.parse_args(arguments)
    options.species = [(word.partition("=")[0], word.rpartition("=")[2]) for word in options.species]
    if (options.format != "listmols" and not options.dt) or (options.format == "listmols2" and not options.times):
        parser.error("listmols2 needs --dt, --times and --species; readdy needs --dt")
    tables = [
        table_of(path, options).assign(initial_condition=condition, run=run)
        for (condition, run), path in found(options.files).items()
    ]
    table = pd.concat(tables)
    with replacing(options.table) as partial:
        table[[*NAMES, *table.columns.drop([*NAMES])]].to_csv(partial, index=False, float_format="%.10g")
    print(options.table)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (StoreError, OSError) as error:
        sys.exit(f"Error: {error}")
