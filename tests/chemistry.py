"""A network with reactions of nearly every kind, that tests of the simulation and of its moment hierarchy share."""

import numpy as np

from dbd.kinetics.reactions import ReactionNetwork
from dbd.simulation.lattice_simulation import simulate_runs

CHEMISTRY = [
    ("0 -> A", {"rate": 0.7}),
    ("A -> A + B", {"rate": 0.6}),
    ("A -> 2B", {"rate": 0.5}),
    ("B -> 0", {"rate": 1.3}),
    ("B -> A", {"rate": 0.4}),
    ("A + A -> B", {"probability": 0.3}),
    ("A + B -> 2B", {"probability": 0.35}),
    ("B + A -> A", {"probability": 0.45}),
    ("2B -> B + A", {"probability": 0.5}),
]


def network(species, *equations):
    """Network of (equation, its constant) pairs."""
    return ReactionNetwork.from_equations(species, equations)


SYSTEM = network("AB", *CHEMISTRY)


def simulate_run(initial, system, lattice, site_selection, dt, steps, generator):
    """Occupancy of a single run, (steps + 1, sites)."""
    return simulate_runs(np.asarray(initial)[None], system, lattice, site_selection, dt, steps, [generator])[0][0]
