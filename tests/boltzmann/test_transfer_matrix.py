"""The exact chain against enumeration, an independent forward-backward pass, finite differences and known laws."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import chi2

from dbd.boltzmann.chain import Chain

VISIBLE = ("A", "AA", "AAA", "AAAA")
MODELS = [
    ("A",),
    ("A", "AA"),
    ("AAA", "A"),
    VISIBLE,
    ("A", "AX", "X"),
    ("A", "AA", "AAA", "AX", "X"),
    (*VISIBLE, "AX", "X"),
]


def statistics(size, hidden):
    """All configurations of the chain with their statistics A, AA, AAA, AAAA and, if `hidden`, AX and X."""
    sites = np.array(list(product((0, 1), repeat=size)))
    runs = [
        sum(sites[:, i : i + n].all(axis=1) for i in range(size - n + 1)) + np.zeros(len(sites)) for n in range(1, 5)
    ]
    phi = np.stack(runs, axis=1)
    if not hidden:
        return sites, phi
    units = np.array(list(product((0, 1), repeat=size - 1))).reshape(2 ** (size - 1), size - 1)
    weight = ((sites[:, None, :-1] + sites[:, None, 1:]) * units).sum(axis=2)
    joint = np.concatenate([np.repeat(phi[:, None], len(units), axis=1), weight[..., None]], axis=2)
    joint = np.concatenate([joint, np.broadcast_to(units.sum(axis=1), weight.shape)[..., None]], axis=2)
    return np.repeat(sites, len(units), axis=0), joint.reshape(-1, 6)


def enumerated(chain, theta):
    """Log Z, mean, covariance of the observables with the model's own statistics, and with each other: enumeration."""
    _, phi = statistics(chain.size, "X" in chain.parameters)
    energy = phi[:, chain.own] @ theta
    log_z = logsumexp(energy)
    probability = np.exp(energy - log_z)
    mean = probability @ phi
    covariance = (phi - mean).T @ (probability[:, None] * (phi - mean))
    return log_z, mean, covariance[:, chain.own], covariance


