"""Entropic matching on a chain: the master equation of a ring, the pair approximation, exact decay, stiff starts."""

from dataclasses import replace

import numpy as np
import pytest

from dbd.kinetics.closures import Closure, Probabilities
from dbd.kinetics.entropic_matching import ChainMatching
from dbd.kinetics.moment_hierarchy import conversions, turns
from dbd.kinetics.reactions import ReactionNetwork

NETWORK = ReactionNetwork.from_equations(
    ("A",), [("A + A -> 0", {"probability": 0.3}), ("A -> 0", {"rate": 2.0}), ("0 -> A", {"rate": 3.0})]
)
WORDS = ((1,), (1, 1), (1, 1, 1))
RING = 14


def ring(theta):
    """Occupancies of all states of a ring, its statistics per site and the Boltzmann weight of each state."""
    states = np.indices((2,) * RING, np.int8).reshape(RING, -1).T
    runs = [states]
    for k in (1, 2):
        runs.append(runs[-1] * np.roll(states, -k, axis=1))
    statistics = np.stack([run.sum(axis=1) for run in runs], axis=1).astype(float)
    weight = np.exp(statistics @ theta)
    return states, statistics, weight / weight.sum()


def generator(network, states, statistics):
    """Change of the statistics per unit of time, of every state: all possible events, one by one."""
    change, place = np.zeros(statistics.shape), 2 ** np.arange(RING)[::-1]
    for event in [*turns(network, 1, 0.1), *conversions(network, 1)]:
        for origin in range(RING):
            sites = [(origin + site[0]) % RING for site in event.before]
            held = np.all(
                [states[:, k] == value for k, value in zip(sites, event.before.values(), strict=True)], axis=0
            )
            after = states[held].copy()
            for site, value in event.after.items():
                after[:, (origin + site[0]) % RING] = value
            change[held] += event.rate * (statistics[after @ place] - statistics[held])
    return change


@pytest.mark.parametrize("theta", [[0.3, -0.5, 0.4], [-1.0, 0.6, -0.3]])
def test_slope_is_the_projected_master_equation_of_a_ring(theta):
    """Correlations fall off so fast that a ring of 14 sites is as good as a chain without ends."""
    theta = np.array(theta)
    states, statistics, weight = ring(theta)
    mean = weight @ statistics
    fisher = (statistics * weight[:, None]).T @ statistics - np.outer(mean, mean)
    exact = np.linalg.solve(fisher, weight @ generator(NETWORK, states, statistics))
    matching = ChainMatching(NETWORK, 0.1, WORDS)
    np.testing.assert_allclose(matching.moments(theta[None], WORDS)[0], mean / RING, rtol=1e-3)
    np.testing.assert_allclose(matching.slope(theta[None])[0], exact, rtol=1e-2, atol=2e-2)
    wrong = replace(matching, network=NETWORK.with_constants([0.33, 2.0, 3.0]))
    assert not np.allclose(wrong.slope(theta[None])[0], exact, rtol=1e-2, atol=2e-2)


def probabilities(matching, theta):
    """Occupancies of a site and a bond, of all species."""
    states = len(matching.network.species) + 1
    pair = matching.probabilities(theta[None]).reshape(states, states, -1).sum(axis=-1)
    return Probabilities(pair.sum(axis=1), pair)


@pytest.mark.parametrize("births", [False, True])
def test_order_two_is_the_pair_approximation(births):
    species = ("A", "B")
    equations = [("A + B -> 2B", {"probability": 0.4}), ("B -> 0", {"rate": 1.0})]
    equations += [("A -> 2A", {"rate": 2.0})] * births
    network = ReactionNetwork.from_equations(species, equations)
    matching = ChainMatching(network, 0.1, ((1,), (2,), (1, 1), (1, 2), (2, 2)))
    theta = np.array([-0.5, -1.0, 0.3, -0.4, 0.2])
    path = matching.integrate(theta[None], 20)[0]
    closed = Closure(network, 1, 0.1, True).integrate(probabilities(matching, theta), 20)
    np.testing.assert_allclose([probabilities(matching, point).pair for point in path], closed.pair, atol=1e-4)


def test_many_conditions_are_those_alone_and_nearly_full_lattices_are_followed():
    network = ReactionNetwork.from_equations(("A",), [("A + A -> 0", {"probability": 0.5})])
    matching = ChainMatching(network, 0.01, WORDS)
    starts = np.array([[1.0, 1.0, 1.0], [-1.0, 0.5, 0.0]])
    path = matching.integrate(starts, 100)
    assert np.isfinite(path).all()
    density = matching.moments(path[0], WORDS)[:, 0]
    assert density[0] > 0.9 and (np.diff(density) < 0).all() and density[-1] < 0.05
    for start, found in zip(starts, path, strict=True):
        np.testing.assert_allclose(matching.integrate(start[None], 100)[0], found, atol=1e-3)


def test_decay_of_single_molecules_is_exact():
    network = ReactionNetwork.from_equations(("A",), [("A -> 0", {"rate": 2.0})])
    matching = ChainMatching(network, 0.1, WORDS)
    path = matching.integrate(np.array([[0.5, 0.0, 0.0]]), 10)[0]
    np.testing.assert_allclose(
        matching.moments(path, WORDS)[:, 0], np.exp(-0.2 * np.arange(11)) / (1 + np.exp(-0.5)), rtol=1e-4
    )
