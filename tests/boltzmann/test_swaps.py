"""Swaps at fixed composition against enumeration: chi-square tests of what the kernels draw."""

import inspect
import itertools

import numpy as np
import pytest
from numba import njit
from scipy.stats import chisquare

from dbd.boltzmann import swaps
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.swaps import SwapSampler
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

CORNERS = tuple(itertools.product((0, 1), repeat=3))
PAIRS = ("A", "B", "C", "AA", "AB", "AC", "BB", "BC", "CC")
FALSE_ALARM = 1e-7

MODELS = {
    "pairs on a chain": (EnergyModel(Lattice((9,)), ("A", "B"), ("A", "B", "AA", "AB")), (3, 2)),
    "an absent species": (EnergyModel(Lattice((9,)), ("A", "B", "C"), PAIRS), (3, 0, 5)),
    "pairs on a plane": (EnergyModel(Lattice((3, 4)), ("A", "B"), ("B", "AA", "AB", "BB")), (4, 2)),
    "pairs on a torus": (EnergyModel(Lattice((3, 3), "periodic"), ("A", "B"), ("A", "B", "AA", "BB")), (2, 4)),
    "pairs in three dimensions": (EnergyModel(Lattice((2, 2, 2)), ("A", "B", "C"), PAIRS), (2, 2, 1)),
    "a full lattice": (EnergyModel(Lattice((2, 2, 2)), ("A", "B", "C"), PAIRS), (3, 2, 3)),
    "more species than a code has digits": (
        EnergyModel(Lattice((5,)), tuple("ABCDEFGHIJKLMNOP"), ("AP", "PP", "AA")),
        (1,) + 14 * (0,) + (2,),
    ),
    "quartets on a chain": (EnergyModel(Lattice((11,)), ("A",), ("A", "AA", "AAA", "AAAA")), (6,)),
    "words that are not palindromes": (EnergyModel(Lattice((7,)), ("A", "B"), ("AAB", "ABBA", "AB")), (3, 3)),
    "triplets on a torus": (EnergyModel(Lattice((3, 3), "periodic"), ("A", "B"), ("A", "AB", "AAB")), (4, 3)),
    "two hidden units": (
        EnergyModel(Lattice((2, 2, 3)), ("A", "B"), ("A", "B"), (Layer(("X", "Y"), ("AX", "BY"), CORNERS),)),
        (2, 1),
    ),
    "pairs and a hidden layer": (
        EnergyModel(Lattice((6,)), ("A", "B"), ("AA", "AB"), (Layer(("X",), ("AX", "BX"), ((0,), (1,), (2,))),)),
        (2, 2),
    ),
    "triplets and two hidden layers": (
        EnergyModel(
            Lattice((5,)),
            ("A",),
            ("AAA",),
            (Layer(("X",), ("AX",), ((0,), (1,))), Layer(("Y", "Z"), ("XY", "XZ"), ((0,), (1,)))),
        ),
        (3,),
    ),
    "hidden units on bonds": (
        EnergyModel(Lattice((2, 2)), ("A", "B"), ("A", "B"), (Layer(("X",), ("AX", "BX"), bonds=True),)),
        (2, 1),
    ),
    "only one arrangement": (
        EnergyModel(Lattice((4,)), ("A",), ("A",), (Layer(("X",), ("AX",), ((0,), (1,))),)),
        (4,),
    ),
}


def draw_theta(model):
    """Couplings of both signs, and biases, which have no say."""
    return np.random.default_rng(len(model.parameters)).normal(0, 1, len(model.parameters))


def statistics(sampler, states):
    """Sufficient statistics of states of chains, by the slow definition."""
    return sampler.model.statistics(sampler.gibbs.visible(states), sampler.gibbs.hidden(states))


def composition(model, visible):
    """Particles of every species; shape (..., species)."""
    return np.stack([(visible == 1 + x).sum(axis=-1) for x in range(len(model.species))], axis=-1)


def states_at(model, numbers):
    """All joint configurations of a composition, in the layout of a chain's state."""
    states = len(model.species) + 1
    visible = np.indices([states] * model.lattice.size, np.uint8).reshape(model.lattice.size, -1).T
    visible = visible[(composition(model, visible) == numbers).all(axis=1)]
    units = [len(a) + 1 for a, n in zip(model.alphabets[1:], model.units[1:], strict=True) for _ in range(n)]
    hidden = np.indices(units, np.uint8).reshape(len(units), -1).T if units else np.empty((1, 0), np.uint8)
    both = [np.repeat(visible, len(hidden), axis=0), np.tile(hidden, (len(visible), 1))]
    return np.ascontiguousarray(np.pad(np.concatenate(both, axis=1), ((0, 0), (0, 1))))


