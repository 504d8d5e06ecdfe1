"""Folders of learned models as a study leaves them, without learning: smooth functions of any kind on their grids."""

import numpy as np
import xarray as xr

from conftest import ROOT
from dbd.build.model import build_dynamics, build_family
from dbd.closure.starts import from_counts, from_parameters
from dbd.files.netcdf import provenance, variable, write
from dbd.study.reading import load_study

# Study, model, numbers of molecules or parameters at the start, the grid where the data would say where it is, and what
# of the study is changed.
MODELS = {
    "visible": ("annihilation", "visible", {"A": 300}, None),
    "hidden": ("annihilation", "hidden", {"A": -1.5, "AX": 1.0, "X": -2.0}, None),
    "pairs": (
        "epidemic",
        "pairs",
        {"A": 25, "S": 170, "R": 20},
        {"lower": [-0.01, 0.0, -0.5, -1.0], "upper": [0.3, 0.5, 1.0, 0.5], "spacing": [0.1, 0.25, 0.5, 0.5]},
    ),
    "driven": (
        "smoldyn_annihilation",
        "pairs",
        {"A": 200},
        {"lower": [0.0, -0.5], "upper": [0.3, 0.5], "spacing": [0.1, 0.5]},
        {"reactions": None, "ensemble": {"dt": 0.05}},
    ),
}
STEPS = 12


def settings_of(study, **changes):
    """Sections of a study of the project."""
    return load_study(ROOT / "config" / "studies" / f"{study}.yaml", changes).model_dump(mode="json") | {"seed": 7}


def write_model(results, which, size=0.1):
    """Write a model's files below a folder ``results`` and return its own; `size` is that of the learned functions."""
    study, name, start, grid, *changes = MODELS[which]
    settings = settings_of(study, **dict(*changes))
    section = settings["models"][name]
    family = build_family(settings, section)
    grid = grid or {key: section["domain"][key] for key in ("lower", "upper", "spacing")}
    dynamics = build_dynamics(settings, section, family, grid)
    functions = len(getattr(dynamics, "functions", family.names))
    splines = dynamics.grid.splines()
    u = np.stack([splines @ row for row in np.random.default_rng(5).normal(size=(functions, splines.shape[1]))]) * size
    initial = from_parameters(family, start) if section["layers"] else from_counts(family, {}, start)
    theta = dynamics.integrate(u, initial[None], STEPS)
    folder = results / study / "models" / name
    kept = {key: settings[key] for key in ("species", "reactions", "lattice", "ensemble", "observables", "seed")}
    learned = xr.Dataset(
        {
            "u": variable("function coefficient", u, "coefficients"),
            **{key: variable("axis", np.asarray(grid[key], float), "grid") for key in ("lower", "upper", "spacing")},
            "theta": variable("initial_condition time parameter", theta, "learned trajectories"),
        }
    )
    known = {key: value for key, value in section.items() if key != "sampling"}
    write(learned, folder / "dynamics.nc", provenance(kept | {"models": {name: known}}))
    sampling = {"models": {name: {"sampling": section["sampling"]}}}
    write(learned[["theta"]], folder / "test.nc", provenance(sampling, [folder / "dynamics.nc"]))
    return folder
