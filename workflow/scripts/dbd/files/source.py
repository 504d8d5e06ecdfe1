"""Runs that somebody else has simulated, from one file for each split, checked and put on the sites of a lattice.

A table (``.csv``, ``.csv.gz`` or ``.parquet``) has a row for each molecule at each time, with the columns
``initial_condition``, ``run`` (labels of any kind), ``time``, ``species`` and ``x``, ``y``, ``z``, as many as the
lattice has axes; others are not read. A time at which nothing is left in a run is a row without species and position.

A netCDF file (``.nc``) has the variable ``occupancy (initial_condition, run, time, x, y, z)``, whole numbers: 0 for an
empty site, 1, 2, ... for the species of its attribute ``species``; and the coordinate ``time``.

Whatever is wrong with a file is a StoreError in one line, which says how many rows or runs are wrong, and the first.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numba import njit

from dbd.files.netcdf import StoreError
from dbd.files.outside import outside
from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch, one_of

KEYS = ("initial_condition", "run", "time", "species")
SUFFIXES = (".csv", ".csv.gz", ".parquet", ".nc")
HEAD = 1000  # rows that are looked at when a study is read
NEAR = 1e-3  # of a time step that a time may be beside it: programs print few digits


class Layout(NamedTuple):
    """What the runs of a split have to be."""

    species: tuple[str, ...]
    lattice: Lattice
    lower: tuple[float, ...]  # corner of the box
    spacing: float  # length of a site
    shared: float  # largest share of molecules whose site another one has taken
    conditions: int  # initial conditions
    runs: int  # of each
    steps: int
    dt: float

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
        condition, kinds = run[step == 0] // layout.runs, len(layout.species)
        place = condition * kinds + self.state[step == 0] - 1
        return np.bincount(place, minlength=layout.conditions * kinds).reshape(-1, kinds) / layout.runs

    def occupancy(self, layout: Layout, condition: int, runs: range) -> np.ndarray:
        """Lattices of some runs, uint8 (run, time, site); StoreError where a molecule has no free site.

        Of several molecules in a site the first stays, and each other one moves to the first free neighbour.
        """
        first, times = (condition * layout.runs + runs.start) * (layout.steps + 1), layout.steps + 1
        some = slice(*np.searchsorted(self.frame, (first, first + len(runs) * times)))
        found = np.zeros((len(runs) * times, layout.lattice.size), np.uint8)
        table = layout.lattice.neighbours
        if left := _place(self.frame[some] - first, self.site[some], self.state[some], table, found):
            expected = "one beside every molecule whose site is taken; a finer lattice"
            raise StoreError(f"free sites: {mismatch(f'none for {left} molecules', expected)}")
        return found.reshape(len(runs), times, -1)


def read_source(path: str | Path, layout: Layout) -> Molecules:
    """Read and check a whole file."""
    path = Path(path)
    with _Complaints(path):
        found = (_occupied if path.suffix == ".nc" else _binned)(path, layout)
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
    """Check what is cheap: that there is a file of a known kind, its names, and the first rows of a table.

    Tables in Parquet are left to the job that reads them where the package for it is missing.
    """
    path = Path(path)
    with _Complaints(path):
        if not path.name.endswith(SUFFIXES):
            raise ValueError(mismatch(path.suffix or "no suffix", one_of(SUFFIXES)))
        if not path.is_file():
            raise ValueError("no such file")
        if path.suffix == ".nc":
            with _opened(path) as dataset:
                _check_variable(dataset, layout)
        else:
            _columns(_table(path, layout, HEAD), layout)


class _Complaints:
    """Turns what goes wrong in its block into one line with the name of the file."""

    def __init__(self, path: Path):
        self.path = path

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, ValueError | OSError | RuntimeError) and not isinstance(error, StoreError):
            reason = " ".join(str(getattr(error, "strerror", None) or error).split())
            raise StoreError(f"{self.path}: {reason}") from None


def _refuse(wrong: np.ndarray, what: str, values: Any, expected: str) -> None:
    """Raise ValueError if anything in `wrong` (rows,) is true, with the first of the values."""
    if wrong.any():
        first, some = int(wrong.argmax()), f"{wrong.sum()} of {len(wrong)} rows"
        raise ValueError(f"{what}: {mismatch(f'{np.asarray(values)[first]} in row {first + 1} ({some})', expected)}")


def _table(path: Path, layout: Layout, rows: int | None = None) -> pd.DataFrame:
    """The columns that count, all rows or the first."""
    names = [*KEYS, *layout.axes]
    parquet = outside("pyarrow.parquet") if path.suffix == ".parquet" else None
    has = parquet.read_schema(path).names if parquet else pd.read_csv(path, nrows=0).columns
    if missing := [name for name in names if name not in has]:
        raise ValueError(f"columns: {mismatch(', '.join(map(str, has)), f'{missing[0]} too')}")
    if parquet is None:
        text = {"species": str}
        return pd.read_csv(path, usecols=names, nrows=rows, dtype=text, low_memory=False, skip_blank_lines=False)
    batches = parquet.ParquetFile(path).iter_batches(rows or 2**20, columns=names)
    some = [next(batches, None)] if rows else batches
    parts = [{name: batch[name].to_numpy(zero_copy_only=False) for name in names} for batch in some if batch]
    return pd.concat(map(pd.DataFrame, parts), ignore_index=True) if parts else pd.DataFrame(columns=names)


def _columns(table: pd.DataFrame, layout: Layout) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Step (rows,), state (rows,) with 0 for nothing left, and site (rows,) of every row, each checked by itself."""
    if table.empty:
        raise ValueError("rows: got none, expected one for each molecule and time")
    axes, shape = layout.axes, layout.lattice.shape
    state = pd.Categorical(table.species, layout.species).codes + 1
    blank = table.species.isna().to_numpy()
    _refuse((state == 0) & ~blank, "species", table.species, one_of(layout.species))
    for name in ("initial_condition", "run"):
        _refuse(table[name].isna().to_numpy(), name, table[name], "a label")
    numbers = {name: pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in ("time", *axes)}
    for name, values in numbers.items():
        _refuse(~np.isfinite(values) & ~(blank & (name != "time")), name, table[name], "a number")
    position = np.stack([numbers[name] for name in axes], axis=1)
    _refuse(blank & np.isfinite(position).any(axis=1), "species", table.species, "that of the molecule at this position")
    step = np.rint(numbers["time"] / layout.dt).astype(np.int64)
    beside = abs(numbers["time"] / layout.dt - step) > NEAR
    last = f"{layout.dt:g}, ... {layout.steps * layout.dt:g}"
    _refuse(beside | (step < 0) | (step > layout.steps), "time", numbers["time"], f"one of 0, {last}")
    for axis, name in enumerate(axes):
        low, high = layout.lower[axis], layout.lower[axis] + shape[axis] * layout.spacing
        values = np.where(blank, low, numbers[name])
        _refuse((values < low) | (values > high), name, values, f"{low:g} to {high:g}, the box")
    cell = np.floor((np.where(blank[:, None], layout.lower, position) - layout.lower) / layout.spacing)
    cell = np.clip(cell.astype(np.int64), 0, np.array(shape) - 1)  # a molecule at the far wall is in the last site
    return step, state.astype(np.uint8), np.ravel_multi_index(tuple(cell.T), shape)


