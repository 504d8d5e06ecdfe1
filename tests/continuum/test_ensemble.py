"""Ensembles in continuous space: starts, parts that add up however they are cut, densities from counts."""

import copy

import numpy as np
import pytest

from combine_densities import combine_densities, merge_counts
from continuum_studies import PAIRS
from dbd.build.particles import start_pairs, start_sampler
from dbd.continuum.box import Box
from dbd.study.continuum_study import ContinuumStudy, PatternSection
from dbd.study.reading import parse
from simulate_particles import simulate_particles


def pattern(**given):
    return PatternSection.model_validate(given).model_dump(mode="json")


def settings(**changes):
    """Params of the simulation of the training split."""
    tree = parse(ContinuumStudy, copy.deepcopy(PAIRS), "").model_dump(mode="json")
    starts = tree["ensemble"]["splits"]["train"]["starts"]
    return tree | {"seed": 1, "first": 0, "starts": starts} | changes


@pytest.fixture(scope="module")
def whole():
    return simulate_particles(settings(), "study", "train", range(6))


def test_parts_add_up_however_they_are_cut(whole):
    """Every number of the ensemble is the same from one part, or from six in another order."""
    starts = settings()["starts"]
    parts = [
        simulate_particles(settings(first=first, starts=[starts[first]]), "study", "train", runs)
        for runs in (range(4, 6), range(0, 3), range(3, 4))
        for first in (1, 0)
    ]
    merged = merge_counts(parts)
    assert merged.identical(merge_counts([whole]))
    assert not merged.identical(merge_counts(parts[1:]))


def test_densities_are_counts_per_volume(whole):
    tree = settings()
    found = combine_densities(merge_counts([whole]), tree)
    number = whole.number_sums.sum("group") / 6
    np.testing.assert_allclose(found.number, number)
    np.testing.assert_allclose(found.density[..., 0], number / 4)
    pairs = whole.pair_sums.sum("group") / 6
    np.testing.assert_allclose(found.pair_density, pairs / (4 * 2 * 0.01))
    np.testing.assert_allclose((found.gap * 0.1).sum("gap"), 1)
    assert found.number[0, 0] == 20
    assert found.number_sem[0, 0] == 0 < found.number_sem[1, 0]
    np.testing.assert_allclose(found.time, [0, 0.1, 0.2, 0.3])


def test_start_of_several_species():
    box = Box((4.0,), "periodic")
    start = {
        "B": pattern(regular={"density": 5, "spread": 0}),
        "A": pattern(poisson={"background": 2, "bumps": [[1, 0.01, 100]]}),
    }
    position, species = start_sampler(box, ("A", "B"), start)(np.random.default_rng(1))
    assert (species == 2).sum() == 20
    np.testing.assert_allclose(np.ptp(np.diff(np.sort(position[species == 2, 0]))), 0, atol=1e-12)
    near = np.abs(position[species == 1, 0] - 1) < 0.1
    assert 50 < near.sum() < 150  # Poisson with mean 100: false alarm below 1e-6


def test_start_in_a_rectangle():
    sample = start_sampler(Box((2.0, 3.0)), ("A",), {"A": pattern(poisson={"background": 20})})
    position, _ = sample(np.random.default_rng(1))
    assert 60 < len(position) < 190  # Poisson with mean 120: false alarm below 1e-6
    assert (position.max(axis=0) > [1.5, 2.5]).all()


def test_pairs_of_starts():
    distance = np.array([0.01, 0.5])
    assert start_pairs(pattern(poisson={"background": 3}), distance)[0] == 3
    np.testing.assert_allclose(start_pairs(pattern(poisson={"background": 3}), distance)[1], 9)
    clustered = start_pairs(pattern(clustered={"density": 5, "members": 2, "width": 0.02}), distance)
    assert clustered[0] == 5
    assert clustered[1][0] > 100
    assert clustered[1][1] == pytest.approx(25)
    regular = start_pairs(pattern(regular={"density": 5, "spread": 0.1}), distance)
    assert regular[0] == 5
    assert regular[1][0] < 1e-6
