"""Networks on a well mixed lattice against GillesPy2's exact simulation of their numbers of molecules.

Where molecules react alone the numbers feel of the lattice that creation needs an empty site, and no more. Pairs are
mixed by small steps: on a periodic lattice of V sites every molecule has a turn in dt, and pairs that collide react
with the probability p = dt (in numbers), so that in the limit every pair reacts at the rate k = 2 p / ((V - 1) dt). At
finite dt a pair that has collided does so m times more than in a well mixed lattice,

    m = 1 / V sum over wave vectors q other than 0 of 1 / (1 - mean of cos q over the axes) - 1,

Watson's integral less 1, or 0.516, on the infinite cubic lattice. This leaves k / (1 + m p) where there are few
molecules: GillesPy2 is compared at this rate with every dt, and at k, which is approached with dt.
"""

import gillespy2
import numpy as np
import pandas as pd
from comparison import compare
from ours import on_lattice

from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

PROGRAM, UNIT = "GillesPy2", "molecules"
LATTICE = Lattice((10, 10, 10), "periodic")
PAIR = 2 / (LATTICE.size - 1)
STEPS = (0.16, 0.04)
TIMES = np.linspace(0, 40, 11)
NETWORKS = {
    "0 -> A -> B -> 0": ({"A": 0, "B": 40}, {"0 -> A": 0.004, "A -> B": 0.04, "B -> 0": 0.04}),
    "A + B -> C -> B": ({"A": 30, "B": 15, "C": 0}, {"A + B -> C": PAIR, "C -> B": 0.02}),
    "0 -> A, A + A -> 0": ({"A": 30}, {"0 -> A": 2e-4, "A + A -> 0": PAIR}),
}
"""Numbers at the start, and the rate of every reaction: per empty site, per molecule, or per pair."""


def returns():
    """Further collisions m of a pair that has collided, beyond those in a well mixed lattice."""
    waves = np.meshgrid(*(2 * np.pi * np.arange(size) / size for size in LATTICE.shape))
    return np.sum(1 / (1 - np.cos(waves).mean(axis=0).ravel()[1:])) / LATTICE.size - 1


def by_hops(name, dt, runs, faster=1.0):
    """Numbers of molecules (runs, times, species) on our lattice, all reactions faster by a factor."""
    start, rates = NETWORKS[name]
    constants = [{"probability": faster * dt} if rate == PAIR else {"rate": faster * rate} for rate in rates.values()]
    network = ReactionNetwork.from_equations(tuple(start), zip(rates, constants, strict=True))
    every = round(TIMES[1] / dt)
    return on_lattice(network, LATTICE, list(start.values()), TIMES, every, runs, "mixed", name, every)


def by_gillespy2(name, share, runs):
    """Numbers of molecules (runs, times, species) by GillesPy2, pairs reacting at `share` of their rate."""
    start, rates = NETWORKS[name]
    model = gillespy2.Model(name="network")
    model.add_species([gillespy2.Species(name=species, initial_value=number) for species, number in start.items()])
    for index, (equation, rate) in enumerate(rates.items()):
        before, after = ([s for s in side.split(" + ") if s != "0"] for side in equation.split(" -> "))
        number = {"": f"({LATTICE.size} - {' - '.join(start)})", "AA": "A * (A - 1) / 2"}.get("".join(before))
        reaction = gillespy2.Reaction(
            name=f"reaction{index}",
            reactants={species: before.count(species) for species in before},
            products={species: after.count(species) for species in after},
            propensity_function=f"{rate * share ** (rate == PAIR):.17g} * {number or ' * '.join(before)}",
        )
        model.add_reaction(reaction)
    model.timespan(gillespy2.TimeSpan(TIMES))
    seed = int(stream(1, "gillespy2", name, round(1e6 * share)).integers(1, 2**31))
    results = model.run(solver=gillespy2.NumPySSASolver, number_of_trajectories=runs, seed=seed)
    return np.array([[run[species] for species in start] for run in results]).transpose(0, 2, 1)


def witness(runs=4000, steps=STEPS, networks=tuple(NETWORKS)):
    """The table of comparisons."""
    tables = []
    for name in networks:
        limit, pairs = by_gillespy2(name, 1, runs), PAIR in NETWORKS[name][1].values()
        for dt in steps if pairs else steps[-1:]:
            numbers = by_hops(name, dt, runs)
            theirs = by_gillespy2(name, 1 / (1 + returns() * dt), runs) if pairs else limit
            for index, species in enumerate(list(NETWORKS[name][0])[:2]):  # B and C make up a constant
                labels, chosen = {"quantity": species, "case": f"dt {dt}"}, (..., index)
                tables.append(compare(numbers[chosen], theirs[chosen], TIMES, panel=name, **labels))
                if pairs:
                    explained, labels = (theirs - limit)[chosen].mean(axis=0), labels | {"panel": f"{name}\nlimit"}
                    tables.append(compare(numbers[chosen], limit[chosen], TIMES, explained=explained, **labels))
    return pd.concat(tables, ignore_index=True)
