"""Differential equations in mixed coordinates: positivity, conservation and exact derivatives."""

from dataclasses import replace

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.family import CompositionAndCouplings
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.numerics.hermite import HermiteGrid

LATTICE = Lattice((6, 6), "periodic")
GRID = HermiteGrid((0.0, 0.0), (0.25, 0.25), (5, 5))


def dynamics(species, equations, interactions, substeps=1):
    family = CompositionAndCouplings(EnergyModel(LATTICE, species, interactions))
    return ReactionDynamics(GRID, family, ReactionNetwork.from_equations(species, equations), (0, 1), 0.1, substeps)


EPIDEMIC = dynamics(
    ("A", "S"), [("A + S -> 2A", {"probability": 0.5}), ("A -> 2A", {"rate": 0.3})], ("A", "S", "AA", "AS")
)


def random_coefficients(system, size, seed=0):
    return size * np.random.default_rng(seed).normal(size=(len(system.functions), system.grid.size))


def test_without_corrections_numbers_follow_mean_field():
    system = dynamics(("A",), [("A -> 0", {"rate": 2.0}), ("A + A -> 0", {"probability": 0.3})], ("A", "AA"))
    system = ReactionDynamics(HermiteGrid((0.0,), (0.5,), (3,)), system.family, system.network, (0,), 0.1, 20)
    path = system.integrate(np.zeros((3, system.grid.size)), np.array([[0.6, 0.4]]), 5)[0]
    # dn/dt = - 2 n - 2 (0.3 / 0.1) n^2 has the solution n = k / ((k / n0 + c) exp(k t) - c), k = 2, c = 6
    time = 0.1 * np.arange(6)
    np.testing.assert_allclose(path[:, 0], 2 / ((2 / 0.6 + 6) * np.exp(2 * time) - 6), rtol=1e-6)
    np.testing.assert_allclose(path[:, 1], 0.4 * np.exp(-3.0 * time), rtol=1e-6)


def test_whatever_is_learned_numbers_stay_in_bounds_and_totals_are_conserved():
    species, equations = ("A", "B", "C"), [("A + B -> 2C", {"probability": 0.5}), ("C -> A", {"rate": 1.0})]
    system = dynamics(species, equations, ("A", "B", "C", "AB"), substeps=4)
    start = np.array([[0.5, 0.3, 0.0, 0.0], [0.0, 0.9, 0.1, 0.5], [0.4, 0.0, 0.6, 0.0]])
    path = system.integrate(random_coefficients(system, 1.0), start, 40)
    assert path[..., :3].min() > -1e-9
    np.testing.assert_allclose(path[..., :3].sum(axis=-1), start[:, None, :3].sum(axis=-1) * np.ones(41), rtol=1e-12)
    births = dynamics(("A",), [("A -> 2A", {"rate": 3.0})], ("A", "AA"))
    path = births.integrate(random_coefficients(births, 0.5), np.array([[0.3, 0.0], [0.0, 0.0]]), 100)
    assert path[0, :, 0].max() <= 1.0
    assert not path[1, :, 0].any()


def test_without_reactions_numbers_are_driven_and_couplings_relax():
    system = ReactionDynamics(GRID, EPIDEMIC.family, None, (0, 1), 0.1)
    assert system.functions == system.names
    coefficients = np.zeros((4, GRID.size))
    coefficients[:, ::4] = np.array([0.5, -0.2, 0.0, 0.3])[:, None]  # values at the vertices: constant functions
    path = system.integrate(coefficients, np.array([[0.2, 0.5, 0.1, 0.0]]), 3)[0]
    time = 0.1 * np.arange(4)
    decay = np.exp(-3.0 * time)
    expected = np.stack([0.2 + 0.5 * time, 0.5 - 0.2 * time, 0.1 * decay, 0.1 * (1 - decay)], axis=1)
    np.testing.assert_allclose(path, expected, rtol=1e-4)


