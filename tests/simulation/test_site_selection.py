"""Choice of sites against shuffles enumerated one by one, and the bookkeeping of the sets."""

from itertools import permutations, product

import numpy as np
import pytest
from scipy.stats import chisquare

from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.site_selection import draw_site, empty_sets, holds, insert, remove, selection_tree


def exact_choice(sites, lattice, site_selection):
    """Probability of every site: the share of all shuffles of the axes in which the scan meets it first."""
    chance = np.zeros(lattice.size)
    if site_selection == "uniform":
        chance[sorted(sites)] = 1 / len(sites)
        return chance
    shuffles = list(product(*(list(permutations(range(length))) for length in lattice.shape)))
    for axes in shuffles:
        scan = (np.ravel_multi_index(position, lattice.shape) for position in product(*axes))
        chance[next(site for site in scan if site in sites)] += 1 / len(shuffles)
    return chance


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4)])
@pytest.mark.parametrize("site_selection", ["uniform", "axis_scan"])
def test_choice_after_many_insertions_and_removals(shape, site_selection):
    """Chi-square of 20,000 draws at a false-alarm probability of 1e-7; the other rule must fail it where it differs."""
    lattice = Lattice(shape)
    tree = selection_tree(lattice, site_selection)
    rng = np.random.default_rng(1)
    sets = empty_sets(2, tree.first.size)
    members = {0: set(), 1: set()}
    for which, site in zip(
        rng.integers(0, 2, 2000).tolist(), rng.integers(0, lattice.size, 2000).tolist(), strict=True
    ):
        assert holds(tree, sets, which, site) == (site in members[which])
        change = remove if site in members[which] else insert
        change(tree, sets, which, site)
        members[which] ^= {site}
        assert sets.members.tolist() == [len(members[0]), len(members[1])]
    while len(members[1]) > lattice.size // 2:
        remove(tree, sets, 1, members[1].pop())
    fractions = rng.random(20_000)
    drawn, left = zip(*(draw_site(tree, sets, 1, lattice.size, fraction) for fraction in fractions), strict=True)
    counts = np.bincount(drawn, minlength=lattice.size)

    def p_value(rule):
        chance = exact_choice(members[1], lattice, rule)
        assert (counts[chance == 0] == 0).all()
        return chisquare(counts[chance > 0], 20_000 * chance[chance > 0]).pvalue

    assert p_value(site_selection) > 1e-7
    other = {"uniform": "axis_scan", "axis_scan": "uniform"}[site_selection]
    assert (p_value(other) > 1e-7) == (len(shape) == 1)
    remainders = np.histogram(left, 20, (0, 1))[0]
    assert chisquare(remainders).pvalue > 1e-7


@pytest.mark.slow
@pytest.mark.parametrize("site_selection", ["uniform", "axis_scan"])
def test_placement_of_two_molecules(site_selection):
    """Chi-square of 20,000 placements, false-alarm probability 1e-7; the other rule must fail."""
    lattice = Lattice((2, 3))
    generator = stream(3, "placement", site_selection)
    placed = np.array([place_counts([1, 1], lattice, site_selection, generator) for _ in range(20_000)])
    assert ((placed == 1).sum(axis=1) == 1).all() and ((placed == 2).sum(axis=1) == 1).all()
    pairs = np.bincount((placed == 1).argmax(axis=1) * 6 + (placed == 2).argmax(axis=1), minlength=36)

    def p_value(rule):
        first = exact_choice(set(range(6)), lattice, rule)
        both = [first[site] * exact_choice(set(range(6)) - {site}, lattice, rule) for site in range(6)]
        chance = np.concatenate(both)
        return chisquare(pairs[chance > 0], 20_000 * chance[chance > 0]).pvalue

    assert p_value(site_selection) > 1e-7
    assert p_value({"uniform": "axis_scan", "axis_scan": "uniform"}[site_selection]) < 1e-7


@pytest.mark.parametrize("counts", [[-1, 2], [10, 10], [1.5], [[1], [2]]])
def test_bad_counts_are_refused(counts):
    with pytest.raises(ValueError, match="initial counts"):
        place_counts(counts, Lattice((12,)), "uniform", stream(1, "none"))


def test_unknown_selection_is_refused():
    with pytest.raises(ValueError, match="site selection: got 'random', expected uniform or axis_scan"):
        place_counts([1], Lattice((12,)), "random", stream(1, "none"))
