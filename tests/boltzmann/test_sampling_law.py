"""Sampled moments and their covariance Jacobian."""

import numpy as np

from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.sampling_law import SHIFT, SamplingLaw
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

LATTICE = Lattice((4, 4))


def test_covariance_is_the_derivative_for_independent_sites():
    """One sweep draws independent sites exactly: N_s is binomial. All |z| below 6, false alarms below 1e-7."""
    theta, lattices = np.array([-0.5, 0.3]), 4000
    law = SamplingLaw(Sampler(EnergyModel(LATTICE, ("A", "B"), ("A", "B"))), ("A", "B"), lattices, 1)
    density = np.exp(theta) / (1 + np.exp(theta).sum())
    covariance = LATTICE.size * (np.diag(density) - np.outer(density, density))

    def holds(mean: np.ndarray, jacobian: np.ndarray) -> bool:
        z_mean = (mean - LATTICE.size * density) / np.sqrt(np.diag(covariance) / lattices)
        variance = (np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / lattices
        return max(abs(z_mean).max(), (abs(jacobian - covariance) / np.sqrt(variance)).max()) < 6

    found = law.response(theta, stream(1, "sampled"))
    assert holds(*found)
    assert not holds(found.mean, -found.jacobian)
    assert not holds(found.mean[::-1], found.jacobian)


def test_differences_are_the_derivative_for_independent_sites():
    """One sweep with common random numbers: sites that change are binomial. |z| below 6, false alarms below 1e-8."""
    theta, lattices = np.array([-0.5, 0.3]), 2000
    law = SamplingLaw(Sampler(EnergyModel(LATTICE, ("A", "B"), ("A", "B"))), ("A", "B"), lattices, 1)
    mean = law.response(theta, stream(7, "differences")).mean
    found = law.differences(theta, mean, np.array([True, False]), lambda: stream(7, "differences"))

    def density(shift: float) -> np.ndarray:
        weight = np.exp(theta + np.array([shift, 0.0]))
        return weight / (1 + weight.sum())

    change = density(SHIFT) - density(0)
    error = np.sqrt(abs(change) * LATTICE.size / lattices) / SHIFT

    def holds(slopes: np.ndarray) -> bool:
        return (abs(slopes - LATTICE.size * change / SHIFT) < 6 * error).all()

    assert holds(found[:, 0])
    assert (found[:, 1] == 0).all()
    other = law.differences(theta, mean, np.array([True, False]), lambda: stream(8, "differences"))
    assert not holds(-found[:, 0])
    assert abs(other[:, 0] - found[:, 0]).max() > 3 * error.max()  # without common random numbers


def test_statistics_are_those_of_the_model():
    """Hidden layers included."""
    layer = Layer(("X",), ("AX",), ((0, 0), (0, 1)))
    model = EnergyModel(LATTICE, ("A",), ("A", "AA"), (layer,))
    law = SamplingLaw(Sampler(model), ("A", "AA"), 50, 5, "random")
    theta = np.array([-0.5, 0.2, 0.4, -1.0])
    states = law.draw(theta, stream(2, "hidden"))
    visible = law.sampler.visible(states)
    statistics = model.statistics(visible, law.sampler.hidden(states))
    words = EnergyModel(LATTICE, ("A",), ("A", "AA")).statistics(visible)
    mean, jacobian = law.response(theta, stream(2, "hidden"))
    np.testing.assert_allclose(mean, words.mean(axis=0))
    expected = np.cov(np.concatenate([words, statistics], axis=1).T)[:2, 2:]
    np.testing.assert_allclose(jacobian, expected, atol=1e-12)
