"""Runs from files: put on the lattice as an obvious loop does it, and whatever is wrong told in one line."""

import re
import sys

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from dbd.build.source import Layout, check_source, read_source
from dbd.files.netcdf import StoreError
from dbd.files.outside import FOLDER, outside
from dbd.lattice.geometry import Lattice

SHAPE, RUNS, STEPS, DT = (4, 3), 3, 2, 0.5
LAYOUT = Layout(("A", "B"), Lattice(SHAPE, "periodic"), np.array([-2.0, 0.0]), 0.25, 0.0, 2, RUNS, STEPS, DT)
TIMES = STEPS + 1
needs_packages = pytest.mark.skipif(not (FOLDER / "installed").exists(), reason="make .venv/outside/installed")


def occupancies(seed=1):
    """Random lattices (initial condition, run, time, x, y); the last run ends empty."""
    found = np.random.default_rng(seed).choice([0, 1, 2], (2, RUNS, TIMES, *SHAPE), p=[0.6, 0.2, 0.2])
    found[1, 2, 1:] = 0
    return found


def table_of(found):
    """The table of lattices: a molecule is anywhere in its site; labels are somebody's own, rows in disorder."""
    generator, rows = np.random.default_rng(2), []
    for condition, run, step in np.ndindex(found.shape[:3]):
        key = {"initial_condition": f"N{condition}", "run": 10 + run, "time": step * DT}
        sites = np.argwhere(found[condition, run, step])
        for site in sites:
            x, y = LAYOUT.lower + (site + generator.random(2)) * LAYOUT.spacing
            rows.append(key | {"species": "AB"[found[condition, run, step][tuple(site)] - 1], "x": x, "y": y})
        if not len(sites):
            rows.append(key)
    return pd.DataFrame(rows).sample(frac=1, random_state=3)


def dataset_of(found):
    """The netCDF file of lattices."""
    variable = ("initial_condition", "run", "time", "x", "y"), found.astype("u1"), {"species": "A B"}
    return xr.Dataset({"occupancy": variable}, {"time": DT * np.arange(TIMES)})


def lattices(path, layout=LAYOUT):
    """Lattices of a file, as they are read."""
    molecules = read_source(path, layout)
    every = [molecules.occupancy(layout, condition, range(RUNS)) for condition in range(2)]
    return np.array(every).reshape(2, RUNS, TIMES, *SHAPE)


@pytest.mark.parametrize(
    "name", ["table.csv", "table.csv.gz", "sites.nc", pytest.param("table.parquet", marks=needs_packages)]
)
def test_lattices_of_a_file(name, tmp_path):
    """Every molecule in its site, some runs as all, and the mean numbers at the start."""
    path, found = tmp_path / name, occupancies()
    if name.endswith("nc"):
        dataset_of(found).to_netcdf(path)
    elif name.endswith("parquet"):
        table = {key: list(values.replace({np.nan: None})) for key, values in table_of(found).items()}
        outside("pyarrow.parquet").write_table(outside("pyarrow").table(table), path)
    else:
        table_of(found).to_csv(path, index=False)
    check_source(path, LAYOUT)
    np.testing.assert_array_equal(lattices(path), found)
    molecules = read_source(path, LAYOUT)
    part = molecules.occupancy(LAYOUT, 1, range(1, 3))
    np.testing.assert_array_equal(part, found[1, 1:].reshape(2, TIMES, -1))
    expected = [[(found[condition, :, 0] == state).sum() / RUNS for state in (1, 2)] for condition in range(2)]
    np.testing.assert_allclose(molecules.initial_numbers(LAYOUT), expected)


def test_molecules_at_the_walls(tmp_path):
    """The lower wall is in the first site and the upper one in the last; times may be a little beside the step."""
    found = np.zeros((2, RUNS, TIMES, *SHAPE), int)
    found[:, :, :, 0, 0], found[:, :, :, 3, 2] = 1, 2
    table = table_of(found)
    first = table.species == "A"
    table["x"], table["y"] = np.where(first, -2.0, -1.0), np.where(first, 0.0, 0.75)
    table["time"] += 1e-4
    table.to_csv(tmp_path / "table.csv", index=False)
    np.testing.assert_array_equal(lattices(tmp_path / "table.csv"), found)


def crowded(table):
    """A second molecule in the site of the first row, another species, and one beside it."""
    first = table.dropna().iloc[:1]
    return pd.concat([table, first.assign(species="B")])