def _binned(path: Path, layout: Layout) -> Molecules:
    """Molecules of a table."""
    table = _table(path, layout)
    step, state, site = _columns(table, layout)
    condition, conditions = pd.factorize(table.initial_condition, sort=True)
    if len(conditions) != layout.conditions:
        raise ValueError(f"initial conditions: {mismatch(len(conditions), str(layout.conditions))}")
    label, labels = pd.factorize(table.run, sort=True)
    keys, run = np.unique(condition * len(labels) + label, return_inverse=True)
    number = np.bincount(keys // len(labels), minlength=layout.conditions)
    if (wrong := number != layout.runs).any():
        which = ", ".join(f"{number[k]} of initial condition {conditions[k]}" for k in np.flatnonzero(wrong)[:3])
        which += f" and so on, {wrong.sum()} in all" * (wrong.sum() > 3)
        raise ValueError(f"runs: {mismatch(which, f'{layout.runs} of each')}")
    frame = run * (layout.steps + 1) + step
    seen = np.bincount(frame, minlength=len(keys) * (layout.steps + 1)).reshape(len(keys), -1) > 0
    if (wrong := ~seen.all(axis=1)).any():
        first = int(wrong.argmax())
        place, which = divmod(int(keys[first]), len(labels))
        where = f"run {labels[which]} of initial condition {conditions[place]}"
        what = f"{wrong.sum()} of {len(wrong)} runs without some (the first is {where}, without "
        what += f"{(~seen[first]).sum()}: {layout.dt * seen[first].argmin():g})"
        expected = "each, with a row without species where nothing is left"
        raise ValueError(f"times: {mismatch(what, expected)}")
    there = state > 0
    return Molecules(frame[there], site[there], state[there])


def _opened(path: Path) -> xr.Dataset:
    try:
        return xr.open_dataset(path, engine="netcdf4", mask_and_scale=False, decode_times=False)
    except (OSError, ValueError, RuntimeError):
        raise ValueError("not a netCDF file") from None


def _check_variable(dataset: xr.Dataset, layout: Layout) -> None:
    """Raise ValueError unless names, sizes, species and times of occupancies are as they should be."""
    if "occupancy" not in dataset:
        raise ValueError(f"variables: {mismatch(', '.join(map(str, dataset)) or 'none', 'occupancy')}")
    occupancy, sizes = dataset.occupancy, (layout.conditions, layout.runs, layout.steps + 1, *layout.lattice.shape)
    expected = dict(zip((*KEYS[:3], *layout.axes), sizes, strict=True))
    if dict(occupancy.sizes) != expected or occupancy.dims != tuple(expected):
        raise ValueError(f"dimensions of occupancy: {mismatch(*(_listed(s) for s in (occupancy.sizes, expected)))}")
    species = " ".join(layout.species)
    if occupancy.attrs.get("species") != species:
        raise ValueError(f"attribute species of occupancy: {mismatch(occupancy.attrs.get('species'), species)}")
    if not np.issubdtype(occupancy.dtype, np.integer):
        raise ValueError(f"type of occupancy: {mismatch(occupancy.dtype, 'whole numbers')}")
    wanted = layout.dt * np.arange(layout.steps + 1)
    times = dataset.time.values if "time" in dataset.coords else np.full(len(wanted), np.nan)
    if (wrong := ~(abs(times - wanted) <= NEAR * layout.dt)).any():
        first = int(wrong.argmax())
        raise ValueError(f"times: {mismatch(f'{times[first]} ({wrong.sum()} of {len(wrong)})', f'{wanted[first]:g}')}")


def _listed(sizes: Any) -> str:
    return ", ".join(f"{name} {size}" for name, size in sizes.items())


def _occupied(path: Path, layout: Layout) -> Molecules:
    """Molecules of a file of occupancies."""
    with _opened(path) as dataset:
        _check_variable(dataset, layout)
        values = dataset.occupancy.values.reshape(-1, layout.lattice.size)
    wrong = (values < 0) | (values > len(layout.species))
    if wrong.any():
        what = f"{values.flat[wrong.argmax()]} ({wrong.sum()} of {wrong.size} sites)"
        raise ValueError(f"occupancy: {mismatch(what, f'0 to {len(layout.species)}')}")
    frame, site = np.nonzero(values)
    return Molecules(frame, site, values[frame, site].astype(np.uint8))


@njit(cache=True, nogil=True)
def _place(frame, site, state, neighbours, occupancy):
    """Fill empty lattices (frame, site); return how many molecules have found no free site."""
    waiting = np.empty(len(site), np.int64)
    number = left = 0
    for k in range(len(site)):
        if occupancy[frame[k], site[k]] == 0:
            occupancy[frame[k], site[k]] = state[k]
        else:
            waiting[number] = k
            number += 1
    for k in waiting[:number]:
        lattice, placed = occupancy[frame[k]], False
        for other in neighbours[site[k]]:
            if not placed and other >= 0 and lattice[other] == 0:
                lattice[other] = state[k]
                placed = True
        left += not placed
    return left
