"""A learned model as a Julia file: its differential equations, start values and a Runge-Kutta integrator.

It needs no package; ``right_hand_side!(slope, theta, p, t)`` is what those for differential equations take. Moments are
not in it, but numbers of molecules are the densities times the number of sites.
"""

import numpy as np

from dbd.closure.export_python import numbers
from dbd.closure.model import Closure
from dbd.learning.dynamics import SCHEMES

TEXT = '''#=
{title}: learned differential equations.

{text}
Fixed Runge-Kutta steps of DT / SUBSTEPS, as the model was learned.
=#
const NAMES = {names}
const START = {start}
const STEPS, DT, SUBSTEPS = {steps}, {dt!r}, {substeps}
const SITES = {sites}

# Runge-Kutta scheme, stage by stage.
const STAGES = {matrix}
const WEIGHTS = {weights}

# Functions on Q3 C1 elements, the last index fastest: function, vertex along each axis, value or derivative along each.
const DOMAIN = {domain}
const LOWER, SPACING, SHAPE = {lower}, {spacing}, {shape}
const SIZE = prod(SHAPE) * 2^length(SHAPE)
const U = parse.(Float64, split("""
{coefficients}
"""))

# What the functions do: row by row, parameter by function.
const CHANGE = {change}
const RELAXATION = {relaxation}
const CONSTANT, FLUX = {constant}, {flux}
const POWER, ROOM = {power}, {room}
const SPECIES = {species}

"Cubic Hermite polynomials of a cell: value and derivative at either vertex; they go on linearly outside."
function hermite(x)
    x < 0 && return (1.0, x, 0.0, 0.0)
    x > 1 && return (0.0, 0.0, 1.0, x - 1)
    return ((1 + 2x) * (1 - x)^2, x * (1 - x)^2, x^2 * (3 - 2x), x^2 * (x - 1))
end

"Values of all functions at a point of the domain."
function functions(point)
    d = length(SHAPE)
    unit = (point .- LOWER) ./ SPACING
    cell = [clamp(floor(Int, unit[m]), 0, SHAPE[m] - 2) for m in 1:d]
    basis = [hermite(unit[m] - cell[m]) for m in 1:d]
    value = zeros(eltype(point), length(CONSTANT))
    for corner in CartesianIndices(ntuple(_ -> 4, d))
        weight, index = one(eltype(point)), 0
        for m in 1:d
            weight *= basis[m][corner[m]]
            index = index * SHAPE[m] + cell[m] + (corner[m] - 1) >> 1
        end
        for m in 1:d
            index = 2index + (corner[m] - 1) & 1
        end
        for f in eachindex(value)
            value[f] += weight * U[(f - 1) * SIZE + index + 1]
        end
    end
    return value
end

"Write d theta / dt to `slope`."
function right_hand_side!(slope, theta, p = nothing, t = 0.0)
    value = functions(theta[DOMAIN])
    density = max.(theta[SPECIES], 0)
    empty = max(1 - sum(density; init = 0.0), 0)
    slope .= .-RELAXATION .* theta
    for f in eachindex(value)
        speed = value[f]
        if FLUX[f]
            speed = CONSTANT[f] * exp(value[f]) * empty^POWER[f][1]
            for (n, k) in zip(density, POWER[f][2:end])
                speed *= n^k
            end
            ROOM[f] > 0 && (speed *= 1 - (1 - empty)^ROOM[f])
        end
        for k in eachindex(slope)
            slope[k] += CHANGE[k][f] * speed
        end
    end
    return slope
end

"Trajectory from parameters at time zero, a vector of parameters a step."
function integrate(start = START, steps = STEPS)
    trajectory = [float.(start)]
    for _ in 1:steps
        theta = copy(trajectory[end])
        for _ in 1:SUBSTEPS
            slopes = Vector{{Float64}}[]
            for row in STAGES
                stage = copy(theta)
                for (a, slope) in zip(row, slopes)
                    stage .+= DT / SUBSTEPS * a .* slope
                end
                push!(slopes, right_hand_side!(similar(stage), stage))
            end
            for (w, slope) in zip(WEIGHTS, slopes)
                theta .+= DT / SUBSTEPS * w .* slope
            end
        end
        push!(trajectory, theta)
    end
    return trajectory
end

if abspath(PROGRAM_FILE) == @__FILE__
    println(join(["time"; NAMES], ","))
    for (step, theta) in enumerate(integrate())
        println(join([(step - 1) * DT; theta], ","))
    end
end
'''


def _vector(values) -> str:
    """Julia vector of Python values, nested ones inside."""
    if isinstance(values, list | tuple):
        return f"[{', '.join(map(_vector, values))}]" if values else "Int[]"
    if isinstance(values, bool):
        return str(values).lower()
    return f'"{values}"' if isinstance(values, str) else repr(values)


def export_julia(closure: Closure, start: np.ndarray, steps: int) -> str:
    """Text of the file, with parameters at time zero `start` (P,) and a number of steps."""
    system = closure.system
    rates, grid, scheme = system.rates, system.grid, SCHEMES[system.scheme]
    vectors = {
        "names": list(system.names),
        "start": [float(x) for x in start],
        "matrix": scheme.matrix.tolist(),
        "weights": scheme.weights.tolist(),
        "domain": [k + 1 for k in system.domain],
        "lower": list(grid.lower),
        "spacing": list(grid.spacing),
        "shape": list(grid.shape),
        "species": [int(k) + 1 for k in rates.species],
        **{
            name: getattr(rates, name).tolist()
            for name in ("change", "relaxation", "constant", "flux", "power", "room")
        },
    }
    return TEXT.format(
        title=closure.title,
        text=closure.equations(),
        steps=steps,
        dt=system.dt,
        substeps=system.substeps,
        sites=closure.family.model.lattice.size,
        coefficients=numbers(system),
        **{name: _vector(values) for name, values in vectors.items()},
    )