def test_shared_sites(tmp_path):
    """Allowed, the second molecule goes to a free site beside; numbers are kept, and no other molecule moves."""
    path, found = tmp_path / "table.csv", occupancies()
    table = table_of(found)
    crowded(table).to_csv(path, index=False)
    moved = lattices(path, LAYOUT._replace(shared=0.02))
    (place,) = np.argwhere(moved != found)
    first = table.dropna().iloc[0]
    site = np.floor((first[["x", "y"]].to_numpy(float) - LAYOUT.lower) / LAYOUT.spacing).astype(int)
    neighbours = LAYOUT.lattice.neighbours[np.ravel_multi_index(site, SHAPE)]
    assert moved[tuple(place)] == 2
    assert np.ravel_multi_index(place[3:], SHAPE) in neighbours


def test_a_crowd_in_one_site(tmp_path):
    """Ten molecules in a corner fill the ten sites that are fewest steps away; more than sites are refused."""
    frames = table_of(occupancies())[["initial_condition", "run", "time"]].drop_duplicates()
    one = frames.assign(species="A", x=-2.0, y=0.0)
    pd.concat([one] * 10).to_csv(tmp_path / "table.csv", index=False)
    found = lattices(tmp_path / "table.csv", LAYOUT._replace(shared=1.0))
    away = np.minimum(np.arange(4), 4 - np.arange(4))[:, None] + np.minimum(np.arange(3), 3 - np.arange(3))
    assert ((found == 1).sum(axis=(3, 4)) == 10).all()
    assert (found[..., away < 3] == 1).all()
    pd.concat([one] * 13).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(StoreError, match=r"^molecules: got 9 more than sites in initial condition 0, expected as many"):
        lattices(tmp_path / "table.csv", LAYOUT._replace(shared=1.0))


def put(column, value, rows=3):
    """A change that sets the first rows of a column."""

    def change(table):
        values = table.dropna()[column].astype(object).copy()
        values.iloc[:rows] = value
        return table.dropna().assign(**{column: values})

    return change


def without_run(table):
    return table[(table.initial_condition != "N1") | (table.run != 11)]


def without_time(table):
    return table[(table.initial_condition != "N0") | (table.run != 12) | (table.time != 0.5)]


