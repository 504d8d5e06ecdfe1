"""Independent sites and well-mixed rate equations."""

import numpy as np
import pytest

from dbd.baselines import independent_biases, independent_moments, mean_field
from dbd.lattice import Lattice
from dbd.reactions import ReactionNetwork
from dbd.transfer_matrix import Chain


def test_independent_sites_are_the_chain_without_couplings():
    counts = np.array([[3.0], [35.0]])
    chain = Chain(50, ("A",))
    exact = chain.solve(independent_biases(counts, 50)).mean[:, [0, 1, 2]]
    found = independent_moments(counts, ["A"], Lattice((50,)), ["A", "AA", "AAA"])
    np.testing.assert_allclose(found, exact, rtol=1e-10)


def test_pairs_of_different_species_count_both_orders():
    lattice = Lattice((4, 3, 2))
    found = independent_moments(np.array([6.0, 12.0]), ["A", "B"], lattice, ["AB", "BB"])
    np.testing.assert_allclose(found, len(lattice.bonds) * np.array([2 * 0.25 * 0.5, 0.25]))


def test_absent_species_and_full_lattices_have_no_biases():
    for counts in ([0.0, 5.0], [50.0, 50.0]):
        with pytest.raises(ValueError, match="allowed are positive numbers"):
            independent_biases(np.array(counts), 100)


def test_rate_equations_have_the_closed_solutions():
    lattice, dt = Lattice((10, 10)), 0.01
    decay = ReactionNetwork.from_equations(["A"], [("A -> 0", {"rate": 3.0})])
    time = dt * np.arange(51)
    np.testing.assert_allclose(mean_field(decay, lattice, dt, [50.0], 50)[:, 0], 50 * np.exp(-3 * time), rtol=1e-6)
    # dN/dt = -2 p N^2 / (sites dt)
    pairs = ReactionNetwork.from_equations(["A"], [("A + A -> 0", {"probability": 0.02})])
    expected = 50 / (1 + 50 * 2 * 0.02 / (100 * dt) * time)
    np.testing.assert_allclose(mean_field(pairs, lattice, dt, [50.0], 50)[:, 0], expected, rtol=1e-6)


def test_different_species_collide_in_both_orders_and_reactions_are_tried_in_order():
    network = ReactionNetwork.from_equations(
        ["A", "B"], [("A + B -> 2A", {"probability": 0.5}), ("B + A -> 2B", {"probability": 0.5})]
    )
    dt = 1e-6
    first, second = mean_field(network, Lattice((100,)), dt, [20.0, 30.0], 1)
    # 2 * 20 * 30 / 100 collisions a step, of which 1/2 make an A, and 1/4 a B
    slope = 12 * (0.5 - 0.25)
    assert abs((second - first)[0] - slope) < 0.1 * slope
    assert abs((second - first).sum()) < 1e-6
