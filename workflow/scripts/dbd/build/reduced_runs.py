"""From the sections of a study and the counts of its runs to reduced runs."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from dbd.boltzmann.energy import EnergyModel
from dbd.build.model import build_family, build_grid, domain_axes
from dbd.build.system import build_network
from dbd.learning.reduced_runs import Learned, ReducedRuns
from dbd.numerics.hermite import HermiteGrid


def check_reduced_runs(settings: Mapping[str, Any], energy: EnergyModel) -> None:
    """Raise ValueError if a model cannot be one of reduced runs."""
    ReducedRuns(HermiteGrid((0.0,), (1.0,), (2,)), energy, build_network(settings), (0,), settings["ensemble"]["dt"])


def build_reduced_runs(
    settings: Mapping[str, Any], section: Mapping[str, Any], learned: xr.Dataset
) -> tuple[ReducedRuns, Learned]:
    """Reduced runs of a model and what was learned of them."""
    family = build_family(settings, section)
    grid = build_grid({name: learned[name].values for name in ("lower", "upper", "spacing")})
    axes, dt = domain_axes(section, family), settings["ensemble"]["dt"]
    reduced = ReducedRuns(grid, family.model, build_network(settings), axes, dt)
    return reduced, Learned(*(learned[name].values for name in Learned._fields))


def merge_runs(parts: Iterable[xr.Dataset], last_step: int) -> xr.Dataset:
    """Counts and events of all runs up to a step, in the order of initial conditions and runs, whatever the parts are.

    Dimensions are case, time, observable and case, interval, reaction.
    """
    rows = {}
    for part in parts:
        some = part.isel(time=slice(last_step + 1), interval=slice(last_step))
        counts = some["counts"].transpose("initial_condition", "run", "time", "observable").values
        for index in np.ndindex(counts.shape[:2]):
            key = int(some.initial_condition[index[0]]), int(some.run[index[1]])
            rows[key] = counts[index], some["events"].values[index]
    counts, events = (np.stack(arrays) for arrays in zip(*(rows[key] for key in sorted(rows)), strict=True))
    return xr.Dataset(
        {"counts": (("case", "time", "observable"), counts), "events": (("case", "interval", "reaction"), events)},
        {"observable": some["observable"]},
    )
