"""Geometry of a lattice against the obvious definitions, site by site."""

import itertools

import numpy as np
import pytest

from dbd.lattice.geometry import Lattice

SHAPES = [(1,), (5,), (3, 4), (3, 3, 5)]
LATTICES = [Lattice(shape) for shape in [*SHAPES, (2, 1, 3)]] + [Lattice(shape, "periodic") for shape in SHAPES[1:]]


def shifted_site(lattice, site, offset, wrap):
    """Site at an offset by its coordinates, -1 if there is none."""
    place = np.array(np.unravel_index(site, lattice.shape)) + offset
    if wrap:
        place %= lattice.shape
    inside = (place >= 0).all() and (place < lattice.shape).all()
    return int(np.ravel_multi_index(tuple(place), lattice.shape)) if inside else -1


def directions(lattice):
    """Unit steps along every axis, both ways."""
    return [sign * axis for axis in np.eye(lattice.dimension, dtype=int) for sign in (-1, 1)]


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_neighbours(lattice):
    for site in range(lattice.size):
        found = [shifted_site(lattice, site, step, lattice.boundary == "periodic") for step in directions(lattice)]
        wanted = sorted(other for other in found if other >= 0)
        degree = lattice.degree[site]
        assert sorted(lattice.neighbours[site, :degree]) == wanted
        assert (lattice.neighbours[site, degree:] == -1).all()


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
@pytest.mark.parametrize("wrap", [None, False, True])
def test_shifted(lattice, wrap):
    wraps = lattice.boundary == "periodic" if wrap is None else wrap
    for offset in itertools.product((-2, 0, 1), repeat=lattice.dimension):
        wanted = [shifted_site(lattice, site, offset, wraps) for site in range(lattice.size)]
        assert lattice.shifted(offset, wrap).tolist() == wanted


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
def test_bonds_are_the_neighbour_pairs_once(lattice):
    from_neighbours = {
        frozenset((site, int(other)))
        for site in range(lattice.size)
        for other in lattice.neighbours[site]
        if other >= 0
    }
    bonds = [frozenset(map(int, bond)) for bond in lattice.bonds]
    assert set(bonds) == from_neighbours
    assert len(bonds) == len(set(bonds))


@pytest.mark.parametrize("lattice", LATTICES, ids=str)
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_number_of_windows(lattice, length):
    sites = np.array(lattice.shape)
    rows = sites if lattice.boundary == "periodic" else np.maximum(sites - length + 1, 0)
    windows = lattice.windows(length)
    assert windows.shape == (sum(lattice.size // sites * rows), length)
    for window in windows:
        steps = {
            shifted_site(lattice, window[0], k * axis, True)
            for axis in np.eye(len(sites), dtype=int)
            for k in range(length)
        }
        assert set(map(int, window)) <= steps
    assert len({tuple(window) for window in windows.tolist()}) == (len(windows) if length > 1 else lattice.size)


def test_types():
    lattice = Lattice((4, 3))
    assert lattice.neighbours.dtype == lattice.degree.dtype == lattice.bonds.dtype == np.int32
    assert lattice.neighbours.flags.c_contiguous and lattice.bonds.flags.c_contiguous
    assert (lattice.size, lattice.dimension) == (12, 2)


@pytest.mark.parametrize(
    ("shape", "boundary"),
    [((), "open"), ((1, 2, 3, 4), "open"), ((0,), "open"), ((2,), "periodic"), ((5, 2), "periodic")],
)
def test_impossible_lattices(shape, boundary):
    with pytest.raises(ValueError, match="lattice"):
        Lattice(shape, boundary)
