"""Gibbs sampling against enumeration: exact conditional laws, then chi-square tests of what the kernel draws."""

import itertools

import numpy as np
import pytest
from scipy.stats import chisquare

from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.gibbs import Sampler
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

CORNERS = tuple(itertools.product((0, 1), repeat=3))
PAIRS = ("A", "B", "C", "AA", "AB", "AC", "BB", "BC", "CC")
FALSE_ALARM = 1e-7

MODELS = {
    "quartets on a chain": EnergyModel(Lattice((9,)), ("A",), ("A", "AA", "AAA", "AAAA")),
    "words that are not palindromes": EnergyModel(Lattice((5,)), ("A", "B"), ("A", "B", "AAB", "ABBA", "AB")),
    "triplets on a torus": EnergyModel(Lattice((3, 3), "periodic"), ("A", "B"), ("A", "B", "AB", "AAB")),
    "three species and a hidden unit": EnergyModel(
        Lattice((2, 2, 2)), ("A", "B", "C"), PAIRS, (Layer(("X", "Y", "Z"), ("AX", "BY", "CZ"), CORNERS),)
    ),
    "wrapping hidden layer": EnergyModel(
        Lattice((2, 2, 2)), ("A",), ("A", "AA"), (Layer(("X",), ("AX",), ((0, 0, 0), (1, 0, 0)), wrap=True),)
    ),
    "hidden units on bonds and at walls": EnergyModel(
        Lattice((2, 2)), ("A", "B"), ("A", "B"), (Layer(("X",), ("AX", "BX"), bonds=True),)
    ),
    "eight species": EnergyModel(
        Lattice((2, 2)), tuple("ABCDEFGH"), ("A", "AA", "AB", "BC", "CH", "DE", "FF", "GH", "HH")
    ),
    "deep chain": EnergyModel(
        Lattice((5,)),
        ("A",),
        ("A", "AA"),
        (Layer(("X",), ("AX",), ((0,), (1,))), Layer(("Y", "Z"), ("XY", "XZ"), ((0,), (1,)))),
    ),
}


def draw_theta(model, scale=0.6):
    """Moderate parameters, both signs."""
    return np.random.default_rng(len(model.parameters)).normal(0, scale, len(model.parameters))


def all_states(model):
    """All joint configurations in the layout of a chain's state, and their energies' statistics."""
    alphabets = [len(a) + 1 for a, units in zip(model.alphabets, model.units, strict=True) for _ in range(units)]
    states = np.indices(alphabets, np.uint8).reshape(len(alphabets), -1).T
    return np.ascontiguousarray(np.pad(states, ((0, 0), (0, 1))))


def statistics(sampler, states):
    """Sufficient statistics of states of chains, by the slow definition."""
    return sampler.model.statistics(sampler.visible(states), sampler.hidden(states))


