"""Runs that somebody else has simulated, from one file for each split, checked and put on the sites of a lattice.

A table (``.csv``, ``.csv.gz`` or ``.parquet``) has a row for each molecule at each time, with the columns
``initial_condition``, ``run`` (labels of any kind), ``time``, ``species`` and ``x``, ``y``, ``z``, as many as the
lattice has axes; others are not read. A time at which nothing is left in a run is a row without species and position.

A netCDF file (``.nc``) has the variable ``occupancy (initial_condition, run, time, x, y, z)``, whole numbers: 0 for an
empty site, 1, 2, ... for the species of its attribute ``species``; and the coordinate ``time``. It is read as the table
of molecules in the middle of their sites.

Whatever is wrong with a file is a StoreError in one line, which says how many rows or runs are wrong, and the first.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numba import njit

from dbd.build.system import build_lattice
from dbd.files.netcdf import StoreError
from dbd.files.outside import outside
from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch, one_of

KEYS = ["initial_condition", "run", "time", "species"]
SUFFIXES = (".csv", ".csv.gz", ".parquet", ".nc")
HEAD = 1000  # rows that are looked at when a study is read
NEAR = 1e-3  # of a time step that a time may be beside it: programs print few digits


class Layout(NamedTuple):
    """What the runs of a split have to be."""

    species: tuple[str, ...]
    lattice: Lattice
    lower: np.ndarray  # corner of the box, (axes,)
    spacing: float  # length of a site
    shared: float  # largest share of molecules whose site another one has taken
    conditions: int  # initial conditions
    runs: int  # of each
    steps: int
    dt: float

    @classmethod
    def of(cls, settings: Mapping[str, Any], split: str) -> "Layout":
        """Layout of a split, from the sections of a study (plain mappings, already checked)."""
        lattice, ensemble, source = build_lattice(settings), settings["ensemble"], settings["source"]
        number = ensemble["splits"][split]
        return cls(
            tuple(settings["species"]),
            lattice,
            np.array(source["lower"] or (0.0,) * lattice.dimension),
            *(source[key] for key in ("spacing", "shared")),
            *(number[key] for key in ("initial_conditions", "runs")),
            *(ensemble[key] for key in ("steps", "dt")),
        )

    @property
    def axes(self) -> list[str]:
        """Names of the axes."""
        return list("xyz")[: self.lattice.dimension]


class Molecules(NamedTuple):
    """Molecules of all runs at all times, sorted by frame: the number of the run times all times, and the step."""

    frame: np.ndarray  # int64 (N,)
    site: np.ndarray  # int64 (N,)
    state: np.ndarray  # uint8 (N,): 1, 2, ... for the species

    def initial_numbers(self, layout: Layout) -> np.ndarray:
        """Mean number of molecules of each species at the start, (initial condition, species)."""
        run, step = np.divmod(self.frame, layout.steps + 1)
        kinds = len(layout.species)
        place = (run // layout.runs * kinds + self.state - 1)[step == 0]
        return np.bincount(place, minlength=layout.conditions * kinds).reshape(-1, kinds) / layout.runs

    def occupancy(self, layout: Layout, condition: int, runs: range) -> np.ndarray:
        """Lattices of some runs, uint8 (run, time, site); StoreError for more molecules than sites.

        Of several molecules in a site the first stays, and each other one moves to the nearest free site, in steps
        between neighbours.
        """
        first, times = (condition * layout.runs + runs.start) * (layout.steps + 1), layout.steps + 1
        some = slice(*np.searchsorted(self.frame, (first, first + len(runs) * times)))
        found = np.zeros((len(runs) * times, layout.lattice.size), np.uint8)
        if left := _place(
            self.frame[some] - first, self.site[some], self.state[some], layout.lattice.neighbours, found
        ):
            what = f"{left} more than sites in initial condition {condition}"
            raise StoreError(f"molecules: {mismatch(what, 'as many at most; a finer lattice')}")
        return found.reshape(len(runs), times, -1)


def read_source(path: str | Path, layout: Layout) -> Molecules:
    """Read and check a whole file."""
    with _in_one_line(path):
        found = _binned(_table(Path(path), layout), layout)
        cells = found.frame * layout.lattice.size + found.site
        order = np.argsort(cells, kind="stable")
        found, taken = Molecules(*(values[order] for values in found)), np.diff(cells[order], prepend=-1) == 0
        if taken.sum() > layout.shared * len(taken):
            run, step = divmod(int(found.frame[taken.argmax()]), layout.steps + 1)
            what = f"{taken.sum()} of {len(taken)} molecules ({taken.mean():.3g}) in a site that another one has taken"
            expected = f"a share of at most {layout.shared:g} (source.shared), or a finer lattice"
            where = f"the first in run {run % layout.runs} of initial condition {run // layout.runs}, step {step}"
            raise ValueError(f"sites: {mismatch(what, expected)}; {where}")
        return found


def check_source(path: str | Path, layout: Layout) -> None:
    """Check what is cheap: that there is a file of a known kind, its columns, and the first rows each by itself.

    What is in a Parquet file is left to the job that reads it, as only that job's environment must have the package.
    """
    with _in_one_line(path):
        if not str(path).endswith(SUFFIXES):
            raise ValueError(mismatch(Path(path).suffix or "no suffix", one_of(SUFFIXES)))
        if not Path(path).is_file():
            raise ValueError("no such file")
        if Path(path).suffix != ".parquet":
            _columns(_table(Path(path), layout, HEAD), layout)


@contextmanager
def _in_one_line(path: str | Path) -> Iterator[None]:
    """Turn what is wrong into one line with the name of the file."""
    try:
        yield
    except (ValueError, OSError, StoreError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise StoreError(f"{path}: {reason}") from None


def _table(path: Path, layout: Layout, rows: int | None = None) -> pd.DataFrame:
    """The columns that count, all rows or the first."""
    names = [*KEYS, *layout.axes]
    if path.suffix == ".nc":
        return _occupied(path, layout, slice(rows and 1))
    parquet = outside("pyarrow.parquet") if path.suffix == ".parquet" else None
    has = parquet.read_schema(path).names if parquet else pd.read_csv(path, nrows=0).columns
    if missing := [name for name in names if name not in has]:
        raise ValueError(f"columns: {mismatch(', '.join(map(str, has)), f'{missing[0]} too')}")
    if parquet:
        columns = parquet.read_table(path, columns=names)
        return pd.DataFrame({name: columns[name].to_numpy() for name in names})
    text = {"species": str}
    return pd.read_csv(path, usecols=names, nrows=rows, dtype=text, low_memory=False, skip_blank_lines=False)


def _occupied(path: Path, layout: Layout, some: slice) -> pd.DataFrame:
    """The table of a file of occupancies, or of some of its runs."""
    try:
        dataset = xr.open_dataset(path, engine="netcdf4", mask_and_scale=False, decode_times=False)
    except (OSError, ValueError, RuntimeError):
        raise ValueError("not a netCDF file") from None
    with dataset:
        if missing := [name for name in ("occupancy", "time") if name not in dataset.variables]:
            raise ValueError(f"variables: {mismatch(', '.join(map(str, dataset.variables)), f'{missing[0]} too')}")
        found, dims = dataset.occupancy, (*KEYS[:3], *layout.axes)
        if found.dims != dims or found.shape[3:] != layout.lattice.shape:
            what, expected = (f"({', '.join(names)})" for names in (found.dims, dims))
            sizes = f"{expected} with {layout.lattice.shape} sites"
            raise ValueError(f"occupancy: {mismatch(f'{what} of shape {found.shape}', sizes)}")
        species, values, times = str(found.attrs.get("species")).split(), found[some, some].values, dataset.time.values
    known = np.isin(values, range(len(species) + 1))
    if not known.all():
        what = f"{values[~known][0]} ({(~known).sum()} of {known.size} sites)"
        expected = f"0 to {len(species)}, as its species are {', '.join(species)}"
        raise ValueError(f"occupancy: {mismatch(what, expected)}")
    index, empty = np.nonzero(values), np.nonzero(~values.any(axis=tuple(range(3, values.ndim))))
    table = pd.DataFrame(dict(zip(dims, index, strict=True))).assign(
        species=np.array(species)[values[index].astype(int) - 1]
    )
    table[layout.axes] = layout.lower + (table[layout.axes] + 0.5) * layout.spacing
    table = pd.concat([table, pd.DataFrame(dict(zip(dims, empty, strict=False)))], ignore_index=True)
    return table.assign(time=times[table.time])


def _refuse(wrong: np.ndarray, what: str, values: Any, expected: str) -> None:
    """Raise ValueError if anything in `wrong` (rows,) is true, with the first of the values."""
    if wrong.any():
        first, some = int(wrong.argmax()), f"{wrong.sum()} of {len(wrong)} rows"
        raise ValueError(f"{what}: {mismatch(f'{np.asarray(values)[first]} in row {first + 1} ({some})', expected)}")


def _columns(table: pd.DataFrame, layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step (rows,), state (rows,) with 0 for nothing left, and site (rows,) of every row, each checked by itself."""
    if table.empty:
        raise ValueError("rows: got none, expected one for each molecule and time")
    axes, shape, blank = layout.axes, np.array(layout.lattice.shape), table.species.isna().to_numpy()
    state = pd.Index(layout.species).get_indexer(table.species) + 1
    _refuse((state == 0) & ~blank, "species", table.species, one_of(layout.species))
    for name in KEYS[:2]:
        _refuse(table[name].isna().to_numpy(), name, table[name], "a label")
    numbers = {name: pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in ("time", *axes)}
    for name, values in numbers.items():
        _refuse(~np.isfinite(values) & ~(blank & (name != "time")), name, table[name], "a number")
    position = np.stack([numbers[name] for name in axes], axis=1)
    _refuse(blank & np.isfinite(position).any(axis=1), "species", table.species, "that of a molecule with a position")
    step = np.rint(numbers["time"] / layout.dt).astype(np.int64)
    wrong = (abs(numbers["time"] / layout.dt - step) > NEAR) | (step < 0) | (step > layout.steps)
    _refuse(wrong, "time", numbers["time"], f"one of 0, {layout.dt:g}, ... {layout.steps * layout.dt:g}")
    position[blank] = layout.lower
    cell = (position - layout.lower) / layout.spacing
    for axis, name in enumerate(axes):
        wrong, low = (cell[:, axis] < 0) | (cell[:, axis] > shape[axis]), layout.lower[axis]
        _refuse(wrong, name, position[:, axis], f"{low:g} to {low + shape[axis] * layout.spacing:g}, the box")
    cell = np.minimum(cell.astype(np.int64), shape - 1)  # a molecule at the far wall is in the last site
    return step, state.astype(np.uint8), np.ravel_multi_index(tuple(cell.T), layout.lattice.shape)