def agrees(found, expected, tolerance=1e-12):
    """Largest difference is within `tolerance` of the largest entry (or of one)."""
    return np.abs(np.asarray(found) - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("parameters", MODELS)
def test_small_chains_equal_enumeration(parameters):
    """All sizes from a single site, moderate parameters, every observable and every covariance."""
    generator = np.random.default_rng(1)
    for size in (1, 2, 3, 4, 5, 6, 7) if "X" in parameters else (1, 2, 3, 4, 5, 8, 11, 12):
        chain = Chain(size, parameters)
        theta = generator.normal(0, 1.5, (3, len(parameters)))
        found = chain.cumulants(theta)
        for k in range(3):
            for ours, oracle in zip(found, enumerated(chain, theta[k]), strict=True):
                assert agrees(ours[k], oracle)


def forward_backward(size, theta):
    """Log Z and expected runs of one to four by a pass over windows of three sites, in logarithms.

    `theta` has the coefficients of A, AA, AAA, AAAA. The chain is padded with three empty sites on the left.
    """
    field, pair, triplet, quartet = theta
    windows = list(product((0, 1), repeat=3))

    def step(window, s):
        a, b, c = window
        return s * (field + c * (pair + b * (triplet + a * quartet)))

    forward = [{w: (0.0 if w == (0, 0, 0) else -np.inf) for w in windows}]
    for _ in range(size):
        new = {w: [] for w in windows}
        for w, value in forward[-1].items():
            for s in (0, 1):
                new[(*w[1:], s)].append(value + step(w, s))
        forward.append({w: logsumexp(v) for w, v in new.items()})
    backward = [dict.fromkeys(windows, 0.0)]
    for _ in range(size):
        backward.append({w: logsumexp([step(w, s) + backward[-1][(*w[1:], s)] for s in (0, 1)]) for w in windows})
    backward.reverse()
    log_z = backward[0][(0, 0, 0)]
    runs = np.zeros(4)
    for site in range(size):
        for w in windows:
            here = np.exp(forward[site][w] + step(w, 1) + backward[site + 1][(*w[1:], 1)] - log_z)
            runs += here * np.array([1, w[2], w[2] * w[1], w[2] * w[1] * w[0]])
    return log_z, runs


@pytest.mark.parametrize("size", [49, 64])
def test_moments_equal_an_independent_forward_backward_pass(size):
    """The third point mixes slowly: its two ordered states are almost equally likely."""
    theta = np.array([[0.4, -1.1, 0.7, 0.3], [-0.5, 1.2, -2.0, 1.5], [-8.0, 8.0, 0.0, 0.0]])
    found = Chain(size, VISIBLE).cumulants(theta)
    for k in range(len(theta)):
        log_z, runs = forward_backward(size, theta[k])
        assert agrees(found.log_z[k], log_z) and agrees(found.mean[k], runs)


@pytest.mark.parametrize("parameters", MODELS)
def test_derivatives_equal_finite_differences_of_log_z(parameters):
    """Central differences of log Z (step 1e-4) give the means, those of the means the Jacobian."""
    chain = Chain(1000, parameters)
    theta = np.random.default_rng(2).uniform(-1, 1, len(parameters))
    step = 1e-4 * np.eye(len(theta))
    up, here, down = chain.cumulants(theta + step), chain.cumulants(theta), chain.cumulants(theta - step)
    assert agrees((up.log_z - down.log_z) / 2e-4, here.mean[chain.own], 1e-7)
    assert agrees((up.mean - down.mean).T / 2e-4, here.jacobian, 1e-6)
    assert agrees(here.jacobian[chain.own], here.jacobian[chain.own].T)


@pytest.mark.parametrize(
    ("theta", "mean", "ways"),
    [
        ([100.0, 0.0, 0.0, 0.0], [1000, 999, 998, 997], 1),
        ([-100.0, 0.0, 0.0, 0.0], [0, 0, 0, 0], 1),
        ([-60.0, 120.0, 0.0, 0.0], [1000, 999, 998, 997], 1),
        ([100.0, -300.0, 0.0, 0.0], [500, 0, 0, 0], 501),
        ([60.0, 60.0, -400.0, 0.0], [667, 333, 0, 0], 334),
        ([90.0, 90.0, 90.0, -600.0], [750, 500, 250, 0], 251),
    ],
)
def test_strong_couplings_reach_the_ground_state(theta, mean, ways):
    """Without overflow; `ways` is the number of ground states."""
    found = Chain(1000, VISIBLE).cumulants(theta)
    assert np.isfinite(found.jacobian).all()
    assert np.allclose(found.mean, mean, rtol=0, atol=1e-6)
    assert np.isclose(found.log_z, np.dot(theta, mean) + np.log(ways), rtol=1e-12, atol=1e-6)


def test_long_chains_are_extensive():
    """Doubling a long chain adds a constant to everything: the third difference in length vanishes."""
    theta = [0.3, -0.5, 0.8, -0.2]
    small, middle, large = (Chain(size, VISIBLE).cumulants(theta) for size in (100_000, 200_000, 300_000))
    for low, centre, high in zip(small, middle, large, strict=True):
        assert np.allclose(high - centre, centre - low, rtol=1e-10)


def test_hidden_layer_is_an_effective_ising_chain():
    """Summed out, hidden units leave a field, a non-negative pair coupling and a field on the two ends."""
    rng = np.random.default_rng(3)
    for h, weight, bias in rng.normal(0, 2, (20, 3)):
        g = 1 + np.exp(bias + weight * np.arange(3))
        pair = np.log(g[0] * g[2] / g[1] ** 2)
        assert pair >= 0
        hidden = Chain(9, ("A", "AX", "X"))
        visible = Chain(9, ("A", "AA"))
        sites, phi = statistics(9, hidden=False)
        energy = phi[:, :2] @ [h + 2 * np.log(g[1] / g[0]), pair] - np.log(g[1] / g[0]) * (sites[:, 0] + sites[:, -1])
        probability = np.exp(energy - logsumexp(energy))
        assert agrees(hidden.cumulants([h, weight, bias]).mean[:4], probability @ phi)
        assert len(visible.observables) == 4


def test_hidden_parameters_are_identifiable_only_along_a_curve():
    """The mirror image (W -> -W, b -> b + 2 W) has the same pair coupling: visible moments differ by end effects."""
    h, weight, bias = 0.2, 1.0, -0.5
    field = [np.log1p(np.exp(b + w)) - np.log1p(np.exp(b)) for w, b in ((weight, bias), (-weight, bias + 2 * weight))]
    theta = [[h, weight, bias], [h + 2 * (field[0] - field[1]), -weight, bias + 2 * weight]]
    mean = Chain(1000, ("A", "AX", "X")).cumulants(theta).mean
    assert np.abs(mean[0, :4] - mean[1, :4]).max() < 1
    assert np.abs(mean[0, 4:] - mean[1, 4:]).min() > 100


def law(chain, theta):
    """Probability of every visible lattice, in C order, by enumeration."""
    sites, phi = statistics(chain.size, "X" in chain.parameters)
    energy = phi[:, chain.own] @ theta
    index = sites @ (1 << np.arange(chain.size)[::-1])
    probability = np.bincount(index, weights=np.exp(energy - logsumexp(energy)))
    return probability


def fits(sample, probability):
    """Whether sampled lattices (samples, size) fit `probability` by a chi-square test of level 1e-7."""
    index = sample @ (1 << np.arange(sample.shape[1])[::-1])
    expected = len(sample) * probability
    distance = ((np.bincount(index, minlength=len(probability)) - expected) ** 2 / expected).sum()
    return distance < chi2.isf(1e-7, len(probability) - 1)


@pytest.mark.parametrize(("size", "parameters"), [(1, ("A",)), (7, VISIBLE), (7, ("A", "AA", "AX", "X"))])
def test_samples_follow_the_enumerated_law(size, parameters):
    """Chi-square over all lattices; false alarm 1e-7. A weight that is 10 % off must be caught."""
    chain = Chain(size, parameters)
    theta = np.array([0.3, -0.6, 0.9, 0.4])[: len(parameters)]
    sample = chain.sample(theta, 200_000, np.random.default_rng(5))
    assert fits(sample, law(chain, theta))
    assert not fits(sample, law(chain, 1.1 * theta))


def test_long_samples_have_the_exact_moments():
    """Six means of 4000 chains of 1000 sites within 5.5 standard errors of the exact ones.

    False alarm 4e-8 for each of six. A field that is off by 0.02 must be caught.
    """
    chain = Chain(1000, ("A", "AA", "AX", "X"))
    theta = np.array([0.4, 0.5, -0.7, 0.3])
    sites = chain.sample(theta, 4000, np.random.default_rng(6)).astype(int)
    windows = [np.lib.stride_tricks.sliding_window_view(sites, length, axis=1) for length in range(1, 5)]
    on_bond = sites[:, 1:] + sites[:, :-1]
    active = expit(theta[3] + theta[2] * on_bond)
    values = np.stack(
        [w.all(axis=2).sum(axis=1) for w in windows] + [(active * on_bond).sum(axis=1), active.sum(axis=1)]
    )
    error = values.std(axis=1) / np.sqrt(4000)
    assert (np.abs(values.mean(axis=1) - chain.cumulants(theta).mean) < 5.5 * error).all()
    wrong = chain.cumulants(theta + 0.02 * np.eye(4)[0]).mean
    assert not (np.abs(values.mean(axis=1) - wrong) < 5.5 * error).any()


def test_shapes_follow_the_parameters_and_points_do_not_interact():
    chain = Chain(1000, ("AA", "A", "AX", "X"))
    theta = np.random.default_rng(7).uniform(-1, 1, (5, 3, 4))
    found = chain.cumulants(theta)
    assert found.log_z.shape == (5, 3) and found.mean.shape == (5, 3, 6) and found.jacobian.shape == (5, 3, 6, 4)
    assert np.array_equal(found.jacobian[2, 1], chain.cumulants(theta[2, 1]).jacobian)


@pytest.mark.parametrize("parameters", [(), ("A", "A"), ("A", "AX"), ("A", "X"), ("A", "AAAAA"), ("A", "AB", "BA")])
def test_unknown_statistics_are_refused(parameters):
    with pytest.raises(ValueError, match="expected rows of"):
        Chain(10, parameters)
