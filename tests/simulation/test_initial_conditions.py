"""Where runs start: as listed, as drawn in a box, or as counted."""

import numpy as np
import pytest

from dbd.boltzmann.chain import Chain
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import initial_lattices, initial_names, initial_numbers, initial_rates

NOTHING = {
    "interactions": [],
    "box": None,
    "parameters": None,
    "counts": None,
    "design": "random",
    "sweeps": 20,
    "rates": {},
}
LISTED = NOTHING | {"interactions": ["A", "AA"], "parameters": [[0.1, 0.2], [-1.0, 2.0]]}
BOXED = NOTHING | {"interactions": ["A", "AA"], "box": {"lower": [-1, 2], "upper": [1, 2], "design": "random"}}
COUNTED = NOTHING | {"counts": {"B": [2, 4], "A": 5}}


def streams(number, *key):
    """A stream for each run."""
    return [stream(3, *key, run) for run in range(number)]


def by_index(seed):
    """Streams of the initial conditions of a split, and of the split itself."""
    return lambda *index: stream(seed, *index)


def test_names():
    assert initial_names(LISTED, ["A", "B"]) == ("A", "AA")
    assert initial_names(COUNTED, ["A", "B"]) == ("A", "B")


def test_listed_parameters():
    assert initial_numbers(LISTED, ["A"], 1, by_index(0)).tolist() == [-1, 2]


def test_box():
    drawn = np.array([initial_numbers(BOXED, ["A"], index, by_index(0)) for index in range(200)])
    assert (drawn[:, 1] == 2).all()
    assert drawn[:, 0].min() < -0.9 and drawn[:, 0].max() > 0.9 and np.abs(drawn).max() <= 2
    assert (initial_numbers(BOXED, ["A"], 0, by_index(0)) == drawn[0]).all()


def test_counts():
    drawn = np.array([initial_numbers(COUNTED, ["A", "B", "C"], 0, by_index(index)) for index in range(100)])
    assert set(drawn[:, 0]) == {5}
    assert set(drawn[:, 1]) == {2, 3, 4}, "the range includes both ends"
    assert set(drawn[:, 2]) == {0}, "species that are not mentioned are absent"


def test_counts_without_gaps():
    """The first 16 points of a Sobol sequence fall one by one into 16 equal parts of each range."""
    start = COUNTED | {"counts": {"A": [0, 159], "B": 7, "C": [100, 131]}, "design": "sobol"}
    drawn = np.array([initial_numbers(start, ["A", "B", "C"], index, by_index(2)) for index in range(16)])
    assert sorted(drawn[:, 0] // 10) == list(range(16))
    assert set(drawn[:, 1]) == {7}
    assert sorted((drawn[:, 2] - 100) // 2) == list(range(16))


@pytest.mark.parametrize("selection", ["uniform", "axis_scan"])
def test_lattices_of_counts(selection):
    lattice = Lattice((4, 3))
    lattices = initial_lattices(COUNTED, np.array([5.0, 3.0]), lattice, ["A", "B"], selection, streams(6))
    assert lattices.dtype == np.uint8 and lattices.shape == (6, 12)
    assert (np.sort(lattices, axis=1) == [0] * 4 + [1] * 5 + [2] * 3).all()
    assert len(np.unique(lattices, axis=0)) > 1


def test_lattices_do_not_depend_on_company_or_threads():
    lattice, numbers = Lattice((30,)), np.array([0.3, -0.4])
    together = initial_lattices(LISTED, numbers, lattice, ["A"], "uniform", streams(5))
    threaded = initial_lattices(LISTED, numbers, lattice, ["A"], "uniform", streams(5), threads=2)
    alone = [initial_lattices(LISTED, numbers, lattice, ["A"], "uniform", [one])[0] for one in streams(5)]
    assert (together == threaded).all() and (together == alone).all()


def agrees(lattices, lattice, chain, theta):
    """Whether mean counts are those of the distribution at `theta`, within 6 standard errors."""
    counts = count_observables(lattices, lattice, ["A"], ["A", "AA"])
    exact = chain.cumulants(theta[None]).mean[0, [chain.observables.index(name) for name in ("A", "AA")]]
    return (np.abs(counts.mean(axis=0) - exact) < 6 * counts.std(axis=0) / np.sqrt(len(counts))).all()


def test_lattices_of_parameters_follow_the_boltzmann_distribution():
    """Two means within 6 standard errors of the exact ones: false alarm 4e-9 (and parameters off by 0.3 are caught)."""
    lattice, theta = Lattice((40,)), np.array([-0.5, 0.8])
    chain = Chain(lattice.size, ("A", "AA"))
    lattices = initial_lattices(LISTED, theta, lattice, ["A"], "uniform", streams(400))
    assert agrees(lattices, lattice, chain, theta)
    assert not agrees(lattices, lattice, chain, theta + np.array([0.3, 0]))
    assert not agrees(lattices, lattice, chain, theta + np.array([0, 0.3]))


def test_sobol_design_fills_the_box():
    """Each half of each axis holds half of the points, each eighth of the box its share; points are found by index."""
    box = {**BOXED, "box": {"lower": [-1, 0], "upper": [1, 4], "design": "sobol"}}
    drawn = np.array([initial_numbers(box, ["A"], index, by_index(3)) for index in range(64)])
    cells = np.floor((drawn - [-1, 0]) / [0.5, 1.0]).astype(int)
    assert (np.unique(cells, axis=0, return_counts=True)[1] == 4).all()
    assert len(np.unique(cells, axis=0)) == 16
    assert (initial_numbers(box, ["A"], 17, by_index(3)) == drawn[17]).all()
    assert (initial_numbers(box, ["A"], 17, by_index(4)) != drawn[17]).all()


def test_rates_are_listed_or_drawn_in_one_design_with_numbers():
    """Eight points of a Sobol sequence fall one by one into the eight parts of a cube of one number and two rates."""
    rates = {
        "A -> 0": {"values": [], "lower": 1.0, "upper": 3.0},
        "A + A -> 0": {"values": [0.1, 0.2, 0.4]},
        "B -> 0": {"values": [], "lower": 0, "upper": 8},
    }
    start = COUNTED | {"counts": {"A": [0, 9], "B": 5}, "design": "sobol", "rates": rates}
    numbers = np.array([initial_numbers(start, ["A", "B"], index, by_index(2)) for index in range(8)])
    drawn = [initial_rates(start, index, by_index(2)) for index in range(8)]
    assert [one["A + A -> 0"] for one in drawn] == [0.1, 0.2, 0.4, 0.1, 0.2, 0.4, 0.1, 0.2]
    cells = {(a >= 5, one["A -> 0"] >= 2, one["B -> 0"] >= 4) for (a, _), one in zip(numbers, drawn, strict=True)}
    assert len(cells) == 8
    assert initial_rates(COUNTED, 3, by_index(2)) == {}


def test_rates_leave_numbers_as_they_are_where_none_is_drawn():
    for start in (BOXED, COUNTED | {"design": "sobol"}):
        listed = start | {"rates": {"A -> 0": {"values": [1.0, 2.0]}}}
        assert (initial_numbers(listed, "AB", 3, by_index(2)) == initial_numbers(start, "AB", 3, by_index(2))).all()
