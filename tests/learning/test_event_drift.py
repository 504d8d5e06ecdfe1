"""Drift of counts on lattices against the generator of the full master equation of tiny ones."""

from itertools import combinations_with_replacement

import numpy as np
import pytest

from dbd.kinetics.reactions import ATTEMPTS, ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.learning.event_drift import event_drift

EQUATIONS = [
    ("A + A -> 0", {"probability": 0.3}),
    ("A + A -> B", {"probability": 0.5}),
    ("A + B -> 2B", {"probability": 0.4}),
    ("A -> A + B", {"rate": 0.7}),
    ("B -> 0", {"rate": 0.2}),
    ("B -> A", {"rate": 0.1}),
    ("0 -> A", {"rate": 0.3}),
    ("0 -> A + B", {"rate": 0.4}),
]
DT = 0.2


def events(state, network, lattice):
    """All that can happen to a lattice: rate and lattice after it, by the rules of a step in words."""
    neighbours = [[site for site in row if site >= 0] for row in lattice.neighbours.tolist()]

    def put(*changes):
        after = state.copy()
        for site, occupancy in changes:
            after[site] = occupancy
        return after

    for site in np.flatnonzero(state):
        for target in neighbours[site]:
            turn = 1 / (len(neighbours[site]) * DT)
            if state[target] == 0:
                yield turn, put((site, 0), (target, state[site]))
                continue
            left = 1.0
            for reaction in network.reactions:
                if sorted(reaction.reactants) == sorted((state[site], state[target])):
                    first, second = reaction.places
                    yield turn * left * reaction.constant, put((target, first), (site, second))
                    left *= 1 - reaction.constant
    for reaction in network.reactions:
        if len(reaction.reactants) == 2:
            continue
        sites = np.flatnonzero(state == (*reaction.reactants, 0)[0])
        first, second = reaction.places
        rooms = {site: [target for target in neighbours[site] if state[target] == 0] for site in sites}
        share = np.mean([bool(rooms[site]) for site in sites]) if len(sites) else 0.0
        for site in sites:
            if second == 0:
                yield reaction.constant, put((site, first))
            for target in rooms[site] if second else ():
                rate = reaction.constant * (1 - (1 - share) ** ATTEMPTS) / share
                yield rate / len(rooms[site]), put((site, first), (target, second))


@pytest.mark.parametrize("lattice", [Lattice((5,)), Lattice((2, 3)), Lattice((2, 1, 3)), Lattice((3, 3), "periodic")])
def test_drift_is_that_of_the_master_equation(lattice):
    network = ReactionNetwork.from_equations("AB", EQUATIONS)
    states = np.indices((3,) * lattice.size, np.uint8).reshape(lattice.size, -1).T
    states = np.ascontiguousarray(states[:: max(1, len(states) // 300)])
    words = ["A", "B", *map("".join, combinations_with_replacement("AB", 2))]
    exact = np.zeros((len(states), len(words)))
    for row, state in zip(exact, states, strict=True):
        rates, after = zip(*events(state, network, lattice), strict=True)
        counts = count_observables(np.stack([state, *after]), lattice, "AB", words).astype(float)
        row[:] = rates @ (counts[1:] - counts[0])
    found = event_drift(states, network, lattice, DT)
    np.testing.assert_allclose(found, exact, atol=1e-12)
    wrong = network.with_constants([0.31, *network.constants[1:]])
    assert not np.allclose(event_drift(states, wrong, lattice, DT), exact, atol=1e-3)