def goodness(sampler, theta, thinning=20, draws=20, chains=1500):
    """P value of drawn statistics against enumeration.

    Draws are `thinning` sweeps apart, far beyond the correlation time of these small lattices, so they count as
    independent. Values of the statistics that are expected fewer than ten times are lumped together.
    """
    states = all_states(sampler.model)
    values, kind = np.unique(statistics(sampler, states), axis=0, return_inverse=True)
    weight = np.exp(values @ theta) * np.bincount(kind.ravel())
    expected = draws * chains * weight / weight.sum()
    generators = [stream(20, "chi-square", chain) for chain in range(chains)]
    chains_states = sampler.random(generators)
    number = {tuple(value): place for place, value in enumerate(values)}
    observed = np.zeros(len(values))
    for _ in range(draws):
        sampler.sample(theta, chains_states, generators, thinning)
        for value in statistics(sampler, chains_states):
            observed[number[tuple(value)]] += 1
    common = expected >= 10
    observed = np.append(observed[common], observed[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    used = expected > 0
    return chisquare(observed[used], expected[used]).pvalue


def mutated(model, change):
    """Sampler whose visible block was tampered with."""
    sampler = Sampler(model)
    sampler.__dict__["blocks"] = (change(sampler.blocks[0]), *sampler.blocks[1:])
    return sampler


MANY = tuple("ABCDEFGH")
LARGE = {
    "eight species in three dimensions": EnergyModel(
        Lattice((3, 3, 3), "periodic"), MANY, MANY + tuple(a + b for a in MANY for b in MANY if a <= b)
    ),
    "triplets of three species in three dimensions": EnergyModel(
        Lattice((2, 3, 3)), ("A", "B", "C"), (*PAIRS, "ABC", "BAB")
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MODELS, *LARGE])
def test_conditional_laws_are_exact(name):
    """Tables agree with energies of all states of a unit, everything else fixed: hence detailed balance."""
    model = (MODELS | LARGE)[name]
    sampler, theta = Sampler(model), draw_theta(model)
    rng = np.random.default_rng(3)
    states = np.concatenate(
        [rng.integers(0, len(a) + 1, (25, n)) for a, n in zip(model.alphabets, model.units, strict=True)]
        + [np.zeros((25, 1), int)],
        axis=1,
    ).astype(np.uint8)
    start = 0
    for layer, units in enumerate(model.units):
        law = sampler.probabilities(theta, states, layer)
        for unit in range(units):
            variants = np.repeat(states[None], law.shape[2] + 1, axis=0)
            variants[:, :, start + unit] = np.arange(len(variants))[:, None]
            logits = np.stack([statistics(sampler, variant) @ theta for variant in variants], axis=1)
            expected = np.exp(logits - logits.max(axis=1, keepdims=True))
            expected /= expected.sum(axis=1, keepdims=True)
            assert law[:, unit] == pytest.approx(expected[:, 1:], abs=1e-13)
        start += units


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_draws_follow_the_model(name):
    """Chi-square against enumeration; false alarm 1e-7 a model."""
    model = MODELS[name]
    assert goodness(Sampler(model), draw_theta(model)) > FALSE_ALARM


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change"),
    [
        # The open ends of the chain taken for neighbours of each other.
        (
            "quartets on a chain",
            lambda b: b._replace(neighbours=np.where(b.neighbours == 9, 0, b.neighbours).astype(np.uint32)),
        ),
        # Every bond felt from one side only.
        (
            "three species and a hidden unit",
            lambda b: b._replace(
                neighbours=np.where(np.isin(np.arange(7), [0, 2, 4]), 9, b.neighbours).astype(np.uint32)
            ),
        ),
        # The hidden layer not seen by the visible one.
        (
            "wrapping hidden layer",
            lambda b: b._replace(neighbours=np.where(b.neighbours < 8, b.neighbours, 16).astype(np.uint32)),
        ),
        # The units between sites and walls not seen.
        (
            "hidden units on bonds and at walls",
            lambda b: b._replace(
                neighbours=np.where(np.isin(b.neighbours, [4, 5, 10, 12]), b.neighbours, 16).astype(np.uint32)
            ),
        ),
        # Two sites never visited.
        ("deep chain", lambda b: b._replace(unit=b.unit[:3], neighbours=b.neighbours[:3])),
    ],
)
def test_wrong_kernels_are_caught(name, change):
    """The chi-square test fails on planted mistakes."""
    model = MODELS[name]
    assert goodness(mutated(model, change), draw_theta(model)) < FALSE_ALARM


def test_clamped_draws_follow_the_activations():
    """Awake phase: visible sites stay, hidden units follow their activations; binomial, false alarm below 1e-6."""
    model = EnergyModel(Lattice((30,)), ("A",), ("A",), (Layer(("X",), ("AX",), ((0,), (1,))),))
    sampler, theta = Sampler(model), np.array([0.3, -0.9, 0.4])
    generators = [stream(21, chain) for chain in range(4000)]
    visible = np.tile(generators[0].integers(0, 2, 30).astype(np.uint8), (4000, 1))
    states = sampler.sample(theta, sampler.start(visible), generators, 1, clamped=True)
    assert np.array_equal(sampler.visible(states), visible)
    law = sampler.probabilities(theta, states[:1], 1)[0, :, 0]
    assert law == pytest.approx(1 / (1 + np.exp(-0.4 + 0.9 * (visible[0, :-1] + visible[0, 1:]))))
    # 29 units at 6 standard errors: 29 * 2e-9.
    assert np.abs(sampler.hidden(states)[0].mean(axis=0) - law).max() < 6 * 0.5 / np.sqrt(4000)


def test_random_start_is_uniform_in_the_number_of_particles():
    """Number of particles uniform on 0..sites; chi-square, false alarm 1e-7."""
    sampler = Sampler(EnergyModel(Lattice((9,)), ("A", "B"), ("A", "B")))
    states = sampler.random([stream(22, chain) for chain in range(4000)])
    assert chisquare(np.bincount((states > 0).sum(axis=1), minlength=10)).pvalue > FALSE_ALARM


def test_threads_change_nothing():
    """Bit for bit the same chains with one and with three threads."""
    model = EnergyModel(Lattice((4, 5, 6)), ("A", "B", "C"), PAIRS)
    sampler, theta = Sampler(model), draw_theta(model, 0.2)
    runs = []
    for threads in (1, 3):
        generators = [stream(23, chain) for chain in range(7)]
        runs.append(sampler.sample(theta, sampler.random(generators), generators, 3, threads=threads))
    assert np.array_equal(*runs)
    assert runs[0].any()


def test_errors():
    """One line that says what does not fit."""
    letters = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    with pytest.raises(ValueError, match="more than 4194304 rows"):
        _ = Sampler(EnergyModel(Lattice((5,)), letters, ("ABCD",))).blocks
    with pytest.raises(ValueError, match="got 78 bits, expected at most 64"):
        _ = Sampler(EnergyModel(Lattice((5, 5, 5)), letters, tuple(2 * letter for letter in letters))).blocks
    shared = [stream(24)] * 2
    sampler = Sampler(EnergyModel(Lattice((5,)), ("A",), ("A",)))
    with pytest.raises(ValueError, match="threads: got 2, expected 1 for chains that share a generator"):
        sampler.sample(np.zeros(1), sampler.empty(2), shared, 1, threads=2)
    with pytest.raises(ValueError, match="needs 2 finite numbers"):
        Sampler(EnergyModel(Lattice((5,)), ("A",), ("A", "AA"))).tables(np.array([np.nan, 0]))
