"""Annihilation A + A -> 0 on contact, on a ring: Brownian particles and a lattice of ours against Smoldyn.

Smoldyn moves all particles for a time step and then lets pairs within the binding radius react. So do our Brownian
particles, except for half a step of motion at the start and the end, which a uniform distribution does not feel: the
numbers of particles have the same law whatever the step.

On a lattice of spacing a, D = a^2 / (2 dt), there is no radius. With steps of the same length and a as the binding
radius both tend to annihilating points. Their difference is of first order in a, since molecules in a share p of the
sites are not distributed like points (`of_lattice`). Tested is what is left when it is extrapolated: twice the finest
less the next.
"""

import tempfile

import numpy as np
import pandas as pd
import smoldyn
from comparison import compare
from ours import of_particles, on_lattice
from scipy.special import erfcx, ive

from dbd.continuum.box import Box
from dbd.continuum.brownian import BrownianSystem
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

PROGRAM, UNIT = "Smoldyn", "density"
SPACINGS = (0.4, 0.2, 0.1)
MOLECULES = LENGTH = 2000  # density 1, and diffusion constant 1
TIMES = np.linspace(0, 4, 11)

_MODEL = f"""\
dim 1
boundaries x 0 {LENGTH} p
species A
difc A 1
time_start 0
time_stop {TIMES[-1]}
time_step STEP
reaction annihilation A + A -> 0
binding_radius annihilation RADIUS
random_seed SEED
mol {MOLECULES} A u
output_data numbers
cmd N EVERY molcount numbers
end_file
"""


def substeps(spacing):
    """Steps of length spacing^2 / 2 in an interval: those of a lattice with diffusion constant 1."""
    return round(2 * TIMES[1] / spacing**2)


def by_smoldyn(spacing, runs):
    """Densities (runs, times) by Smoldyn, the spacing as the binding radius."""
    every, densities = substeps(spacing), []
    for run in range(runs):
        seed = stream(1, "smoldyn", every, run).integers(2**31)
        values = {"STEP": TIMES[1] / every, "RADIUS": spacing, "SEED": seed, "EVERY": every}
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("".join(f"define {name} {value}\n" for name, value in values.items()) + _MODEL)
            file.flush()
            simulation = smoldyn.Simulation.fromFile(file.name, "q")
            simulation.runSim()
        densities.append(np.array(simulation.getOutputData("numbers"))[:, 1] / LENGTH)
    return np.array(densities)


def by_particles(spacing, runs, diffusion=1.0):
    """Densities of our Brownian particles, of which all pairs within the spacing react in a step."""
    network = ReactionNetwork.from_equations(("A",), [("A + A -> 0", {"rate": 1e9})], pairs="rate")
    system = BrownianSystem(Box((LENGTH,), "periodic"), network, (diffusion,), spacing)
    return of_particles(system, [MOLECULES], TIMES, substeps(spacing), runs, "ring", substeps(spacing))[..., 0] / LENGTH


def by_hops(spacing, runs):
    """Densities on our lattice, where every collision is a reaction."""
    network = ReactionNetwork.from_equations(("A",), [("A + A -> 0", {"probability": 1.0})])
    lattice, every = Lattice((round(LENGTH / spacing),), "periodic"), substeps(spacing)
    return on_lattice(network, lattice, [MOLECULES], TIMES, every, runs, "chain", every)[..., 0] / LENGTH


def of_points(times):
    """Exact density of annihilating points (Torney and McConnell, J. Phys. Chem. 87, 1941 (1983))."""
    return erfcx(np.sqrt(8 * times))


def of_lattice(spacing, times):
    """Exact density of molecules that hop at random times and annihilate where they meet, times above 0.

    The parity of the number in m sites has the mean G_m, with dG_m/dt = (2 D / a^2) (G_(m+1) - 2 G_m + G_(m-1)),
    G_0 = 1 and G_m = (1 - 2 p)^m at the start, which Bessel functions solve; the density is (1 - G_1) / (2 a).
    """
    x = 4 * times[:, None] / spacing**2
    sites = np.arange(1, 50 + int(12 * np.sqrt(x.max())))
    start = 1 - (1 - 2 * spacing * MOLECULES / LENGTH) ** sites
    return np.sum(2 * sites / x * ive(sites, x) * start, axis=1) / (2 * spacing)


def witness(runs=400, spacings=SPACINGS):
    """The table of comparisons."""
    theirs = [by_smoldyn(spacing, runs) for spacing in spacings]
    ours = [by_hops(spacing, runs) for spacing in spacings]
    tables = []
    for spacing, other in zip(spacings, theirs, strict=True):
        labels = {"panel": "Brownian particles", "quantity": "", "case": f"step {spacing**2 / 2:.1g}"}
        tables.append(compare(by_particles(spacing, runs), other, TIMES, **labels))
    for spacing, numbers, other in zip(spacings, ours, theirs, strict=True):
        labels = {"panel": "lattice", "quantity": "", "case": f"spacing {spacing}"}
        explained = np.append(0, of_lattice(spacing, TIMES[1:]) - of_points(TIMES[1:]))
        tables.append(compare(numbers, other, TIMES, explained=explained, **labels))
    both = (2 * of[-1] - of[-2] for of in (ours, theirs))
    extrapolated = compare(*both, TIMES, panel="lattice", quantity="", case="spacing to 0")
    tables.append(extrapolated[extrapolated.statistic == "mean"])
    return pd.concat(tables, ignore_index=True)
