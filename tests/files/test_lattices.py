"""Simulated lattices, packed in a file, come back as plain xarray."""

import numpy as np
import pytest
import xarray as xr

from dbd.files.lattices import open_lattices
from dbd.files.netcdf import StoreError, provenance, time_axis, variable, write
from dbd.lattice.packing import pack


def test_lattices_are_unpacked_with_their_axes_and_names(tmp_path):
    occupancy = np.random.default_rng(0).integers(0, 3, (2, 3, 7, 20)).astype(np.uint8)
    dims, states = "initial_condition run byte site", {"states": 3, "species": "A B"}
    numbers = {
        "initial_numbers": variable("initial_condition initial_quantity", np.ones((2, 2)), "start"),
        "turns": variable("initial_condition run", np.ones((2, 3), int), "hop attempts"),
        "events": variable("initial_condition run interval reaction", np.ones((2, 3, 6, 1), int), "events"),
    }
    packed = {"packed": variable(dims, pack(occupancy, 3), "states", **states)}
    coords = {"initial_condition": [5, 6], **time_axis(np.arange(7), 0.5)}
    path = tmp_path / "part.nc"
    write(xr.Dataset(packed | numbers, coords), path, provenance({"lattice": {"shape": [4, 5]}}))
    found = open_lattices(path)
    assert found.occupancy.dims == ("initial_condition", "run", "time", "x", "y")
    assert (found.occupancy.values == occupancy.reshape(2, 3, 7, 4, 5)).all()
    assert (found.occupancy.sel(initial_condition=6, time=1.5) == 2).sum() == (occupancy[1, :, 3] == 2).sum()
    assert found.occupancy.attrs["flag_meanings"].split() == ["empty", "A", "B"]
    settings = provenance({"lattice": {"shape": [4, 5]}})
    write(xr.Dataset(packed | {"initial_numbers": numbers["initial_numbers"]}, coords), path, settings)
    assert open_lattices(path).occupancy.equals(found.occupancy)  # as of a source, which counts no hop attempts
    write(xr.Dataset(numbers, coords), path, settings)
    with pytest.raises(StoreError, match="got no lattices"):
        open_lattices(path)
    with pytest.raises(StoreError, match="no such file"):
        open_lattices(tmp_path / "nothing.nc")
