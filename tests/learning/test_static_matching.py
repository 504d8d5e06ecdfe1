"""Static matching against known parameters, the likelihood of explicit lattices, and data that determine nothing."""

from itertools import product

import numpy as np
import pytest
from scipy.special import logsumexp

from dbd.boltzmann.chain import Chain
from dbd.learning import static_matching as matching
from dbd.learning.static_matching import PENALTY, match, objective

OBSERVABLES = ("A", "AA", "AAA", "AAAA")
VISIBLE = [("A",), ("A", "AA"), ("AAA", "A"), ("A", "AA", "AAA"), OBSERVABLES]
HIDDEN = [("A", "AX", "X"), ("A", "AA", "AX", "X")]


def moments_of(chain, theta):
    """Exact visible moments."""
    return chain.cumulants(theta).mean[..., :4]


def runs(lattice):
    """Counts of one to four particles in a row."""
    return [sum(lattice[i : i + n].all() for i in range(len(lattice) - n + 1)) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize("parameters", VISIBLE)
def test_known_parameters_are_recovered(parameters):
    """Exact moments of a visible chain, two leading axes, with a vanishing prior."""
    chain = Chain(60, parameters)
    theta = np.random.default_rng(1).uniform(-1, 1, (3, 4, len(parameters)))
    found = match(chain, moments_of(chain, theta), OBSERVABLES, penalty=1e-10)
    assert np.abs(found - theta).max() < 1e-6


def test_prior_shifts_a_moment_by_penalty_times_parameter():
    """At the optimum of a visible model the mismatch is known exactly."""
    chain = Chain(200, ("A", "AA", "AAA"))
    theta = np.random.default_rng(2).uniform(-1, 1, (20, 3))
    data = moments_of(chain, theta)
    found = match(chain, data, OBSERVABLES)
    assert np.abs(moments_of(chain, found)[:, :3] - data[:, :3] + PENALTY * found).max() < 1e-6


@pytest.mark.parametrize("parameters", HIDDEN)
def test_hidden_chain_reaches_particles_and_pairs(parameters):
    """Where the family contains the data it matches A and AA, up to the prior and the two end sites."""
    chain = Chain(1000, parameters)
    theta = np.random.default_rng(3).uniform(-1, 1, (20, len(parameters)))
    data = moments_of(chain, theta)
    assert np.abs(moments_of(chain, match(chain, data, OBSERVABLES)) - data)[:, :2].max() < 0.3


@pytest.mark.parametrize("parameters", HIDDEN)
def test_result_is_a_minimum(parameters):
    """The gradient vanishes and the Hessian is positive definite, for random data with couplings of either sign."""
    chain = Chain(300, parameters)
    data = moments_of(Chain(300, OBSERVABLES), np.random.default_rng(4).uniform(-1, 1, (30, 4)))
    found = objective(chain, match(chain, data, OBSERVABLES), data, OBSERVABLES)
    assert np.abs(found.gradient).max() < 1e-6
    assert np.linalg.eigvalsh(found.hessian).min() > 0
    assert np.allclose(found.curvature, found.hessian, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("parameters", VISIBLE + HIDDEN)
def test_objective_is_the_mean_log_likelihood(parameters):
    """Data are all cyclic shifts of a lattice, so that an end site is an average site and nothing is approximated."""
    size = 7
    chain = Chain(size, parameters)
    theta = np.random.default_rng(5).normal(0, 1, len(parameters))
    coefficient = dict(zip(parameters, theta, strict=True))
    lattices = np.array([np.roll([1, 1, 0, 1, 0, 0, 1], shift) for shift in range(size)])
    units = np.array(list(product((0, 1), repeat=size - 1)))

    def log_weight(lattice):
        visible = sum(
            coefficient.get(name, 0.0) * count for name, count in zip(OBSERVABLES, runs(lattice), strict=True)
        )
        if "X" not in coefficient:
            return visible
        drive = coefficient["AX"] * (lattice[:-1] + lattice[1:]) + coefficient["X"]
        return visible + logsumexp(units @ drive)

    log_z = logsumexp([log_weight(np.array(lattice)) for lattice in product((0, 1), repeat=size)])
    expected = log_z - np.mean([log_weight(lattice) for lattice in lattices])
    data = np.mean([runs(lattice) for lattice in lattices], axis=0)
    assert objective(chain, theta, data, OBSERVABLES, penalty=0.0).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("parameters", VISIBLE + HIDDEN)
def test_derivatives_equal_finite_differences(parameters):
    """Central differences of the value and of the gradient."""
    chain = Chain(50, parameters)
    theta = np.random.default_rng(6).uniform(-1, 1, len(parameters))
    data = np.array([20.0, 9.0, 5.0, 3.0])
    shift = 1e-5 * np.eye(len(parameters))
    plus, minus = (objective(chain, theta + sign * shift, data, OBSERVABLES) for sign in (1, -1))
    found = objective(chain, theta, data, OBSERVABLES)
    assert np.allclose((plus.value - minus.value) / 2e-5, found.gradient, rtol=1e-7, atol=1e-7)
    assert np.allclose((plus.gradient - minus.gradient) / 2e-5, found.hessian, rtol=1e-7, atol=1e-7)


def test_gauge_has_weights_of_one_sign():
    """Of the two branches of equivalent hidden layers the one around the prior's centre is chosen, up to the prior."""
    chain = Chain(1000, ("A", "AX", "X"))
    data = moments_of(Chain(1000, ("A", "AA", "AAA")), np.random.default_rng(9).uniform(-1, 1, (200, 3)))
    assert match(chain, data, OBSERVABLES)[:, 1].min() > -1e-2


def test_repulsion_switches_the_hidden_layer_off():
    """The effective coupling of a hidden layer is never negative: the best weight is near zero, and A still agrees."""
    data = moments_of(Chain(1000, ("A", "AA")), np.array([0.5, -0.8]))
    chain = Chain(1000, ("A", "AX", "X"))
    found = match(chain, data, OBSERVABLES)
    model = moments_of(chain, found)
    assert abs(found[1]) < 0.1
    assert abs(model[0] - data[0]) < 0.1
    assert model[1] > data[1] + 20


@pytest.mark.parametrize("parameters", VISIBLE + HIDDEN)
@pytest.mark.parametrize("size", [1, 2, 30, 1000])
def test_degenerate_and_noisy_data_stay_finite(parameters, size):
    """Counts of single lattices: empty, full, one particle, one block, every other and third site, and random ones."""
    sites = np.arange(size)
    lattices = [sites < 0, sites >= 0, sites == size // 2, sites < size // 2, sites % 2 == 0, sites % 3 == 0]
    lattices += list(np.random.default_rng(7).random((10, size)) < np.linspace(0, 1, 10)[:, None])
    data = np.array([runs(lattice) for lattice in lattices], float)
    found = match(Chain(size, parameters), data, OBSERVABLES)
    assert np.isfinite(found).all()
    assert np.isfinite(moments_of(Chain(size, parameters), found)).all()


def test_empty_and_full_chains_are_matched():
    """The prior keeps parameters finite at a cost of less than a fifth of a particle."""
    chain = Chain(1000, ("A", "AA", "AAA"))
    data = np.array([[0.0, 0.0, 0.0, 0.0], [1000.0, 999.0, 998.0, 997.0]])
    assert np.abs(moments_of(chain, match(chain, data, OBSERVABLES)) - data).max() < 0.2


@pytest.mark.parametrize("parameters", [("A", "AA", "AAA"), ("A", "AX", "X")])
def test_a_problem_does_not_depend_on_its_neighbours(parameters):
    """Bit for bit the same alone and in a batch, and in any order of the observables."""
    chain = Chain(1000, parameters)
    data = moments_of(Chain(1000, OBSERVABLES), np.random.default_rng(8).uniform(-1, 1, (3, 5, 4)))
    batch = match(chain, data, OBSERVABLES)
    assert np.array_equal(batch[1, 2], match(chain, data[1, 2], OBSERVABLES))
    assert np.array_equal(batch, match(chain, data[..., ::-1], OBSERVABLES[::-1]))


def test_errors():
    """Missing or undefined moments, and a search cut short."""
    chain = Chain(10, ("A", "AX", "X"))
    with pytest.raises(ValueError, match="needs the moment AA; given are A"):
        match(chain, np.array([3.0]), ["A"])
    with pytest.raises(ValueError, match="finite"):
        match(chain, np.array([3.0, np.nan]), ["A", "AA"])


def test_failure_is_reported(monkeypatch):
    """An iteration that stops early raises instead of returning what it has."""
    monkeypatch.setattr(matching, "_ITERATIONS", 1)
    with pytest.raises(RuntimeError, match="1 of 1 sets"):
        match(Chain(10, ("A", "AA")), np.array([3.0, 1.0]), ["A", "AA"])
