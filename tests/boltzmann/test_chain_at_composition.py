"""Exact moments at fixed composition against enumeration, the transfer matrix at free composition, and swaps."""

import numpy as np
import pytest
from scipy.special import logsumexp

from chain_at_composition import cumulants_at_composition
from dbd.boltzmann.chain import Chain
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.swaps import SwapSampler
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

HIDDEN = Layer(("X",), ("AX",), ((0,), (1,)))
MODELS = {
    "one site": EnergyModel(Lattice((1,)), ("A",), ("A",)),
    "pairs of two species": EnergyModel(Lattice((6,)), ("A", "B"), ("A", "AA", "AB", "BB")),
    "words that are not palindromes": EnergyModel(Lattice((7,)), ("A", "B"), ("AAB", "ABBA", "AB")),
    "quartets": EnergyModel(Lattice((9,)), ("A",), ("AA", "AAA", "AAAA")),
    "hidden units": EnergyModel(Lattice((6,)), ("A",), ("A", "AA"), (HIDDEN,)),
    "wide hidden units of two species": EnergyModel(
        Lattice((5,)), ("A", "B"), ("AB",), (Layer(("X", "Y"), ("AX", "BX", "AY"), ((-1,), (2,))),)
    ),
}


def draw_theta(model):
    """Parameters of both signs."""
    return np.random.default_rng(len(model.parameters)).normal(0, 1, len(model.parameters))


def enumerate_states(model):
    """Statistics and numbers of particles of all joint configurations."""
    alphabets = [len(a) + 1 for a, units in zip(model.alphabets, model.units, strict=True) for _ in range(units)]
    states = np.indices(alphabets, np.uint8).reshape(len(alphabets), -1).T
    visible, *hidden = np.split(states, np.cumsum(model.units)[:-1], axis=1)
    numbers = [(visible == 1 + x).sum(axis=1) for x in range(len(model.species))]
    return model.statistics(visible, hidden), np.stack(numbers, axis=1)


@pytest.mark.parametrize("name", MODELS)
def test_all_compositions_agree_with_enumeration(name):
    """Log Z, means and covariances to 1e-10."""
    model = MODELS[name]
    theta = draw_theta(model)
    exact = cumulants_at_composition(model, theta)
    statistics, numbers = enumerate_states(model)
    for composition in np.ndindex(exact.log_z.shape):
        phi = statistics[(numbers == composition).all(axis=1)]
        if not len(phi):
            assert exact.log_z[composition] == -np.inf
            continue
        exponents = phi @ theta
        weight = np.exp(exponents - logsumexp(exponents))
        mean = weight @ phi
        assert exact.log_z[composition] == pytest.approx(logsumexp(exponents), abs=1e-10)
        assert exact.mean[composition] == pytest.approx(mean, abs=1e-10)
        covariance = (phi - mean).T @ (weight[:, None] * (phi - mean))
        assert exact.covariance[composition] == pytest.approx(covariance, abs=1e-10)


@pytest.mark.parametrize(
    ("parameters", "layers", "theta"),
    [(("A", "AA", "AAA"), (), (-0.5, 0.9, -0.4)), (("A", "AX", "X"), (HIDDEN,), (0.4, -1.1, 0.7))],
)
def test_mixture_of_all_compositions_is_the_free_chain(parameters, layers, theta):
    """Weights exp(log Z_N) give log Z, means and Fisher matrix of the transfer matrix on 300 sites, to 1e-9."""
    visible = tuple(word for word in parameters if set(word) == {"A"})
    model = EnergyModel(Lattice((300,)), ("A",), visible, layers)
    at = cumulants_at_composition(model, np.array(theta))
    free = Chain(300, parameters).cumulants(np.array(theta))
    log_z = logsumexp(at.log_z)
    weight = np.exp(at.log_z - log_z)
    mean = weight @ at.mean
    between = (at.mean - mean).T @ (weight[:, None] * (at.mean - mean))
    own = Chain(300, parameters).own
    assert log_z == pytest.approx(free.log_z, rel=1e-12)
    assert mean == pytest.approx(free.mean[own], rel=1e-9)
    covariance = np.tensordot(weight, at.covariance, 1) + between
    assert covariance == pytest.approx(free.jacobian[own], rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("layers", [(), (HIDDEN,)])
def test_swaps_have_the_exact_moments(layers):
    """400 chains of 200 sites: means within 6 standard errors, variances within 40 %; false alarm below 1e-6."""
    model = EnergyModel(Lattice((200,)), ("A",), ("AA", "AAA"), layers)
    theta = np.array([0.8, -0.5, 0.9, -0.3][: len(model.parameters)])
    exact = cumulants_at_composition(model, theta)
    sampler = SwapSampler(model)
    generators = [stream(30, chain) for chain in range(400)]
    states = sampler.gibbs.empty(400)
    states[:, :80] = 1
    sampler.sample(theta, states, generators, 150)
    drawn = model.statistics(sampler.gibbs.visible(states), sampler.gibbs.hidden(states))
    variance = np.diag(exact.covariance[80])
    assert np.abs((drawn.mean(axis=0) - exact.mean[80]) / np.sqrt(variance / 400)).max() < 6
    assert drawn.var(axis=0) == pytest.approx(variance, rel=0.4)


def test_errors():
    """One line that says what does not fit."""
    with pytest.raises(ValueError, match="expected an open chain"):
        cumulants_at_composition(EnergyModel(Lattice((5, 5)), ("A",), ("A",)), [0.0])
    with pytest.raises(ValueError, match="hidden layers: expected at most one"):
        layer = Layer(("X",), ("AX",), bonds=True)
        cumulants_at_composition(EnergyModel(Lattice((5,)), ("A",), ("A",), (layer,)), [0.0, 0, 0])
