"""Energy models: names, connectivity, statistics against hand counts, one-line errors."""

import itertools

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.lattice.geometry import Lattice

CUBE_CORNERS = tuple(itertools.product((0, 1), repeat=3))


def test_parameters_in_order():
    """Visible interactions first, then for every layer its weights and its biases."""
    model = EnergyModel(
        Lattice((9,)), ("A", "B"), ("A", "B", "AB"), (
            Layer(("X",), ("AX", "BX"), ((0,), (1,))),
            Layer(("Y", "Z"), ("XZ",), ((0,), (1,))),
        ),
    )  # fmt: skip
    assert model.parameters == ("A", "B", "AB", "AX", "BX", "X", "XZ", "Y", "Z")
    assert model.units == (9, 8, 7)
    assert model.connections[1].tolist() == [[i, i + 1] for i in range(7)]


def test_statistics_by_hand():
    """A chain whose counts can be read off; words that are not palindromes count in both directions."""
    model = EnergyModel(
        Lattice((7,)), ("A", "B"), ("A", "AA", "AB", "AAA", "AAB", "ABAA"), (Layer(("X",), ("AX", "BX"), ((0,), (1,))),)
    )
    visible = np.array([1, 1, 2, 1, 1, 1, 0], np.uint8)
    hidden = np.array([1, 1, 0, 0, 0, 1], np.uint8)
    assert model.statistics(visible, [hidden]).tolist() == [5, 3, 2, 1, 2, 2, 4, 1, 3]
    theta = np.arange(9) / 10
    assert model.energy(theta, visible, [hidden]) == pytest.approx(-theta @ model.statistics(visible, [hidden]))


def test_full_lattice_counts():
    """A full 10 x 10 x 10 open lattice has 2700 bonds; every wrapping 2 x 2 x 2 layer has eight edges a unit."""
    lattice = Lattice((10, 10, 10))
    model = EnergyModel(lattice, ("A",), ("A", "AA", "AAA"), (Layer(("X",), ("AX",), CUBE_CORNERS, wrap=True),))
    visible, hidden = np.ones((3, 1000), np.uint8), np.ones((3, 1000), np.uint8)
    assert model.statistics(visible, [hidden]).tolist() == [[1000, 2700, 2400, 8000, 1000]] * 3
    unwrapped = EnergyModel(lattice, ("A",), ("A",), (Layer(("X",), ("AX",), CUBE_CORNERS),))
    assert unwrapped.units == (1000, 729)


@pytest.mark.parametrize(("boundary", "units"), [("open", 17 + 14), ("periodic", 24)])
def test_units_on_bonds_are_an_interaction_of_neighbours(boundary, units):
    """Summed out, they leave the same bias on every site and a pair interaction; exact, by the sum over each unit.

    A 3 x 4 lattice has 17 bonds and 14 outer faces, a periodic one 24 bonds.
    """
    lattice, theta = Lattice((3, 4), boundary), np.array([0.3, -0.2, 1.5, -0.7, 1.1, -0.4, 0.6])
    model = EnergyModel(lattice, ("A", "B"), ("A", "B"), (Layer(("X", "Y"), ("AX", "BX", "BY"), bonds=True),))
    assert model.units[1] == units
    visible = np.random.default_rng(1).integers(0, 3, (50, 12)).astype(np.uint8)
    by_state = [model.statistics(visible, [np.zeros((50, units), np.uint8)]) @ theta]
    seen = np.pad(visible, [(0, 0), (0, 1)])[:, model.connections[0]]
    drive = [
        theta[5] + theta[2] * (seen == 1).sum(axis=2) + theta[3] * (seen == 2).sum(axis=2),
        theta[6] + theta[4] * (seen == 2).sum(axis=2),
    ]
    marginal = by_state[0] + np.logaddexp.reduce([np.zeros_like(drive[0]), *drive]).sum(axis=1)

    def factor(one: int, other: int) -> float:
        weights = np.array([[0, 0], [theta[2], 0], [theta[3], theta[4]]])
        return np.log1p(np.exp(theta[5:] + weights[one] + weights[other]).sum())

    bias = [2 * lattice.dimension * (factor(s, 0) - factor(0, 0)) for s in (1, 2)]
    coupling = [factor(s, r) + factor(0, 0) - factor(s, 0) - factor(r, 0) for s, r in ((1, 1), (1, 2), (2, 2))]
    pairwise = EnergyModel(lattice, ("A", "B"), ("A", "B", "AA", "AB", "BB"))
    expected = -pairwise.energy([theta[0] + bias[0], theta[1] + bias[1], *coupling], visible)
    np.testing.assert_allclose(marginal - expected, units * factor(0, 0), rtol=1e-12)


@pytest.mark.parametrize("word", ["AB", "AAB", "ABBA"])
def test_direction_does_not_matter(word):
    """A word and its mirror image have the same statistic."""
    visible = np.random.default_rng(1).integers(0, 3, (20, 60)).astype(np.uint8)
    counts = [EnergyModel(Lattice((3, 4, 5)), ("A", "B"), (w,)).statistics(visible) for w in (word, word[::-1])]
    assert np.array_equal(*counts)
    assert counts[0].any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"interactions": ("A", "AQ")}, "interaction 'AQ': species: got 'Q', expected one of A, B"),
        ({"interactions": ("AAAAA",)}, "interaction: got 'AAAAA', expected one to 4"),
        ({"interactions": ("AB", "BA")}, "interaction 'AB': named twice"),
        (
            {"lattice": Lattice((4, 3), "periodic"), "interactions": ("AAAB",)},
            "word 'AAAB': got 4 letters, expected at most 3, the sites of the shortest periodic axis",
        ),
        ({"species": ("A", "a")}, "species: got 'a', expected a single upper-case letter"),
        ({"layers": (Layer(("B",), ("AB",), ((0, 0),)),)}, "species 'B': named twice"),
        ({"layers": (Layer(("X",), ("XA",), ((0, 0),)),)}, "weight: got 'XA', expected a species of the layer below"),
        ({"layers": (Layer(("X",), ("AX",), ((0,),)),)}, r"offset \(0,\): needs 2 integers"),
        ({"layers": (Layer(("X",), ("AX",), ()),)}, "needs either offsets or a unit on every bond"),
        ({"layers": (Layer(("X",), ("AX",), ((0, 0),), bonds=True),)}, "needs either offsets or a unit on every bond"),
        ({"layers": (Layer(("X",), ("AX",), wrap=True, bonds=True),)}, "needs either offsets or a unit on every bond"),
        (
            {"layers": (Layer(("X",), ("AX",), bonds=True), Layer(("Y",), ("XY",), ((0, 0),)))},
            "only the highest can have a unit on every bond",
        ),
        ({"layers": (Layer(("X",), ("AX",), ((0, 0), (9, 0))),)}, "no unit has all its connections"),
        ({"layers": (Layer(("X",), ("AX",), ((0, 0), (4, 0)), wrap=True),)}, "offsets wrap onto the same unit twice"),
    ],
)
def test_bad_models_are_refused(changes, message):
    """Mistakes are reported in one line that names the entry and what is expected."""
    good = {"lattice": Lattice((4, 4)), "species": ("A", "B"), "interactions": ("A", "AB"), "layers": ()}
    with pytest.raises(ValueError, match=message) as error:
        EnergyModel(**(good | changes))
    assert "\n" not in str(error.value)
