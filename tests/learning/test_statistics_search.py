"""The score test proposes the statistics that data were drawn with, and no others."""

from functools import partial

import numpy as np
import pytest

from dbd.boltzmann.chain import Chain
from dbd.boltzmann.patterns import Pattern, PatternModel
from dbd.lattice.geometry import Lattice
from dbd.learning.statistics_search import NUMBERS, Point, Search
from dbd.numerics.random_streams import stream

SITES, RUNS, POINTS = 30, 60, 4


def chosen(lattices, lattice, threads=1):
    points = [Point(one, held_out=k == 0) for k, one in enumerate(lattices)]
    rows = Search(lattice, ("A",), points, partial(stream, 1, "search"), threads).proposals()
    return {row.statistic.name for row in rows if row.chosen}


def drawn_exactly(parameters, theta, seed):
    """Lattices of a chain at points that differ, from the transfer matrix."""
    chain = Chain(SITES, parameters)
    shift = 0.2 * np.arange(POINTS)[:, None] * (np.array(parameters) == "A")
    return [chain.sample(theta + one, RUNS, stream(seed, "data", k)) for k, one in enumerate(shift)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "theta"),
    [(("A",), [-0.5]), (("A", "AA"), [-1.0, 1.0]), (("A", "AA", "AAA"), [-0.3, -1.2, 2.0])],
)
def test_the_known_family_is_found_in_at_least_19_of_20(parameters, theta):
    found = [chosen(drawn_exactly(parameters, np.array(theta), seed), Lattice((SITES,))) for seed in range(20)]
    assert sum(one == {*parameters} - {"A"} for one in found) >= 19


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pattern", "strength"),
    [(Pattern("AA", " at sqrt 2"), 0.6), (Pattern("AAA", " bent"), 0.3), (NUMBERS, 0.6)],
    ids=str,
)
def test_what_no_word_says_is_found(pattern, strength):
    """Couplings along diagonals or around corners; or numbers of molecules that spread more than chance has it.

    The planted statistic and no other is found, and nothing if its coupling is taken away.
    """
    lattice = Lattice((8, 8), "periodic")
    model = PatternModel(lattice, ("A",), (Pattern("A"), *([pattern] if pattern != NUMBERS else [])))
    for coupling, expected in ((strength, {pattern.name}), (0.0, set())):
        lattices = []
        for k in range(POINTS):
            generator = stream(3, "planted", k)
            spread = coupling * generator.normal(size=(RUNS, 1)) if pattern == NUMBERS else 0.0
            density = 1 / (1 + np.exp(1.0 - spread))
            states = np.zeros((RUNS, lattice.size + 1), np.uint8)
            states[:, :-1] = generator.random((RUNS, lattice.size)) < density
            if pattern != NUMBERS:
                model.advance(np.array([-1.0, coupling]), states, 50, False, generator)
            lattices.append(states[:, :-1])
        assert chosen(lattices, lattice, threads=2) == expected


def test_results_do_not_depend_on_threads():
    lattices = drawn_exactly(("A", "AA"), np.array([-1.0, 1.0]), 1)
    one, other = (
        Search(Lattice((SITES,)), ("A",), [Point(x, k == 0) for k, x in enumerate(lattices)], partial(stream, 2), n)
        for n in (1, 2)
    )
    assert one.proposals() == other.proposals()


def test_a_statistic_that_held_out_runs_do_not_confirm_is_not_taken():
    """Half of the runs that are held out attract each other, the other half repel: there the coupling gains nothing."""
    lattices = drawn_exactly(("A", "AA"), np.array([-1.0, 1.0]), 2)
    assert chosen(lattices, Lattice((SITES,))) == {"AA"}
    chain, rng = Chain(SITES, ("A", "AA")), stream(4, "halves")
    for half, coupling in enumerate((1.0, -2.0)):
        lattices[0][half::2] = chain.sample(np.array([-0.7, coupling]), RUNS // 2, rng)
    points = [Point(one, held_out=k == 0) for k, one in enumerate(lattices)]
    rows = Search(Lattice((SITES,)), ("A",), points, partial(stream, 1, "search")).proposals()
    (row,) = [row for row in rows if row.statistic.name == "AA"]
    assert row.p_value < 1e-4 and row.held_out_gain < 0 and not row.chosen
