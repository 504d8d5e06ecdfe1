"""The lattice simulation: exact small systems, known moments, choice of sites, identity over threads."""

import numpy as np
import pytest

from dbd.lattice import Lattice
from dbd.reactions import ReactionNetwork
from dbd.simulation import place_counts, simulate_run, simulate_runs
from dbd.streams import stream


def network(species, *equations):
    return ReactionNetwork.from_equations(species, equations)


MIXED = network(
    "AB",
    ("0 -> B", {"rate": 1.0}),
    ("A -> 2A", {"rate": 20.0}),
    ("B -> 0", {"rate": 10.0}),
    ("A + B -> 2B", {"probability": 0.4}),
    ("A + A -> A", {"probability": 0.2}),
)


def streams(name, number):
    return [stream(20190627, name, k) for k in range(number)]


@pytest.mark.parametrize("site_selection", ["uniform", "axis_scan"])
def test_runs_do_not_depend_on_threads_or_on_the_cut_into_batches(site_selection):
    lattice = Lattice((4, 5, 6))
    initials = np.stack([place_counts((20, 20), lattice, site_selection, each) for each in streams("place", 6)])
    system = (MIXED, lattice, site_selection, 0.01, 20)
    whole, turns = simulate_runs(initials, *system, streams("run", 6))
    threaded, threaded_turns = simulate_runs(initials, *system, streams("run", 6), threads=3)
    assert (threaded == whole).all() and (threaded_turns == turns).all()
    second_half, _ = simulate_runs(initials[3:], *system, streams("run", 6)[3:])
    assert (second_half == whole[3:]).all()
    alone = simulate_run(initials[1], *system, streams("run", 6)[1])
    assert (alone == whole[1]).all()
    sparse, _ = simulate_runs(initials, *system, streams("run", 6), every=5)
    assert (sparse == whole[:, ::5]).all()
    assert (whole[:, 0] == initials).all()
