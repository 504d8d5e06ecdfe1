"""Files are written whole or not at all, the same computation gives the same bytes, and damage is noticed."""

import errno
import json
import os
import platform
import socket
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from dbd.files import netcdf as store
from dbd.files.netcdf import StoreError, content_hash, file_hash, provenance, read, read_models, replacing, write

SETTINGS = {"seed": 7, "lattice": {"shape": [5], "boundary": "open"}}


@pytest.fixture
def dataset():
    generator = np.random.default_rng(0)
    return xr.Dataset(
        {
            "occupancy": (("run", "site"), generator.integers(0, 3, (4, 500)).astype(np.uint8), {"units": "1"}),
            "theta": (("run", "parameter"), generator.normal(size=(4, 3)), {"units": "1", "long_name": "parameters"}),
            "runs": ((), 4),
        },
        coords={"parameter": ["A", "AA", "AX"], "step": ("run", np.arange(4))},
    )


def test_round_trip(tmp_path, dataset):
    path = tmp_path / "new" / "folder" / "a.nc"
    write(dataset, path, provenance(SETTINGS))
    found = read(path)
    xr.testing.assert_identical(found.drop_attrs(deep=False), dataset)
    assert {name: variable.dtype for name, variable in found.data_vars.items()} == {
        name: variable.dtype for name, variable in dataset.data_vars.items()
    }
    assert list(path.parent.iterdir()) == [path]
    assert "crc32" not in str(dataset.variables), "writing must not change what it writes"


def test_some_variables(tmp_path, dataset):
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    assert set(read(tmp_path / "a.nc", "theta")) == {"theta"}
    with pytest.raises(StoreError, match=r"a\.nc: no variable u; it holds occupancy, theta, runs$"):
        read(tmp_path / "a.nc", "u")


def test_equal_bytes(tmp_path, dataset):
    paths = [tmp_path / "a.nc", tmp_path / "b.nc"]
    for path in paths:
        write(dataset, path, provenance(SETTINGS))
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_no_names_of_machine_or_place_inside(tmp_path, dataset):
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    content = (tmp_path / "a.nc").read_bytes()
    for name in (socket.gethostname(), platform.node(), str(tmp_path), str(Path.home())):
        if len(name) > 3:
            assert name.encode() not in content


def test_provenance_is_complete(tmp_path, dataset):
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    attributes = read(tmp_path / "a.nc").attrs
    assert json.loads(attributes["configuration"]) == SETTINGS
    assert attributes["seed"] == "7"
    assert attributes["bit_generator"] == "PCG64DXSM"
    assert json.loads(attributes["versions"])["numpy"] == np.__version__
    assert attributes["commit"]
    assert json.loads(attributes["input_sha256"]) == {}
    assert all(isinstance(value, str) for value in attributes.values())


def test_provenance_inherits_the_configuration_of_its_inputs(tmp_path, dataset):
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    attributes = provenance({"lattice": {"shape": [5]}, "models": {"visible": 1}}, [tmp_path / "a.nc"])
    assert json.loads(attributes["configuration"]) == SETTINGS | {"models": {"visible": 1}}
    assert attributes["seed"] == "7"
    assert json.loads(attributes["input_sha256"]) == {"a.nc": file_hash(tmp_path / "a.nc")}


def test_given_hashes_stand_for_the_inputs(tmp_path, dataset):
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    attributes = provenance({}, [tmp_path / "a.nc"], {"counts": "abc"})
    assert json.loads(attributes["input_sha256"]) == {"counts": "abc"}
    assert attributes["seed"] == "7"


def test_content_hash_sees_numbers_and_names_only(dataset):
    assert content_hash(dataset) == content_hash(dataset.assign_attrs(note="x")[sorted(dataset)])
    assert content_hash(dataset) != content_hash(dataset.assign(runs=5))
    assert content_hash(dataset) != content_hash(dataset.rename(theta="eta"))


def test_failing_write_leaves_the_old_file(tmp_path, dataset, monkeypatch):
    path = tmp_path / "a.nc"
    write(dataset, path, provenance(SETTINGS))
    before = path.read_bytes()

    def fill_disk(self, target, **_):
        Path(target).write_bytes(b"half of a file")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(xr.Dataset, "to_netcdf", fill_disk)
    with pytest.raises(StoreError, match=r"a\.nc: cannot be written \(No space left on device\)$"):
        write(dataset, path, provenance(SETTINGS))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as partial:
        partial.write_text("new")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_folder(tmp_path, dataset):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StoreError, match=r"file/a\.nc: cannot be written \(File exists\)$"):
        write(dataset, tmp_path / "file" / "a.nc", provenance(SETTINGS))


def test_missing_file(tmp_path):
    with pytest.raises(StoreError, match=r"a\.nc: no such file$"):
        read(tmp_path / "a.nc")


@pytest.mark.parametrize("kept", [0, 0.01, 0.3, 0.7, 0.999])
def test_truncated_file(tmp_path, dataset, kept):
    path = tmp_path / "a.nc"
    write(dataset, path, provenance(SETTINGS))
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(StoreError, match=r"a\.nc: truncated or corrupt netCDF file \([^\n]*\); delete it and"):
        read(path)


def damaged(content, place):
    """The bytes with one of them turned over."""
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


def test_damaged_file(tmp_path, dataset):
    """A damaged byte is noticed, or it is one that no value depends on."""
    path = tmp_path / "a.nc"
    write(dataset, path, provenance(SETTINGS))
    content, good = path.read_bytes(), read(path)
    noticed = 0
    for place in np.random.default_rng(1).choice(len(content), 150, replace=False):
        path.write_bytes(damaged(content, place))
        try:
            xr.testing.assert_equal(read(path), good)
        except StoreError as error:
            assert "\n" not in str(error)
            noticed += 1
    assert noticed > 5


def test_damaged_number_is_noticed_by_its_checksum_alone(tmp_path, dataset):
    """Scalars are not compressed, so nothing else guards them."""
    path = tmp_path / "a.nc"
    write(dataset.assign(runs=0x5A5A5A5A5A5A5A5A), path, provenance(SETTINGS))
    content = path.read_bytes()
    assert content.count(b"\x5a" * 8) == 1
    path.write_bytes(damaged(content, content.index(b"\x5a" * 8)))
    with pytest.raises(StoreError, match="wrong checksum of runs"):
        read(path)


def test_file_of_another_program(tmp_path):
    path = tmp_path / "a.nc"
    path.write_text("title: not netCDF\n")
    with pytest.raises(StoreError, match="truncated or corrupt"):
        read(path)


def test_models_by_name(tmp_path, dataset):
    paths = [tmp_path / "models" / name / "dynamics.nc" for name in ("visible", "hidden")]
    for path in paths:
        write(dataset, path, provenance(SETTINGS))
    assert list(read_models(paths)) == ["visible", "hidden"]


def test_commit_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "__file__", str(tmp_path / "store.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert store._commit() == "unknown"


def test_leftovers_of_killed_jobs_are_removed(tmp_path, dataset):
    """But not what a job that is still alive is writing, to the same place or to another."""
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = f".partial.{socket.gethostname()}"
    kept = {f"{here}.{os.getppid()}.a.nc", f"{here}.{ended.pid}.b.nc", f".partial.elsewhere.{ended.pid}.a.nc"}
    for name in (f"{here}.{ended.pid}.a.nc", *kept):
        (tmp_path / name).write_bytes(b"half")
    write(dataset, tmp_path / "a.nc", provenance(SETTINGS))
    assert {path.name for path in tmp_path.iterdir()} == {"a.nc", *kept}