# A change of the right table, or the whole text; and the line that is reported after the name of the file.
WRONG = {
    "empty": ("", "No columns to parse from file"),
    "no rows": (lambda table: table[:0], "rows: got none, expected one for each molecule and time"),
    "no column": (
        lambda table: table.drop(columns="y"),
        "columns: got initial_condition, run, time, species, x, expec",
    ),
    "another name": (lambda table: table.rename(columns={"run": "replicate"}), "columns: .*, expected run too"),
    "another separator": (lambda table: table.to_csv(index=False, sep=";"), "columns: got initial_condition;run;.*"),
    "cut short": (
        lambda table: table.to_csv(index=False) + "N0,10,0",
        "species: got nan in row .*, expected that of a mo",
    ),
    "not text": (b"\xff\xfe\x00\x89PNG", "'utf-8' codec can't decode byte"),
    "unknown species": (put("species", "X"), r"species: got X in row 1 \(3 of \d+ rows\), expected one of A, B"),
    "no species": (put("species", None, 1), r"species: got nan in row 1 \(1 of .*\), expected that of a molecule wi"),
    "word for a number": (put("x", "far"), r"x: got far in row 1 \(3 of \d+ rows\), expected a number"),
    "no position": (put("y", None, 2), r"y: got nan in row 1 \(2 of \d+ rows\), expected a number"),
    "infinite": (put("x", "inf", 1), r"x: got inf in row 1 \(1 of \d+ rows\), expected a number"),
    "no time": (put("time", None), r"time: got nan in row 1 \(3 of \d+ rows\), expected a number"),
    "no run": (put("run", None), r"run: got nan in row 1 \(3 of \d+ rows\), expected a label"),
    "between times": (
        put("time", 0.3),
        r"time: got 0\.3 in row 1 \(3 of \d+ rows\), expected one of 0, 0\.5, \.\.\. 1",
    ),
    "later": (put("time", 7.5, 1), r"time: got 7\.5 in row 1 \(1 of \d+ rows\), expected one of"),
    "before": (put("time", -0.5, 1), r"time: got -0\.5 in row 1"),
    "outside": (put("x", 1.7, 2), r"x: got 1\.7 in row 1 \(2 of \d+ rows\), expected -2 to -1, the box"),
    "below": (put("y", -0.01, 1), r"y: got -0\.01 in row 1 \(1 of \d+ rows\), expected 0 to 0\.75, the box"),
    "a condition more": (put("initial_condition", "N2"), "initial conditions: got 3, expected 2"),
    "a run less": (
        without_run,
        r"runs: got 2 of initial condition N1 \(1 of 2 initial conditions are wrong\), expected 3",
    ),
    "a run more": (put("run", 99), r"runs: got 4 of initial condition N\d.*, expected 3 of each"),
    "unequal times": (
        without_time,
        r"times: got 1 of 6 runs without some \(the first is run 12 of initial condition N0, ",
    ),
    "shared site": (
        crowded,
        r"sites: got 1 of \d+ molecules \(0\.0\d+\) in a site that another one has taken, expected a",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_tables(name, tmp_path):
    """One line with the name of the file; what shows in the first rows is seen when the study is read, too."""
    change, message = WRONG[name]
    path, table = tmp_path / "table.csv", table_of(occupancies())
    made = change(table) if callable(change) else change
    made = made.to_csv(index=False) if isinstance(made, pd.DataFrame) else made
    path.write_bytes(made if isinstance(made, bytes) else made.encode())
    with pytest.raises(StoreError) as found:
        read_source(path, LAYOUT)
    assert re.match(f"{re.escape(str(path))}: {message}", str(found.value)) and "\n" not in str(found.value)
    later = ("a condition more", "a run less", "a run more", "unequal times", "shared site", "cut short")
    if name in later:
        return
    with pytest.raises(StoreError) as seen:
        check_source(path, LAYOUT)
    assert str(seen.value) == str(found.value)


WRONG_SITES = {
    "another variable": (
        lambda data: data.rename(occupancy="sites"),
        "variables: got sites, time, expected occupancy too",
    ),
    "no times": (lambda data: data.drop_vars("time"), "variables: got occupancy, expected time too"),
    "order": (
        lambda data: data.transpose("run", ...),
        r"occupancy: got \(run, initial_condition, time, x, y\) of shape",
    ),
    "another lattice": (
        lambda data: data.isel(x=slice(3)),
        r"occupancy: got .* \(2, 3, 3, 3, 3\), expected .*4, 3\) sites",
    ),
    "no species": (
        lambda data: data.drop_attrs(),
        r"occupancy: got 2 \(\d+ of 216 sites\), expected 0 to 1, as its spec",
    ),
    "unknown state": (
        lambda data: data.where(data.run != 1, 7),
        r"occupancy: got 7(\.0)? \(72 of 216 sites\), expected 0 to 2",
    ),
    "fractions": (
        lambda data: data.where(data.run != 1, 0.5),
        r"occupancy: got 0\.5 \(72 of 216 sites\), expected 0 to 2",
    ),
    "a run less": (
        lambda data: data.isel(run=slice(2)),
        r"runs: got 2 of initial condition 0 \(2 of 2 .*, expected 3 of",
    ),
    "a time less": (lambda data: data.isel(time=slice(2)), r"times: got 6 of 6 runs without some \(.* without 1: 1\)"),
    "other times": (
        lambda data: data.assign_coords(time=[0, 0.5, 2]),
        r"time: got 2\.0 in row \d+ \(\d+ of \d+ rows\)",
    ),
    "other species": (lambda data: data, r"species: got C in row \d+ \(\d+ of \d+ rows\), expected one of A, B"),
}


@pytest.mark.parametrize("name", WRONG_SITES)
def test_wrong_occupancies(name, tmp_path):
    change, message = WRONG_SITES[name]
    path, right = tmp_path / "sites.nc", dataset_of(occupancies())
    made = change(right)
    if name not in ("no species", "another variable"):
        made["occupancy"].attrs = {"species": "A C"} if name == "other species" else right.occupancy.attrs
    made.to_netcdf(path)
    with pytest.raises(StoreError, match=f"^{re.escape(str(path))}: {message}"):
        read_source(path, LAYOUT)


def test_wrong_files(tmp_path):
    for name, message in (
        ("gone.csv", "no such file"),
        ("table.xlsx", r"got \.xlsx, expected one of \.csv, \.csv\.gz"),
    ):
        with pytest.raises(StoreError, match=f"{name}: {message}"):
            check_source(tmp_path / name, LAYOUT)
    (tmp_path / "sites.nc").write_text("not that")
    with pytest.raises(StoreError, match=r"sites\.nc: not a netCDF file"):
        check_source(tmp_path / "sites.nc", LAYOUT)
    (tmp_path / "table.csv.gz").write_text("not that")
    with pytest.raises(StoreError, match=r"table\.csv\.gz: Not a gzipped file"):
        check_source(tmp_path / "table.csv.gz", LAYOUT)


def test_parquet_without_its_package(tmp_path, monkeypatch):
    """Only the job that reads the file needs it, and says how to get it."""
    path = tmp_path / "table.parquet"
    path.write_text("not that")
    check_source(path, LAYOUT)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pyarrow.parquet", None)
        with pytest.raises(
            StoreError, match=r"the package pyarrow\.parquet is missing; `make \.venv/outside/installed`"
        ):
            read_source(path, LAYOUT)


@needs_packages
def test_wrong_parquet(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("not that")
    with pytest.raises(StoreError, match=r"table\.parquet: Parquet magic bytes not found"):
        read_source(path, LAYOUT)
