"""A + B -> C, C -> B in the plane: our Brownian particles against ReaDDy, both with Doi's rule for pairs.

ReaDDy's space has three dimensions. A harmonic well of stiffness kT / (D h) about z = 0 makes its step of length h
forget where z was, so the distance of a pair along z is independent in every step, of variance v = 2 (D_A + D_B) h.
The pair reacts if it is within the radius R with that: on average in a disk of pi (R^2 - v), for v far below R^2. So
ReaDDy is compared with our radius sqrt(R^2 - v) at each step, and with R itself, which it tends to with the step.
"""

import numpy as np
import pandas as pd
import readdy
from comparison import compare
from ours import of_particles

from dbd.continuum.box import Box
from dbd.continuum.brownian import BrownianSystem
from dbd.kinetics.reactions import ReactionNetwork
from dbd.numerics.random_streams import stream

PROGRAM, UNIT = "ReaDDy", "molecules"
STEPS = (8e-5, 2e-5)
SPECIES, DIFFUSION, START = ("A", "B", "C"), (1.0, 0.5, 0.5), (300, 150, 0)
BINDING, RELEASE, RADIUS = 500.0, 25.0, 0.07
TIMES = np.linspace(0, 4e-3, 11)
THIN = 1e-9


def by_readdy(step, runs):
    """Numbers of molecules (runs, times, species) by ReaDDy, whose random numbers cannot be given a seed."""
    every, runs_of_counts = round(TIMES[1] / step), []
    for run in range(runs):
        system = readdy.ReactionDiffusionSystem([1.0] * 3, periodic_boundary_conditions=[True] * 3, unit_system=None)
        system.kbt = 1.0
        for name, diffusion in zip(SPECIES, DIFFUSION, strict=True):
            system.add_species(name, diffusion)
            layer = {"origin": [-1.0, -1.0, -THIN], "extent": [2.0, 2.0, 2 * THIN]}
            system.potentials.add_box(name, 1 / (diffusion * step), **layer)
        system.reactions.add(f"bind: A +({RADIUS}) B -> C", rate=BINDING)
        system.reactions.add("release: C -> B", rate=RELEASE)
        simulation = system.simulation(kernel="SingleCPU", reaction_handler="UncontrolledApproximation")
        simulation.show_progress = False
        rng = stream(1, "readdy", every, run)
        for name, number in zip(SPECIES, START, strict=True):
            simulation.add_particles(name, rng.uniform(-0.5, 0.5, (number, 3)) * (1, 1, 0))
        counts = []
        simulation.observe.number_of_particles(every, list(SPECIES), callback=counts.append)
        simulation.run(every * (len(TIMES) - 1), step, show_summary=False)
        runs_of_counts.append(counts)
    return np.array(runs_of_counts)


def by_particles(step, runs, radius, binding=BINDING):
    """Numbers of molecules (runs, times, species) of our Brownian particles."""
    equations = [("A + B -> C", {"rate": binding}), ("C -> B", {"rate": RELEASE})]
    network = ReactionNetwork.from_equations(SPECIES, equations, pairs="rate")
    system, every = BrownianSystem(Box((1.0, 1.0), "periodic"), network, DIFFUSION, radius), round(TIMES[1] / step)
    return of_particles(system, START, TIMES, every, runs, "plane", round(1e9 * radius), every)


def layer_radius(step):
    """Radius in the plane that stands for `RADIUS` in ReaDDy's layer."""
    return float(np.sqrt(RADIUS**2 - 2 * (DIFFUSION[0] + DIFFUSION[1]) * step))


def witness(runs=400, steps=STEPS):
    """The table of comparisons."""
    tables = []
    for step in steps:
        theirs, flat = by_readdy(step, runs), by_particles(step, runs, RADIUS)
        ours = by_particles(step, runs, layer_radius(step))
        for index in (0, 2):  # B and C make up a constant
            labels, chosen = {"quantity": SPECIES[index], "case": f"step {step:.0e}"}, (..., index)
            explained = (flat - ours)[chosen].mean(axis=0)
            tables.append(compare(ours[chosen], theirs[chosen], TIMES, panel="radius in ReaDDy's layer", **labels))
            labels |= {"panel": "radius itself"}
            tables.append(compare(flat[chosen], theirs[chosen], TIMES, explained=explained, **labels))
    return pd.concat(tables, ignore_index=True)
