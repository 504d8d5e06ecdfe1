"""A learned model as a single Python file that needs numpy alone.

It holds the differential equations, the start values and the integrator, and gives the same trajectories to rounding.
Of moments it has those that need no sampling: numbers of molecules in mixed coordinates, and all mean counts of the
exactly solvable chain.
"""

import numpy as np

from dbd.boltzmann.chain import build_chain
from dbd.closure.model import Closure
from dbd.closure.system import System
from dbd.learning.dynamics import SCHEMES

HEAD = '''"""{title}: learned differential equations. Needs numpy alone.

    python {name}.py > {name}.csv        the trajectory from the start values in this file

{text}
Fixed Runge-Kutta steps of DT / SUBSTEPS, as the model was learned.
"""

import sys

import numpy as np

NAMES = {names}
START = {start}
STEPS, DT, SUBSTEPS = {steps}, {dt!r}, {substeps}
SITES = {sites}

# Runge-Kutta scheme.
MATRIX = {matrix}
WEIGHTS = {weights}

# Functions on Q3 C1 elements: a value and derivatives per grid unit at every vertex, of every function.
DOMAIN = {domain}
LOWER, SPACING, SHAPE = np.array({lower}), np.array({spacing}), {shape}
U = np.array("""
{coefficients}
""".split(), float).reshape({functions}, *SHAPE, *[2] * len(SHAPE))

# What the functions do: d theta / dt = CHANGE @ speed - RELAXATION * theta.
CHANGE = np.array({change}, float)
RELAXATION = np.array({relaxation})
'''

FUNCTIONS = '''

def hermite(x):
    """Cubic Hermite polynomials of a cell, [vertex, value or derivative], which go on linearly outside."""
    if x < 0:
        return np.array([[1, x], [0, 0]])
    if x > 1:
        return np.array([[0, 0], [1, x - 1]])
    return np.array([[(1 + 2 * x) * (1 - x) ** 2, x * (1 - x) ** 2], [x * x * (3 - 2 * x), x * x * (x - 1)]])


def functions(point):
    """Values of all functions at a point of the domain."""
    unit = (point - LOWER) / SPACING
    cell = np.clip(np.floor(unit).astype(int), 0, np.array(SHAPE) - 2)
    value = U[(slice(None), *(slice(c, c + 2) for c in cell))]
    for axis, x in enumerate(unit - cell):
        value = np.tensordot(value, hermite(x), axes=([1, 1 + len(SHAPE) - axis], [0, 1]))
    return value
'''

NATURAL = '''

def right_hand_side(theta):
    """Return d theta / dt."""
    return CHANGE @ functions(theta[DOMAIN]) - RELAXATION * theta
'''

REACTIONS = '''
# Reactions: speed k * (densities of what meets) * exp(function); POWER of empty sites and of every species.
CONSTANT, FLUX = np.array({constant}), np.array({flux})
POWER, ROOM = np.array({power}), np.array({room})
SPECIES = {species}


def right_hand_side(theta):
    """Return d theta / dt."""
    value = functions(theta[DOMAIN])
    density = np.maximum(theta[SPECIES], 0)
    empty = max(1 - density.sum(), 0)
    meeting = CONSTANT * np.prod(np.append(empty, density) ** POWER, axis=1)
    meeting *= np.where(ROOM > 0, 1 - (1 - empty) ** ROOM, 1)
    speed = np.where(FLUX, meeting * np.exp(np.where(FLUX, value, 0)), value)
    return CHANGE @ speed - RELAXATION * theta
'''

INTEGRATE = '''

def integrate(start=START, steps=STEPS):
    """Trajectory from parameters at time zero, (steps + 1, parameter)."""
    theta, trajectory = np.array(start, float), [start]
    for _ in range(steps):
        for _ in range(SUBSTEPS):
            slopes = []
            for row in MATRIX:
                ahead = sum(a * slope for a, slope in zip(row, slopes))
                slopes.append(right_hand_side(theta + DT / SUBSTEPS * ahead))
            theta = theta + DT / SUBSTEPS * sum(w * slope for w, slope in zip(WEIGHTS, slopes))
        trajectory.append(theta)
    return np.array(trajectory)
'''

NUMBERS = '''

COUNTED = [NAMES[k] for k in SPECIES]


def counts(trajectory):
    """Numbers of molecules along a trajectory; what else is counted needs lattices."""
    return SITES * trajectory[:, SPECIES]
'''

