"""Simulated lattices as plain xarray."""

import json
from pathlib import Path

import xarray as xr

from dbd.files.netcdf import StoreError, read, variable
from dbd.lattice.packing import unpack
from dbd.messages import mismatch

AXES = ("x", "y", "z")


def open_lattices(path: str | Path) -> xr.Dataset:
    """Read the lattices of one file ``<split>/ensemble/<part>.nc``, unpacked.

    Returns
    -------
    ``occupancy``, uint8, (initial_condition, run, time, and an axis of the lattice each: x, y, z): 0 for an empty site,
    1, 2, ... for the species, which its attribute ``flag_meanings`` names; with the coordinates ``time`` and ``step``
    and all else that the file holds. It takes a byte for every site at every time: `path` is one part of an ensemble.

    Raises
    ------
    StoreError
        If the file is missing or damaged, or holds no lattices.
    """
    part = read(path)
    if "packed" not in part:
        raise StoreError(f"{path}: {mismatch('no lattices', 'a part of an ensemble')}")
    packed, shape = part.packed, json.loads(part.attrs["configuration"])["lattice"]["shape"]
    states = int(packed.attrs["states"])
    occupancy = unpack(packed.values, states, part.sizes["time"])
    occupancy = occupancy.reshape(*occupancy.shape[:-1], *shape)
    meanings = {"flag_values": list(range(states)), "flag_meanings": f"empty {packed.attrs['species']}"}
    dims = " ".join(("initial_condition run time", *AXES[: len(shape)]))
    return part.drop_vars("packed").assign(occupancy=variable(dims, occupancy, "state of a site", **meanings))
