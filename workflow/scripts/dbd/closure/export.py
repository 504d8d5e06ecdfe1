"""Files for other programs, by format."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from dbd.closure.export_julia import export_julia
from dbd.closure.export_python import export_python
from dbd.closure.export_sbml import export_sbml
from dbd.closure.model import Closure
from dbd.messages import mismatch, one_of


class Format(NamedTuple):
    """How a format is written."""

    suffix: str  # of its file
    write: Callable[[Closure, np.ndarray, int], str]


FORMATS: Mapping[str, Format] = {
    "python": Format(".py", export_python),
    "sbml": Format(".xml", export_sbml),
    "julia": Format(".jl", export_julia),
}


def export(closure: Closure, form: str, counts: Mapping[str, float] | None = None) -> str:
    """Text of a file that runs without this project.

    Parameters
    ----------
    closure
        The learned model.
    form
        One of `FORMATS`. All hold the differential equations with start values. Moments at fixed composition need
        lattices and are not exported, only numbers of molecules, which are densities times sites; all mean counts of
        the exactly solvable chain are part of the Python file.
    counts
        Numbers of molecules at the start; by default the file starts as the first training initial condition.

    Raises
    ------
    ValueError
        For another format, or counts that the model cannot have.
    StoreError
        For SBML without the package ``antimony``.
    """
    if form not in FORMATS:
        raise ValueError(f"format: {mismatch(form, one_of(FORMATS))}")
    start = closure.learned[0, 0] if counts is None else closure.start(counts)
    return FORMATS[form].write(closure, start, closure.learned.shape[1] - 1)


def step_error(closure: Closure, counts: Mapping[str, float] | None = None) -> float:
    """How much steps half as long change the trajectory of `export`, relative to the range of all its parameters.

    The Python and Julia files take the fixed steps that the model was learned with; other integrators agree to this.
    """
    start = closure.learned[:1, 0] if counts is None else closure.start(counts)[None]
    halved = replace(closure.dynamics, substeps=2 * closure.dynamics.substeps)
    steps = closure.learned.shape[1] - 1
    coarse, fine = (one.integrate(closure.coefficients, start, steps) for one in (closure.dynamics, halved))
    return float(np.abs(coarse - fine).max() / np.ptp(fine, axis=1).max())