def goodness(sampler, numbers, thinning=12, draws=20, chains=1000):
    """P value of drawn statistics against enumeration.

    Draws are `thinning` sweeps apart, far beyond the correlation time of these small lattices, so they count as
    independent. Values of the statistics that are expected fewer than ten times are lumped together.
    """
    model, theta = sampler.model, draw_theta(sampler.model)
    states = states_at(model, numbers)
    values, kind = np.unique(statistics(sampler, states), axis=0, return_inverse=True)
    weight = np.exp(values @ theta) * np.bincount(kind.ravel())
    expected = draws * chains * weight / weight.sum()
    generators = [stream(20, "swaps", chain) for chain in range(chains)]
    chain_states = np.repeat(states[:1], chains, axis=0)
    number = {tuple(value): place for place, value in enumerate(values)}
    observed = np.zeros(len(values))
    for _ in range(draws):
        sampler.sample(theta, chain_states, generators, thinning)
        for value in statistics(sampler, chain_states):
            observed[number[tuple(value)]] += 1
    common = expected >= 10
    observed = np.append(observed[common], observed[~common].sum())
    expected = np.append(expected[common], expected[~common].sum())
    used = expected > 0
    return chisquare(observed[used], expected[used]).pvalue if used.sum() > 1 else 1.0


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_draws_follow_the_model(name):
    """Chi-square against enumeration; false alarm 1e-7 a model."""
    model, numbers = MODELS[name]
    assert goodness(SwapSampler(model), numbers) > FALSE_ALARM


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kernel", "name", "changes"),
    [
        # The bond between the two sites is taken for one that changes.
        ("run_pairs", "pairs on a chain", {"code[i] = code[j] = 0": "pass"}),
        (
            "run_any",
            "quartets on a chain",
            {
                "state[block.unit[i]] = b": "pass",
                "state[block.unit[j]] = a": "state[block.unit[i]], state[block.unit[j]] = b, a",
            },
        ),
        # Hidden units are not drawn.
        ("run_any", "pairs and a hidden layer", {"sweep_block(blocks[number], tables[number], state, rng)": "pass"}),
    ],
)
def test_wrong_kernels_are_caught(monkeypatch, kernel, name, changes):
    """The chi-square test fails on planted mistakes."""
    source = inspect.getsource(getattr(swaps, kernel).py_func).replace("@njit(cache=True, nogil=True)", "")
    for line, planted in changes.items():
        assert source.count(line) == 1
        source = source.replace(line, planted)
    names = dict(vars(swaps))
    exec(source, names)
    monkeypatch.setattr(swaps, kernel, njit(names[kernel]))
    model, numbers = MODELS[name]
    assert goodness(SwapSampler(model), numbers) < FALSE_ALARM


def test_composition_is_kept():
    """Every chain keeps its own composition, absent species stay absent, and something moves."""
    model = EnergyModel(Lattice((5, 4, 6), "periodic"), ("A", "B", "C"), PAIRS)
    generators = [stream(24, chain) for chain in range(5)]
    states = SwapSampler(model).gibbs.random(generators)
    states[0, :120] = 0
    states[1, :120][states[1, :120] == 2] = 0
    before = states.copy()
    SwapSampler(model).sample(draw_theta(model), states, generators, 5)
    assert np.array_equal(composition(model, states), composition(model, before))
    assert (states[1:] != before[1:]).any(axis=1).all()


def test_an_absent_species_has_no_influence():
    """The same chains, bit for bit, with a third species that is not there, whatever its couplings."""
    lattice = Lattice((6, 7))
    two = EnergyModel(lattice, ("A", "B"), ("AA", "AB"))
    three = EnergyModel(lattice, ("A", "B", "C"), ("AA", "AB", "AC", "CC", "C"))
    runs = []
    for model, theta in ((two, [1.0, -0.5]), (three, [1.0, -0.5, 20.0, -20.0, 1e6])):
        generators = [stream(25, chain) for chain in range(3)]
        states = SwapSampler(two).gibbs.random(generators)
        runs.append(SwapSampler(model).sample(np.array(theta), states, generators, 4))
    assert np.array_equal(*runs)


def test_large_lattices_have_a_draw_of_their_own_for_acceptance():
    """Beyond 2^25 pairs of sites: counts of bonds agree with those of independent sites within 6 standard errors."""
    model = EnergyModel(Lattice((100, 100)), ("A",), ("AA",))
    generators = [stream(26, 0)]
    states = SwapSampler(model).gibbs.empty(1)
    states[0, :5000] = 1
    SwapSampler(model).sample(np.zeros(1), states, generators, 20)
    bonds = model.statistics(states[:, :10000])[0, 0]
    # Mean and variance of independent sites at density 1/2; fixing the number makes the variance smaller.
    assert abs(bonds - 19800 * 5000 * 4999 / (10000 * 9999)) < 6 * np.sqrt(19800 * 3 / 16)


@pytest.mark.parametrize("name", ["pairs and a hidden layer", "triplets on a torus"])
def test_threads_change_nothing(name):
    """Bit for bit the same chains with one and with three threads."""
    model, _ = MODELS[name]
    runs = []
    for threads in (1, 3):
        generators = [stream(23, chain) for chain in range(7)]
        states = SwapSampler(model).gibbs.random(generators)
        runs.append(SwapSampler(model).sample(draw_theta(model), states, generators, 3, threads=threads))
    assert np.array_equal(*runs)


def test_errors():
    """One line that says what does not fit."""
    sampler = SwapSampler(EnergyModel(Lattice((5,)), ("A",), ("A", "AA")))
    states = sampler.gibbs.empty(1)
    with pytest.raises(ValueError, match="needs 2 finite numbers"):
        sampler.sample(np.array([np.nan, 0]), states, [stream(1)], 1)
    with pytest.raises(ValueError, match="coupling AA: got -30, expected at most 29 in size"):
        sampler.sample(np.array([0, -30.0]), states, [stream(1)], 1)
