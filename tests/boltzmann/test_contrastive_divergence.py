"""Contrastive divergence: an exact oracle for its statistics, enumeration for its expectation, known static answers."""

import itertools

import numpy as np
import pytest

from dbd.boltzmann import contrastive_divergence as contrastive
from dbd.boltzmann.contrastive_divergence import Contrast, static_parameters
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.gibbs import Sampler, run_chain
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

CORNERS = tuple(itertools.product((0, 1), repeat=3))
PAIR = ((0,), (1,))
MODELS = {
    "triplets": EnergyModel(Lattice((12,)), ("A",), ("A", "AA", "AAA")),
    "words that are not palindromes": EnergyModel(Lattice((6,), "periodic"), ("A", "B"), ("A", "B", "AAB", "ABBA")),
    "three species and a wrapping layer": EnergyModel(
        Lattice((2, 3, 2)),
        ("A", "B", "C"),
        ("A", "B", "C", "AB", "CC"),
        (Layer(("X", "Y", "Z"), ("AX", "BY", "CZ"), ((0, 0, 0), (0, 1, 0)), wrap=True),),
    ),
    "deep": EnergyModel(
        Lattice((7,)), ("A",), ("A", "AA"), (Layer(("X",), ("AX",), PAIR), Layer(("Y", "Z"), ("XY", "XZ"), PAIR))
    ),
}
SMALL = EnergyModel(Lattice((4,)), ("A",), ("A",), (Layer(("X",), ("AX",), PAIR),))
THETA = np.array([-0.4, 1.6, -0.9])
DEEP = EnergyModel(Lattice((4,)), ("A",), ("A",), (*SMALL.layers, Layer(("Y",), ("XY",), PAIR)))
DEEP_THETA = np.array([-0.4, 1.2, -1.6, 1.8, -1.0])
SWEEPS = 1
LIMIT = 7  # of Student's t with 199 degrees of freedom: false alarm 4e-11


def draw_lattices(model, *shape):
    """Random occupancies."""
    return np.random.default_rng(5).integers(0, len(model.species) + 1, (*shape, model.lattice.size), np.uint8)


@pytest.mark.parametrize("start", ["data", "random"])
@pytest.mark.parametrize("name", MODELS)
def test_booked_changes_are_differences_of_statistics(name, start):
    """The same chains, run by the sampler's own kernel from the same stream and counted by the definition."""
    model, sampler, sweeps = MODELS[name], Sampler(MODELS[name]), 3
    lattices = draw_lattices(model, 4, 2)
    theta = np.random.default_rng(6).normal(0, 0.7, (2, len(model.parameters)))
    result = Contrast(sampler, sweeps, start).difference(theta, lattices, stream(30, name))

    rng = stream(30, name)
    starts = sampler.visible(sampler.random([rng] * 8)).reshape(lattices.shape) if start == "random" else None
    layers = range(len(sampler.blocks))
    upwards = np.array([n for n in layers if n % 2] + [n for n in layers if n and not n % 2], int)
    awake_sweeps = contrastive.AWAKE_SWEEPS if name == "deep" else 1
    both = np.array([n for n in layers if not n % 2] + [n for n in layers if n % 2], int)
    expected = np.zeros(theta.shape)
    for time, chain in np.ndindex(2, 4):
        tables = sampler.tables(theta[time])
        awake = sampler.start(lattices[chain, [time]])
        run_chain(sampler.blocks, tables, upwards, awake[0], awake_sweeps, rng)
        asleep = awake.copy()
        if start == "random":
            sampler.visible(asleep)[:] = starts[chain, time]
            run_chain(sampler.blocks, tables, upwards, asleep[0], 1, rng)
        run_chain(sampler.blocks, tables, both, asleep[0], sweeps, rng)
        for sign, states in ((1, asleep), (-1, awake)):
            expected[time] += sign * model.statistics(sampler.visible(states), sampler.hidden(states))[0] / 4
    assert result == pytest.approx(expected, abs=1e-12)
    assert np.abs(result).max() > 0


def exact_difference(model, theta, lattices, sweeps):
    """Expectation of `Contrast.difference` started at data: products of transition matrices of single units.

    Hidden units given the data have their exact law.
    """
    sampler = Sampler(model)
    size = sum(model.units)
    states = np.pad(np.indices((2,) * size, np.uint8).reshape(size, -1).T, ((0, 0), (0, 1)))
    phi = model.statistics(sampler.visible(states), sampler.hidden(states))
    weight = np.exp(phi @ theta)
    number = np.arange(len(states))

    def draw(law, units):
        for unit in units:
            other = number ^ (1 << (size - 1 - unit))
            law = (law + law[other]) * weight / (weight + weight[other])
        return law

    edges = np.cumsum([0, *model.units])
    layers = [range(*pair) for pair in itertools.pairwise(edges)]
    order = [unit for layer in layers[::2] + layers[1::2] for unit in layer]
    difference = np.zeros(len(theta))
    for lattice in lattices:
        awake = weight * (sampler.visible(states) == lattice).all(axis=1)
        asleep = awake = awake / awake.sum()
        for _ in range(sweeps):
            asleep = draw(asleep, order)
        difference += (asleep - awake) @ phi / len(lattices)
    return difference


