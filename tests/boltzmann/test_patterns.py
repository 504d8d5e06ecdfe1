"""Patterns: counts against a slow count, and the sampler against enumeration of a small lattice."""

from itertools import product

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.patterns import Pattern, PatternModel, all_patterns, arrangements
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream

LATTICES = [Lattice((7,)), Lattice((4, 5)), Lattice((5, 6), "periodic"), Lattice((3, 4, 3))]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_words_are_counted_as_everywhere_else(lattice):
    words = ("A", "B", "AA", "AB", "BB", "AAB", "ABA", "BBB")
    states = np.pad(stream(1, "lattices").integers(0, 3, (20, lattice.size), np.uint8), [(0, 0), (0, 1)])
    model = PatternModel(lattice, ("A", "B"), tuple(map(Pattern, words)))
    assert (model.count(states) == EnergyModel(lattice, ("A", "B"), words).statistics(states[:, :-1])).all()


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_distances_and_bends_are_those_between_positions(lattice):
    position = np.indices(lattice.shape).reshape(lattice.dimension, -1).T
    gap = np.abs(position[:, None] - position)
    if lattice.boundary == "periodic":
        gap = np.minimum(gap, np.array(lattice.shape) - gap)
    square = (gap**2).sum(axis=-1)
    for shape, wanted in {"": 1, " at sqrt 2": 2, " at sqrt 3": 3, " at 2": 4}.items():
        found = {tuple(sorted(pair)) for pair in arrangements(lattice, 2, shape).tolist()}
        assert found == {(i, j) for i, j in zip(*np.nonzero(np.triu(square == wanted)), strict=True)}
        assert len(found) == len(arrangements(lattice, 2, shape))
    bends = arrangements(lattice, 3, " bent").tolist()
    sites = range(lattice.size)
    assert len(bends) == sum(
        square[i, j] == square[j, k] == 1 and square[i, k] == 2 for i, j, k in product(sites, repeat=3) if i < k
    )


def test_what_fits_on_a_lattice():
    names = [pattern.name for pattern in all_patterns(Lattice((9,)), ("A",))]
    assert names == ["AA", "AA at 2", "AAA"]
    assert len(all_patterns(Lattice((5, 5, 5)), ("A", "B", "C"))) == 4 * 6 + 2 * 18


@pytest.mark.parametrize("swap", [False, True])
def test_the_sampler_draws_the_law(swap):
    """Chi-square of all states of 2 x 3 sites; false alarms below 1e-6, and a law with a wrong bend is refused."""
    lattice, species = Lattice((2, 3)), ("A", "B")
    patterns = (*map(Pattern, ("A", "B", "AB", "ABA")), Pattern("AA", " at sqrt 2"), Pattern("AAB", " bent"))
    model, theta = PatternModel(lattice, species, patterns), np.array([0.4, 0.2, 0.7, -0.5, 0.8, 1.5])
    chains = 6000
    states = np.tile(np.array([1, 1, 2, 0, 1, 2, 0], np.uint8), (chains, 1))
    model.advance(theta, states, 40, swap, stream(2, "patterns", int(swap)))
    every = np.array([(*state, 0) for state in product(range(3), repeat=6)], np.uint8)
    if swap:
        every = every[[sorted(state) == [0, 0, 1, 1, 1, 2, 2] for state in every.tolist()]]
    code = 3 ** np.arange(7)
    drawn = np.array([(states @ code == state @ code).sum() for state in every])

    def excess(values):
        weight = np.exp(model.count(every) @ values)
        expected = chains * weight / weight.sum()
        return (((drawn - expected) ** 2 / expected).sum() - len(every)) / np.sqrt(2 * len(every))

    assert drawn.sum() == chains
    assert excess(theta) < 7
    assert excess(theta + np.array([0, 0, 0, 0, 0, 0.8])) > 20
