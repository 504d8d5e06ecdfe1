"""Entropic matching with sampled lattices: enumeration of a tiny lattice, and the pair approximation of a chain."""

from functools import partial
from itertools import combinations

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from dbd.evaluation.baselines import independent
from dbd.kinetics.closures import Closure
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.learning import sampled_entropic_matching
from dbd.learning.event_drift import event_drift
from dbd.learning.sampled_entropic_matching import SampledMatching
from dbd.numerics.random_streams import stream


def test_molecules_that_only_move_against_all_their_lattices():
    """Pairs of four molecules on nine sites come apart; the bound is several errors of sampling, of 900 chains.

    Moves that are a third faster are outside of it.
    """
    lattice, network, dt, steps = Lattice((3, 3)), ReactionNetwork.from_equations("A", []), 0.1, 8
    states = np.zeros((126, 9), np.uint8)
    for state, sites in zip(states, combinations(range(9), 4), strict=True):
        state[list(sites)] = 1
    pairs = count_observables(states, lattice, "A", ["AA"])[:, 0].astype(float)
    drift = event_drift(states, network, lattice, dt)[:, 1]

    def chances(mean):
        def weights(coupling):
            weight = np.exp(coupling * pairs)
            return weight / weight.sum()

        return weights(brentq(lambda coupling: weights(coupling) @ pairs - mean, -20, 20))

    times = dt * np.arange(2 * steps + 1)
    path = solve_ivp(
        lambda _, mean: [chances(mean[0]) @ drift], (0, times[-1]), [3.4], rtol=1e-8, dense_output=True
    ).sol
    exact, faster = path(times[: steps + 1])[0], path(4 / 3 * times[: steps + 1])[0]
    matching = SampledMatching(network, lattice, dt)
    found = matching.integrate(np.array([4.0, 3.4]), steps, partial(stream, 1, "moving"))
    assert (found[:, 0] == 4.0).all()
    np.testing.assert_allclose(found[:, 1], exact, atol=0.08)
    assert np.abs(found[:, 1] - faster).max() > 0.08
    assert exact[0] - exact[-1] > 0.6


def test_pairs_of_a_chain_are_the_pair_approximation(monkeypatch):
    """At a composition that is as good as its mean, on 1000 sites; and not at a probability a fifth larger."""
    monkeypatch.setattr(sampled_entropic_matching, "SITES", 32_000)
    network = ReactionNetwork.from_equations("A", [("A + A -> 0", {"probability": 0.5}), ("A -> 2A", {"rate": 1.0})])
    lattice, dt, steps = Lattice((1000,), "periodic"), 0.1, 15
    start = independent(np.array([0.6]))
    closed = Closure(network, 1, dt, True).integrate(start, steps)
    exact = 1000 * np.stack([closed.single[:, 1], closed.pair[:, 1, 1]], axis=1)
    streams = partial(stream, 1, "chain")
    found = SampledMatching(network, lattice, dt).integrate(exact[0], steps, streams)
    np.testing.assert_allclose(found[:, 0], exact[:, 0], rtol=0.02)
    np.testing.assert_allclose(found[:, 1], exact[:, 1], rtol=0.1)
    wrong = SampledMatching(network.with_constants([0.6, 1.0]), lattice, dt).integrate(exact[0], steps, streams)
    assert not np.allclose(wrong[:, 0], exact[:, 0], rtol=0.06)