def _binned(table: pd.DataFrame, layout: Layout) -> Molecules:
    """Molecules of a table, which must have all runs and times and no others."""
    (step, state, site), times = _columns(table, layout), layout.steps + 1
    condition, conditions = pd.factorize(table.initial_condition, sort=True)
    if len(conditions) != layout.conditions:
        raise ValueError(f"initial conditions: {mismatch(len(conditions), str(layout.conditions))}")
    label, labels = pd.factorize(table.run, sort=True)
    keys, run = np.unique(condition * len(labels) + label, return_inverse=True)
    number = np.bincount(keys // len(labels))
    if (wrong := number != layout.runs).any():
        first, some = int(wrong.argmax()), f"{wrong.sum()} of {len(wrong)} initial conditions are wrong"
        what = f"{number[first]} of initial condition {conditions[first]} ({some})"
        raise ValueError(f"runs: {mismatch(what, f'{layout.runs} of each')}")
    frame, there = run * times + step, state > 0
    seen = np.bincount(frame, minlength=len(keys) * times).reshape(len(keys), times) > 0
    if (wrong := ~seen.all(axis=1)).any():
        first = int(wrong.argmax())
        where = f"run {labels[keys[first] % len(labels)]} of initial condition {conditions[first // layout.runs]}"
        what = (
            f"{wrong.sum()} of {len(wrong)} runs without some (the first is {where}, without {(~seen[first]).sum()}: "
        )
        expected = "each, with a row without species where nothing is left"
        raise ValueError(f"times: {mismatch(f'{what}{layout.dt * seen[first].argmin():g})', expected)}")
    others = np.bincount(frame[there], minlength=seen.size)[frame] > 0
    _refuse(~there & others, "species", table.species, "that of a molecule, as there are others at this time")
    return Molecules(frame[there], site[there], state[there])


@njit(cache=True, nogil=True)
def _place(frame, site, state, neighbours, occupancy):
    """Fill empty lattices (frame, site); return how many molecules no lattice has room for."""
    sites = len(neighbours)
    waiting, queue, seen = np.empty(len(site), np.int64), np.empty(sites, np.int64), np.full(sites, -1)
    number = left = 0
    for k in range(len(site)):
        if occupancy[frame[k], site[k]] == 0:
            occupancy[frame[k], site[k]] = state[k]
        else:
            waiting[number] = k
            number += 1
    for k in waiting[:number]:
        queue[0], seen[site[k]], lattice = site[k], k, occupancy[frame[k]]
        first, last, place = 0, 1, -1
        while first < last and place < 0:
            for other in neighbours[queue[first]]:
                if other >= 0 and seen[other] != k:
                    queue[last], seen[other] = other, k
                    last += 1
                    if place < 0 and lattice[other] == 0:
                        place = other
            first += 1
        if place >= 0:
            lattice[place] = state[k]
        left += place < 0
    return left
