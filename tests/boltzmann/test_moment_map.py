"""Maps from parameters to moments: exact ones against enumeration, sampled ones against exact ones."""

import itertools

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.moment_map import ExactMoments, Moments
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
    """Mean counts over all states of the lattice, and their covariance."""
    states = np.array(list(itertools.product((0, 1), repeat=LATTICE.size)), np.uint8)
    counts = count_observables(states, LATTICE, ["A"], OBSERVABLES)
    weights = np.exp(counts[:, 1:] @ theta)
    weights /= weights.sum()
    centred = counts - weights @ counts
    return weights @ counts, (weights[:, None] * centred).T @ centred


def test_exact_moments():
    moments = ExactMoments(MODEL, OBSERVABLES).moments(THETA)
    for point in np.ndindex(THETA.shape[:2]):
        mean, covariance = enumerated(THETA[point])
        np.testing.assert_allclose(moments.mean[point], mean, rtol=1e-11)
        np.testing.assert_allclose(moments.covariance[point], covariance, rtol=1e-10)
        np.testing.assert_allclose(moments.std[point] ** 2, np.diag(covariance), rtol=1e-10)
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


def test_sampled_covariance():
    """As numpy has it, and with the standard error of the mean that follows."""
    counts = np.random.default_rng(3).poisson(5, (2, 1, 40, 3))
    moments = Moments.of(counts)
    np.testing.assert_allclose(moments.covariance[1, 0], np.cov(counts[1, 0].T), rtol=1e-12)
    np.testing.assert_allclose(moments.std, counts.std(axis=2, ddof=1), rtol=1e-12)
    np.testing.assert_allclose(moments.sem, moments.std / np.sqrt(40), rtol=1e-12)


@pytest.mark.parametrize("moment_map", [ExactMoments(MODEL, OBSERVABLES), law()], ids=["exact", "sampled"])
def test_lattices_that_are_drawn(moment_map):
    """Means of 400 lattices within 6 standard errors of exact ones (false alarm 1e-8), not of other parameters."""
    drawn = moment_map.draw_visible(THETA[0, 0], 400, generator_of("draw"))
    counts = count_observables(drawn, LATTICE, ["A"], OBSERVABLES)
    mean, covariance = enumerated(THETA[0, 0])
    error = 6 * np.sqrt(np.diag(covariance) / 400)
    assert (np.abs(counts.mean(axis=0) - mean) < error).all()
    assert not (np.abs(counts.mean(axis=0) - enumerated(THETA[0, 1])[0]) < error).all()


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
