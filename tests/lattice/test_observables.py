"""Counting of observables against an obvious count, and exactness of the sums over runs."""

from itertools import product

import numpy as np
import pytest

from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import Sums, count_observables

LATTICES = [
    Lattice((1,)),
    Lattice((3,)),
    Lattice((17,)),
    Lattice((9,), "periodic"),
    Lattice((3,), "periodic"),
    Lattice((4, 6)),
    Lattice((5, 3), "periodic"),
    Lattice((3, 4, 5)),
    Lattice((3, 4, 5), "periodic"),
]


def words(species):
    """All words of one to four letters, of a word and its mirror image the first."""
    every = ("".join(letters) for length in range(1, 5) for letters in product(species, repeat=length))
    return [word for word in every if word <= word[::-1]]


def slow_count(occupancy, lattice, species, word):
    """Look at every site in turn and read the sites after it along each axis, both ways."""
    letters = " " + species
    grid = {
        position: letters[value] for position, value in zip(np.ndindex(lattice.shape), occupancy.tolist(), strict=True)
    }
    total = 0
    for position in grid:
        for axis in range(lattice.dimension if len(word) > 1 else 1):
            read = ""
            for k in range(len(word)):
                site = list(position)
                site[axis] += k
                if lattice.boundary == "periodic":
                    site[axis] %= lattice.shape[axis]
                read += grid.get(tuple(site), " ")
            total += read == word or read[::-1] == word
    return total


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
@pytest.mark.parametrize("species", ["A", "XY", "ABC"])
def test_counts_equal_the_obvious_count(lattice, species):
    rng = np.random.default_rng(5)
    occupancy = rng.integers(0, len(species) + 1, (2, 3, lattice.size)).astype(np.uint8)
    short = 3 if lattice.boundary == "periodic" and min(lattice.shape) == 3 else 4
    observables = [word for word in words(species) if len(word) <= short]
    counts = count_observables(occupancy, lattice, species, observables)
    assert counts.dtype == np.int32
    expected = [[[slow_count(one, lattice, species, word) for word in observables] for one in row] for row in occupancy]
    assert (counts == expected).all()


def test_any_selection_of_observables_gives_the_same_counts():
    lattice = Lattice((4, 4, 4))
    occupancy = np.random.default_rng(6).integers(0, 5, (3, 64)).astype(np.uint8)
    every = words("ABCD")
    counts = count_observables(occupancy, lattice, "ABCD", every)
    for chosen in (["C"], ["DA"], ["BB", "A"], ["ABC", "CBAD"], ["A", "AA", "AAA", "AAAA"], []):
        columns = [every.index(min(word, word[::-1])) for word in chosen]
        assert (count_observables(occupancy, lattice, "ABCD", chosen) == counts[:, columns]).all()


def test_full_lattices():
    full = np.ones((1, 1000), np.uint8)
    count = lambda lattice, *observables: count_observables(full, lattice, "A", observables)[0].tolist()  # noqa: E731
    assert count(Lattice((1000,)), "A", "AA", "AAA", "AAAA") == [1000, 999, 998, 997]
    assert count(Lattice((1000,), "periodic"), "A", "AA", "AAA", "AAAA") == [1000] * 4
    assert count(Lattice((10, 10, 10)), "A", "AA", "AAA") == [1000, 2700, 2400]


@pytest.mark.parametrize(
    ("observables", "message"),
    [
        (["A", "AX"], "observable 'AX': species: got 'X', expected one of A, B"),
        ([""], "observable: got '', expected a word of 1 to 4"),
        (["AAAAA"], "observable: got 'AAAAA', expected a word of 1 to 4"),
        ([3], "observable: got 3, expected a word of 1 to 4"),
        (["AB", "A", "BA"], "observable 'AB' is given twice"),
    ],
)
def test_bad_observables_give_one_clear_line(observables, message):
    with pytest.raises(ValueError) as error:
        count_observables(np.zeros(5, np.uint8), Lattice((5,)), "AB", observables)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_no_word_is_longer_than_a_periodic_axis():
    """Its windows would read a site twice; between walls there is no such window, and the count is zero."""
    full = np.ones(15, np.uint8)
    with pytest.raises(ValueError, match="word 'AAAA': got 4 letters, expected at most 3, the sites of the shortest "):
        count_observables(full, Lattice((5, 3), "periodic"), "A", ["A", "AAAA"])
    assert count_observables(full[:3], Lattice((3,)), "A", ["AAA", "AAAA"]).tolist() == [1, 0]


@pytest.mark.parametrize(
    "occupancy",
    [np.zeros(5, np.int64), np.zeros((3, 6), np.uint8), np.full(5, 3, np.uint8)],
    ids=["type", "sites", "species"],
)
def test_bad_occupancies_are_refused(occupancy):
    with pytest.raises(ValueError, match="occupancy"):
        count_observables(occupancy, Lattice((5,)), "AB", ["A"])


def test_sums_are_exact_and_do_not_depend_on_the_cut():
    counts = np.random.default_rng(7).integers(0, 3000, (40, 6, 3)).astype(np.int32)
    whole = Sums.of(counts)
    for cuts in ([1], [20], [3, 4, 39], list(range(1, 40))):
        first, *others = (Sums.of(part) for part in np.split(counts, cuts))
        for merged in (sum(others, first), sum(others[::-1], first)):
            assert merged.runs == whole.runs
            assert (merged.first == whole.first).all() and (merged.second == whole.second).all()
            assert merged.std.tobytes() == whole.std.tobytes()
    np.testing.assert_allclose(whole.mean, counts.mean(axis=0))
    np.testing.assert_allclose(whole.std, counts.std(axis=0, ddof=1))
    np.testing.assert_allclose(whole.sem, counts.std(axis=0, ddof=1) / np.sqrt(40))
    for time in range(6):
        np.testing.assert_allclose(whole.covariance[time], np.cov(counts[:, time].T))


def test_sums_of_large_counts_lose_nothing():
    """Counts near 2^20 with a spread of one: floating-point sums of squares would have lost the variance."""
    counts = (2**20 + np.arange(1000) % 2)[:, None]
    assert Sums.of(counts).covariance[0, 0] == 250 / 999


def test_a_single_run_has_no_spread():
    sums = Sums.of(np.array([[3, 4]]))
    assert sums.mean.tolist() == [3, 4]
    assert np.isnan(sums.std).all()
