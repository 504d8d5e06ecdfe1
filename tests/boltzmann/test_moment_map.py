"""Maps from parameters to moments: exact ones against enumeration, sampled ones against exact ones."""

import itertools

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.moment_map import ExactMoments
from dbd.boltzmann.sampling_law import SamplingLaw
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.numerics.random_streams import stream

LATTICE = Lattice((8,))
MODEL = EnergyModel(LATTICE, ("A",), ("A", "AA"))
OBSERVABLES = ["AAA", "A", "AA"]
THETA = np.array([[[-0.5, 0.8], [0.2, -0.4]], [[0.0, 0.0], [1.0, -2.0]]])  # (initial condition, time, parameter)
LAW = {"lattices": 300, "sweeps": 30, "start": "empty"}


def law(observables=OBSERVABLES, **changes):
    """The sampling law above, or another one."""
    return SamplingLaw(Sampler(MODEL), observables, **LAW | changes)


def generator_of(*place):
    """Stream of initial condition, time and chain."""
    return stream(11, *place)


def enumerated(theta):
    """Mean counts over all states of the lattice."""
    states = np.array(list(itertools.product((0, 1), repeat=LATTICE.size)), np.uint8)
    counts = count_observables(states, LATTICE, ["A"], OBSERVABLES)
    weights = np.exp(counts[:, 1:] @ theta)
    return weights @ counts / weights.sum()


def test_exact_moments():
    moments = ExactMoments(MODEL, OBSERVABLES).moments(THETA)
    wanted = np.array([[enumerated(theta) for theta in row] for row in THETA])
    np.testing.assert_allclose(moments.mean, wanted, rtol=1e-11)
    assert (moments.sem == 0).all()


def agree(sampled, exact):
    """Whether sampled means are within 6 standard errors of exact ones."""
    return (np.abs(sampled.mean - exact) <= 6 * sampled.sem).all()


def test_sampled_moments():
    """Twelve means within 6 standard errors: false alarm 3e-8 for normal means; a wrong time or order is caught."""
    sampled, exact = law().moments(THETA, generator_of), ExactMoments(MODEL, OBSERVABLES).moments(THETA)
    assert sampled.mean.shape == sampled.sem.shape == (2, 2, 3)
    assert agree(sampled, exact.mean)
    assert not agree(sampled, exact.mean[:, ::-1])
    assert not agree(sampled, exact.mean[::-1])
    assert not agree(sampled, exact.mean[..., ::-1])


@pytest.mark.parametrize("start", ["empty", "random"])
def test_one_stream_a_chain(start):
    """Neither threads nor what else is predicted changes a prediction."""
    few = law(lattices=4, start=start)
    alone, threaded = few.moments(THETA[:1], generator_of), few.moments(THETA, generator_of, threads=2)
    for one, other in zip(alone, threaded, strict=True):
        assert (one[0] == other[0]).all()


def test_start_of_chains_matters():
    """With few sweeps the declared start is part of the law."""
    means = {
        start: law(["A"], sweeps=1, start=start).moments(np.array([[[-1.0, 3.0]]]), generator_of).mean
        for start in ("empty", "random")
    }
    assert abs(means["empty"] - means["random"]) > 0.5


def test_means_by_sweeps_are_those_of_laws_with_these_sweeps():
    """The same chains: equal where the streams are, after the first number of sweeps; exact after many."""
    means = law().means_by_sweeps(THETA, [2, 30], generator_of)
    few = law(sweeps=2).moments(THETA, generator_of)
    np.testing.assert_array_equal(means[0], few.mean)
    many = law().moments(THETA, generator_of)
    assert (np.abs(means[1] - many.mean) < 6 * np.sqrt(2) * many.sem).all()