def deviation(difference, model=SMALL, theta=THETA):
    """Largest deviation of 200 estimates' mean from the exact expectation, in standard errors."""
    data = draw_lattices(model, 5)
    lattices = np.repeat(data, 40, axis=0)[:, None]
    draws = np.array([difference(theta[None], lattices, stream(31, turn))[0] for turn in range(200)])
    exact = exact_difference(model, theta, data, SWEEPS)
    return np.abs((draws.mean(axis=0) - exact) / (draws.std(axis=0, ddof=1) / np.sqrt(len(draws)))).max()


def test_expectation_is_that_of_contrastive_divergence():
    """Enumeration of all paths of single-unit updates; false alarm 2e-10 for three statistics."""
    assert deviation(Contrast(Sampler(SMALL), SWEEPS).difference) < LIMIT


def test_hidden_layers_are_drawn_given_the_data_and_one_another(monkeypatch):
    """Enumeration of two hidden layers, false alarm 4e-10 for five statistics; a single awake sweep is caught."""
    difference = Contrast(Sampler(DEEP), SWEEPS).difference
    assert deviation(difference, DEEP, DEEP_THETA) < LIMIT
    monkeypatch.setattr(contrastive, "AWAKE_SWEEPS", 1)
    assert deviation(difference, DEEP, DEEP_THETA) > LIMIT


def reconstruction(theta, lattices, rng):
    """Asleep phase with probabilities where the awake one has binary units."""
    bias, weight, hidden_bias = theta[0]

    def activation(exponent):
        return 1 / (1 + np.exp(-exponent))

    def inputs(visible):
        return hidden_bias + weight * (visible[:, :-1] + visible[:, 1:])

    def statistics(visible, hidden):
        edges = hidden * (visible[:, :-1] + visible[:, 1:])
        return np.array([visible.sum(), edges.sum(), hidden.sum()])

    visible = lattices[:, 0].astype(float)
    hidden = (rng.random((len(visible), visible.shape[1] - 1)) < activation(inputs(visible))) * 1.0
    above = np.pad(hidden, ((0, 0), (0, 1))) + np.pad(hidden, ((0, 0), (1, 0)))
    asleep = activation(bias + weight * above)
    change = statistics(asleep, activation(inputs(asleep))) - statistics(visible, hidden)
    return change[None] / len(visible)


@pytest.mark.slow
def test_wrong_estimators_are_caught(monkeypatch):
    """Probabilities on one side, a sweep too many, the sign, hidden units not drawn again after the visible ones."""
    contrast, kernel = Contrast(Sampler(SMALL), SWEEPS), contrastive._contrast
    assert deviation(reconstruction) > LIMIT
    assert deviation(Contrast(Sampler(SMALL), SWEEPS + 1).difference) > LIMIT
    assert deviation(lambda *arguments: -contrast.difference(*arguments)) > LIMIT
    monkeypatch.setattr(contrastive, "_contrast", lambda b, hidden, order, *rest: kernel(b, hidden, order[::-1], *rest))
    assert deviation(contrast.difference) > LIMIT


def test_static_learning_of_independent_sites():
    """One sweep is exact for independent sites: the answer is the log odds; 8 standard errors, false alarm 1e-15."""
    contrast = Contrast(Sampler(EnergyModel(Lattice((50,)), ("A",), ("A",))))
    lattices = (np.random.default_rng(7).random((40, 50)) < 0.3).astype(np.uint8)
    theta, iterates = static_parameters(contrast, lattices, stream(32), rate=0.01, steps=2000, batch=10, average=500)
    density = lattices.mean()
    assert theta == pytest.approx([np.log(density / (1 - density))], abs=0.05)
    assert iterates.shape == (2000, 1)
    assert theta == iterates[-500:].mean(axis=0)
    assert abs(iterates[0, 0]) < 0.3  # it starts from zero


def test_errors():
    """One line that says what does not fit."""
    sampler = Sampler(SMALL)
    with pytest.raises(ValueError, match="sweeps: got 0, expected 1 or more"):
        Contrast(sampler, 0)
    with pytest.raises(ValueError, match="start: got empty, expected data or random"):
        Contrast(sampler, 1, "empty")
    settings = {"rate": 1.0, "steps": 3, "batch": 6, "average": 1}
    with pytest.raises(ValueError, match="batch: got 6, expected 1 to 5"):
        static_parameters(Contrast(sampler), draw_lattices(SMALL, 5), stream(1), **settings)
    with pytest.raises(ValueError, match="average: got 4, expected 1 to 3"):
        static_parameters(Contrast(sampler), draw_lattices(SMALL, 5), stream(1), **settings | {"average": 4})
