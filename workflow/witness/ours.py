"""Numbers of molecules in runs of our own simulators, from given numbers at random places."""

import numpy as np

from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs


def on_lattice(network, lattice, start, times, every, runs, *key):
    """Numbers (runs, times, species) with `every` steps between two of the times; `key` names the random streams."""
    streams = [stream(1, *key, run) for run in range(runs)]
    lattices = np.array([place_counts(start, lattice, "uniform", rng) for rng in streams])
    system = network, lattice, "uniform", times[1] / every, every * (len(times) - 1)
    occupancy, _, _ = simulate_runs(lattices, *system, streams, every=every)
    return np.stack([(occupancy == index + 1).sum(axis=2) for index in range(len(start))], axis=2)


def of_particles(system, start, times, every, runs, *key):
    """Numbers (runs, times, species) in continuous space."""
    species, numbers = np.repeat(np.arange(1, len(start) + 1), start), []
    for run in range(runs):
        rng = stream(1, *key, run)
        position = rng.random((len(species), system.box.dimension)) * system.box.lengths
        snapshots = system.simulate(rng, position, species, times[1], len(times) - 1, every)
        present = np.split(snapshots.species, snapshots.offsets[1:-1])
        numbers.append([np.bincount(kinds, minlength=len(start) + 1)[1:] for kinds in present])
    return np.array(numbers)
