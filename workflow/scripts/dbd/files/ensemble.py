"""The file of an ensemble's part: its lattices, whoever has simulated them."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from dbd.files.netcdf import time_axis, variable
from dbd.lattice.packing import times_per_byte


def ensemble_dataset(
    packed: np.ndarray,
    species: Sequence[str],
    initial_numbers: np.ndarray,
    names: Sequence[str],
    rates: np.ndarray,
    events: np.ndarray,
    reactions: Sequence[str],
    conditions: range,
    runs: range,
    dt: float,
) -> xr.Dataset:
    """Return the dataset of a part.

    Parameters
    ----------
    packed
        Lattices as `dbd.lattice.packing.pack` makes them, uint8 (initial condition, run, byte, site).
    species
        Names of the states of a site, without empty.
    initial_numbers, names
        What defines each initial condition, (initial condition, number), and what these numbers are.
    rates
        Rates and probabilities of each initial condition, (initial condition, reaction).
    events, reactions
        Events in every time step, int32 (initial condition, run, interval, reaction), and the equations.
    conditions, runs
        Initial conditions and runs of the part.
    dt
        Length of a time step.
    """
    states = len(species) + 1
    meaning = f"states of a site, 0 empty, 1, 2, ... species, at {times_per_byte(states)} consecutive times: "
    meaning += f"digits in base {states}, the lowest first"
    dims = "initial_condition run byte site"
    chunks = {"chunksizes": (1, 1, *packed.shape[2:])}
    started = "interaction parameters or numbers of molecules at the start"
    return xr.Dataset(
        {
            "packed": (*variable(dims, packed, meaning, states=states, species=" ".join(species)), chunks),
            "initial_numbers": variable("initial_condition initial_quantity", initial_numbers, started),
            "rates": variable("initial_condition reaction", rates, "rates and probabilities of reactions"),
            "events": variable("initial_condition run interval reaction", events, "events in every time step"),
        },
        {
            "initial_condition": list(conditions),
            "run": list(runs),
            "initial_quantity": list(names),
            "reaction": list(reactions),
            **time_axis(np.arange(events.shape[2] + 1), dt),
        },
    )