CHAIN = '''

COUNTED = {counted}
ROWS = {rows}  # parameters of A, AA, AAA, AAAA; None for zero
HIDDEN = {hidden}  # parameters of a hidden layer: weight, bias


def counts(trajectory):
    """Mean numbers of A, AA, AAA and AAAA along a trajectory, by the transfer matrix of the open chain."""
    theta = np.asarray(trajectory, float)
    fields = np.stack([np.zeros(len(theta)) if k is None else theta[:, k] for k in ROWS], axis=1)
    ends = np.zeros(len(theta))
    if HIDDEN:  # summed out
        weight, bias = theta[:, HIDDEN[0]], theta[:, HIDDEN[1]]
        g = [np.logaddexp(0, bias + n * weight) for n in range(3)]
        fields[:, 0] += 2 * (g[1] - g[0])
        fields[:, 1] += g[0] + g[2] - 2 * g[1]
        ends = g[0] - g[1]
    weight = np.exp(np.cumsum(fields, axis=1))
    # States are the lengths of the row that ends on a site: 0, 1, 2, 3 or more.
    matrix = np.zeros((len(theta), 4, 4))
    matrix[:, :, 0] = 1
    for length in range(4):
        matrix[:, length, min(length + 1, 3)] = weight[:, length]
    forward = np.zeros((SITES, len(theta), 4))
    forward[0, :, 0], forward[0, :, 1] = 1, np.exp(fields[:, 0] + ends)
    for site in range(1, SITES):
        forward[site] = np.einsum("tr,trs->ts", forward[site - 1], matrix)
        forward[site] /= forward[site].sum(axis=1, keepdims=True)
    backward = np.exp(ends)[:, None] ** (np.arange(4) > 0)
    found = np.zeros((len(theta), 4))
    for site in reversed(range(SITES)):
        both = forward[site] * backward
        both /= both.sum(axis=1, keepdims=True)
        found[:, :3] += both[:, ::-1].cumsum(axis=1)[:, 2::-1]
        if site:
            ahead = np.einsum("trs,ts->tr", matrix, backward)
            before = forward[site - 1]
            found[:, 3] += before[:, 3] * weight[:, 3] * backward[:, 3] / (before * ahead).sum(axis=1)
            backward = ahead / ahead.sum(axis=1, keepdims=True)
    return found
'''

MAIN = """

if __name__ == "__main__":
    path = integrate()
    rows = [DT * np.arange(len(path)), *path.T{columns}]
    header = ["time", *(f"parameter {{name}}" for name in NAMES){header}]
    np.savetxt(sys.stdout, np.transpose(rows), delimiter=",", header=",".join(header), comments="")
"""


def export_python(closure: Closure, start: np.ndarray, steps: int) -> str:
    """Text of the file, with parameters at time zero `start` (P,) and a number of steps."""
    system = closure.system
    rates, scheme = system.rates, SCHEMES[system.scheme]
    head = HEAD.format(
        title=closure.title,
        name=closure.title.replace(" ", "_"),
        text=closure.equations(),
        names=list(system.names),
        start=[float(x) for x in start],
        steps=steps,
        dt=system.dt,
        substeps=system.substeps,
        sites=closure.family.model.lattice.size,
        matrix=scheme.matrix.tolist(),
        weights=scheme.weights.tolist(),
        domain=list(system.domain),
        lower=list(system.grid.lower),
        spacing=list(system.grid.spacing),
        shape=system.grid.shape,
        coefficients=numbers(system),
        functions=len(system.functions),
        change=rates.change.tolist(),
        relaxation=rates.relaxation.tolist(),
    )
    parts = [head, _equations(system), INTEGRATE]
    moments = _moments(closure)
    counted = (", *counts(path).T", ", *COUNTED") if moments else ("", "")
    return "".join([*parts, moments, MAIN.format(columns=counted[0], header=counted[1])])


def numbers(system: System) -> str:
    """Coefficients of all functions as text that reads back to the last bit, ten in a line."""
    words = [repr(float(u)) for u in system.coefficients.ravel()]
    return "\n".join(" ".join(words[k : k + 10]) for k in range(0, len(words), 10))


def _equations(system: System) -> str:
    """What the equations are made of, and their right-hand side."""
    rates = system.rates
    if not system.species:
        return FUNCTIONS + NATURAL
    return FUNCTIONS + REACTIONS.format(
        constant=rates.constant.tolist(),
        flux=rates.flux.tolist(),
        power=rates.power.tolist(),
        room=rates.room.tolist(),
        species=rates.species.tolist(),
    )


def _moments(closure: Closure) -> str:
    """Moments that need no sampling; nothing if there are none."""
    if closure.system.species:
        return NUMBERS
    if closure.section["sampling"]:
        return ""
    chain, names = build_chain(closure.family.model), closure.system.names
    rows, hidden = chain.observables[:4], chain.observables[4:]
    return CHAIN.format(
        counted=list(rows),
        rows=[names.index(name) if name in names else None for name in rows],
        hidden=[names.index(name) for name in hidden],
    )