@pytest.mark.parametrize(("network", "substeps"), [(EPIDEMIC.network, 1), (EPIDEMIC.network, 3), (None, 2)])
def test_sensitivities_are_those_of_the_scheme(network, substeps):
    system = ReactionDynamics(GRID, EPIDEMIC.family, network, (0, 2), 0.1, substeps)
    coefficients = random_coefficients(system, 0.3)
    span = np.random.default_rng(1).normal(size=(system.grid.size, 3))
    start, times = np.array([[0.2, 0.5, 0.1, -0.2]]), np.array([0, 3, 7])

    def path(point):
        return system.integrate(coefficients + point.reshape(-1, 3) @ span.T, start, 7)[0, times]

    exact = system.sensitivity(coefficients, system.integrate(coefficients, start, 7)[0], span, times)
    step = 1e-5
    for k, direction in enumerate(np.eye(exact.shape[2])):
        slope = (path(step * direction) - path(-step * direction)) / (2 * step)
        np.testing.assert_allclose(exact[:, :, k], slope, rtol=1e-6, atol=1e-8)


def test_reactions_of_a_pair_are_tried_in_turn():
    equations = [
        ("A + S -> 2A", {"probability": 0.5}),
        ("A + S -> 0", {"probability": 0.5}),
        ("S + S -> 0", {"probability": 1.0}),
    ]
    system = dynamics(("A", "S"), equations, ("A", "S", "AA"))
    np.testing.assert_allclose(system.rates.constant, [0.5 * 20, 0.25 * 20, 10, 1])
    assert system.functions == ("A + S -> 2A", "A + S -> 0", "S + S -> 0", "AA")


NEARLY_FULL = dynamics(("A",), [("A -> 2A", {"rate": 4.0}), ("A -> 0", {"rate": 2.0})], ("A", "AA"))


def test_births_are_tried_again_where_there_is_no_room():
    """On a torus all of 20 molecules have no empty neighbour of four with the probability n^80."""
    path = NEARLY_FULL.integrate(np.zeros((3, GRID.size)), np.array([[0.3, 0.0]]), 100)
    balance = 0.5 ** (1 / 80)  # births make up for deaths where half of them find room
    assert path[0, -1, 0] == pytest.approx(balance, abs=1e-9)


def test_a_nearly_full_lattice_is_followed_in_smaller_steps():
    """It relaxes at 6.4 per time step, on which one Runge-Kutta step is unstable."""
    coefficients, start = random_coefficients(NEARLY_FULL, 0.1), np.array([[0.5, 0.0]])
    path = NEARLY_FULL.integrate(coefficients, start, 40)
    fine = replace(NEARLY_FULL, substeps=40).integrate(coefficients, start, 40)
    np.testing.assert_allclose(path, fine, atol=5e-3)
    np.testing.assert_allclose(path[0, -1], fine[0, -1], atol=1e-6)
    span = np.random.default_rng(2).normal(size=(GRID.size, 2))
    exact = NEARLY_FULL.sensitivity(coefficients, path[0], span, np.arange(41))
    for k, direction in enumerate(np.eye(exact.shape[2])):
        ends = [
            NEARLY_FULL.integrate(coefficients + sign * 1e-5 * direction.reshape(-1, 2) @ span.T, start, 40)[0]
            for sign in (1, -1)
        ]
        np.testing.assert_allclose(exact[:, :, k], (ends[0] - ends[1]) / 2e-5, rtol=1e-5, atol=1e-7)


def test_functions_are_linear_in_how_far_rates_are_from_the_reference():
    """Trajectories at other rates are those of a network with these rates and the sum of the functions."""
    system = replace(EPIDEMIC, reference=(0.5, np.nan))
    parts = random_coefficients(system, 0.3, 4), random_coefficients(system, 0.3, 5)
    coefficients, start = np.concatenate(parts), np.array([[0.2, 0.5, 0.1, -0.2], [0.1, 0.3, 0.0, 0.0]])
    constants = np.array([[0.7, 0.3], [0.2, 0.9]])
    path = system.integrate(coefficients, start, 6, 2, constants)
    for index, (probability, rate) in enumerate(constants):
        network = ReactionNetwork.from_equations(
            ("A", "S"), [("A + S -> 2A", {"probability": probability}), ("A -> 2A", {"rate": rate})]
        )
        alone = replace(EPIDEMIC, network=network)
        whole = parts[0] + (probability / 0.5 - 1) * parts[1]
        np.testing.assert_allclose(path[index], alone.integrate(whole, start[[index]], 6)[0], rtol=1e-12)
        assert not np.allclose(path[index], EPIDEMIC.integrate(parts[0], start[[index]], 6)[0], rtol=1e-3)
