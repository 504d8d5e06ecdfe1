"""A learned model as SBML, written by Antimony: its differential equations and start values.

SBML has no tables, so that every cell of the grid is a branch with its polynomials. The file holds the cells that the
training trajectories and the one from the start values run through, which is where the model knows anything; where that
is more than programs can read, in four dimensions with many functions, those of the trajectory from the start values
alone. Elsewhere the polynomials of a cell that is there go on, and the variable ``inside`` is 0 instead of 1. Moments
are not in the file: numbers of molecules are the densities times ``sites``, all else needs lattices.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from dbd.closure.model import Closure
from dbd.closure.system import System
from dbd.files.netcdf import StoreError

MOST = 100_000  # coefficients of polynomials in a file: reading it takes a minute
BETWEEN = 20  # points between two steps at which the cell of a trajectory is looked up
# Powers of x in the four Hermite polynomials of an axis: value and derivative at either vertex.
MONOMIALS = np.array([[1, 0, -3, 2], [0, 1, -2, 1], [0, 0, 3, -2], [0, 0, -1, 1]], float)


def polynomials(system: System, cell: tuple[int, ...]) -> np.ndarray:
    """Coefficients of the functions' polynomials on a cell in powers of x, its own grid units; (Q, 4, ..., 4)."""
    table, d = system.grid.table, system.grid.dimension
    first = int(np.dot(cell, table.stride))
    local = system.coefficients[:, first + table.offset].reshape(-1, *[4] * d)
    for _ in range(d):  # each time the first axis of the basis goes, and one of powers comes last
        local = np.tensordot(local, MONOMIALS, axes=(1, 0))
    return local


def visited(system: System, trajectories: np.ndarray) -> list[tuple[int, ...]]:
    """Cells that trajectories (R, times, P) run through, in order."""
    points = trajectories[..., list(system.domain)]
    share = np.arange(BETWEEN)[:, None] / BETWEEN
    between = points[:, :-1, None] * (1 - share) + points[:, 1:, None] * share
    every = np.concatenate([between.reshape(-1, points.shape[-1]), points[:, -1]])
    unit = np.floor((every - system.grid.table.lower) / system.grid.table.spacing).astype(int)
    return sorted(map(tuple, np.unique(np.clip(unit, 0, system.grid.table.cells - 1), axis=0).tolist()))


def exported_cells(closure: Closure, start: np.ndarray, steps: int) -> list[tuple[int, ...]]:
    """Cells in the file: those of the trajectory from the start values, and of training if these are not too many."""
    system = closure.system
    own = visited(system, closure.dynamics.integrate(system.coefficients, np.array(start, float)[None], steps))
    known = sorted({*own, *visited(system, closure.learned)})
    return known if len(known) * polynomials(system, known[0]).size <= MOST else own


def _branches(cells: list[tuple[int, ...]], axis: int, leaf: Callable[[tuple[int, ...]], str]) -> str:
    """Nested ``piecewise`` that finds the cell of a point axis by axis, among those given."""
    if axis == len(cells[0]):
        return leaf(cells[0])
    groups: dict[int, list[tuple[int, ...]]] = {}
    for cell in cells:
        groups.setdefault(cell[axis], []).append(cell)
    parts = [_branches(group, axis + 1, leaf) for group in groups.values()]
    if len(parts) == 1:
        return parts[0]
    edges = [f"{part}, x{axis} < {next_one}" for part, (_, next_one) in zip(parts, pairwise(groups), strict=False)]
    return f"piecewise({', '.join(edges)}, {parts[-1]})"


def _polynomial(coefficients: np.ndarray, cell: tuple[int, ...], axis: int = 0) -> str:
    """Polynomial on a cell by Horner's scheme, from its coefficients (4, ..., 4)."""
    if coefficients.ndim == 0:
        return repr(float(coefficients))
    x, parts = f"(x{axis} - {cell[axis]})", [_polynomial(part, cell, axis + 1) for part in coefficients]
    return f"({parts[0]} + {x}*({parts[1]} + {x}*({parts[2]} + {x}*({parts[3]}))))"


def antimony_text(closure: Closure, start: np.ndarray, steps: int) -> str:
    """Model in Antimony, with parameters at time zero `start` (P,); the trajectory of `steps` from them is inside."""
    system = closure.system
    cells = exported_cells(closure, start, steps)
    on_cell = {cell: polynomials(system, cell) for cell in cells}
    symbols, grid = system.symbols, system.grid
    lines = [f"// {line}" for line in closure.equations().splitlines()]
    lines += [f"model {closure.title.replace(' ', '_')}()", f"  sites = {closure.family.model.lattice.size};"]
    for axis, (k, low, step) in enumerate(zip(system.domain, grid.lower, grid.spacing, strict=True)):
        lines.append(f"  x{axis} := ({symbols[k]} - ({low!r}))/{step!r};")
    known = " && ".join(f"x{axis} >= {{0[{axis}]}} && x{axis} <= {{0[{axis}]}} + 1" for axis in range(grid.dimension))
    inside = _branches(cells, 0, lambda cell: f"piecewise(1, {known.format(cell)}, 0)")
    lines.append(f"  inside := {inside};")
    density = ["empty", *(f"density_{name}" for name in system.species)]
    for name, symbol in zip(system.species, density[1:], strict=True):
        n = system.identifier(name)
        lines.append(f"  {symbol} := piecewise({n}, {n} > 0, 0);")
    if system.species:
        total = " + ".join(density[1:])
        lines.append(f"  empty := piecewise(1 - ({total}), {total} < 1, 0);")
    moves = system.rates.flux | system.coefficients.any(axis=1)  # the other functions are zero
    for f, flux in enumerate(system.rates.flux):
        value = _branches(cells, 0, lambda cell, f=f: _polynomial(on_cell[cell][f], cell))
        speed = f"{system.flux(f, density, '*')}*exp({value})" if flux else value
        if moves[f]:
            lines.append(f"  speed_{f + 1} := {speed};  // {system.functions[f]}")
    for k, symbol in enumerate(symbols):
        terms = [f"{change:+g}*speed_{f + 1}" for f, change in enumerate(system.rates.change[k]) if change and moves[f]]
        right = " ".join(terms) or "0"
        relaxation = f" - {float(system.rates.relaxation[k])!r}*{symbol}" if system.rates.relaxation[k] else ""
        lines += [f"  {symbol} = {float(start[k])!r};", f"  {symbol}' = {right.removeprefix('+')}{relaxation};"]
    return "\n".join([*lines, "end\n"])


def export_sbml(closure: Closure, start: np.ndarray, steps: int) -> str:
    """SBML of `antimony_text`; StoreError without the package ``antimony``."""
    try:
        import antimony
    except ImportError:
        raise StoreError("sbml: the package antimony is missing; `make .venv/export/installed` installs it") from None
    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(antimony_text(closure, start, steps)) < 0:
        raise RuntimeError(antimony.getLastError())
    return antimony.getSBMLString(closure.title.replace(" ", "_"))
