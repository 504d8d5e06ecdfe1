"""What a reduced model has to beat: classical closures started where the simulation starts, and independent sites.

Mean field and the pair approximation predict the mean counts of a split from the law of its initial lattices, as models
do, by `dbd.kinetics.closures`. Independent sites are given the simulated mean numbers of molecules at each time, which
makes them the best that any model without correlations could do.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dbd.kinetics.closures import Closure, Probabilities
from dbd.kinetics.reactions import EMPTY, ReactionNetwork
from dbd.lattice.geometry import Lattice


class BaselineInput(NamedTuple):
    """What baselines are computed from."""

    network: ReactionNetwork
    lattice: Lattice
    dt: float
    observables: tuple[str, ...]
    start: Probabilities  # at time zero, of every initial condition
    means: np.ndarray  # simulated, float64 (initial condition, time, observable)
    rates: np.ndarray  # rates and probabilities of the reactions, float64 (initial condition, reaction)


class Baseline(NamedTuple):
    """A baseline: what figures call it, and its mean counts (initial condition, time, observable)."""

    title: str
    predict: Callable[[BaselineInput], np.ndarray]


def mean_field(given: BaselineInput) -> np.ndarray:
    """Mean-field rate equations from the initial densities."""
    return _closed(given, pairs=False)


def pair_approximation(given: BaselineInput) -> np.ndarray:
    """Pair approximation from the initial densities and pairs."""
    return _closed(given, pairs=True)


def independent_sites(given: BaselineInput) -> np.ndarray:
    """Independent sites with the simulated mean numbers of molecules at every time."""
    return expected_counts(independent(densities(given)), given)


BASELINES = {
    "mean_field": Baseline("mean field", mean_field),
    "pair_approximation": Baseline("pair approximation", pair_approximation),
    "independent_sites": Baseline("independent sites, true means", independent_sites),
}


def densities(given: BaselineInput) -> np.ndarray:
    """Simulated molecules of each species per site, (initial condition, time, species)."""
    columns = [given.observables.index(name) for name in given.network.species]
    return given.means[..., columns] / given.lattice.size


def independent(density: np.ndarray) -> Probabilities:
    """Probabilities of independent sites, from the density of each species (..., species)."""
    single = np.concatenate([1.0 - density.sum(axis=-1, keepdims=True), density], axis=-1)
    return Probabilities(single, single[..., :, None] * single[..., None, :])


def at_random_sites(numbers: np.ndarray, sites: int) -> Probabilities:
    """Probabilities of given numbers of molecules (..., species) at random sites, no two at the same one."""
    states = np.concatenate([sites - numbers.sum(axis=-1, keepdims=True), numbers], axis=-1)
    others = states[..., None, :] - np.eye(states.shape[-1])  # of the other site of a bond, without the molecule here
    return Probabilities(states / sites, states[..., None] * others / (sites * (sites - 1)))


def of_counts(
    counts: np.ndarray, observables: Sequence[str], species: Sequence[str], lattice: Lattice
) -> Probabilities:
    """Probabilities of mean counts (..., observable), those of all species among them.

    Pairs that are not counted are taken to be independent.
    """
    single, pair = independent(counts[..., [list(observables).index(name) for name in species]] / lattice.size)
    for place, word in enumerate(observables):
        if len(word) == 2:
            a, b = _occupancies(species, word)
            pair[..., a, b] = pair[..., b, a] = counts[..., place] / (_windows(lattice, word) * _orders(word))
    return Probabilities(single, pair)


def expected_counts(probabilities: Probabilities, given: BaselineInput) -> np.ndarray:
    """Mean counts (..., observable) of a lattice with given probabilities of sites and bonds.

    Words of three and more letters are those of a Markov chain: the product of the probabilities of their bonds, over
    those of the sites that two of these share.
    """
    single = np.maximum(probabilities.single, 0.0)
    follows = probabilities.pair / np.where(single > 0, single, np.inf)[..., None]
    columns = []
    for word in given.observables:
        letters = _occupancies(given.network.species, word)
        chance = single[..., letters[0]]
        for before, after in pairwise(letters):
            chance = chance * follows[..., before, after]
        columns.append(_windows(given.lattice, word) * _orders(word) * chance)
    return np.stack(columns, axis=-1)


def _closed(given: BaselineInput, pairs: bool) -> np.ndarray:
    """Mean counts by a closure of the hierarchy, from the initial probabilities of each initial condition."""
    steps, system = given.means.shape[1] - 1, (given.lattice.dimension, given.dt, pairs)
    closures = {rates: Closure(given.network.with_constants(rates), *system) for rates in set(map(tuple, given.rates))}
    paths = [
        closures[tuple(rates)].integrate(Probabilities(*start), steps)
        for rates, *start in zip(given.rates, *given.start, strict=True)
    ]
    return np.stack([expected_counts(path, given) for path in paths])


def _occupancies(species: Sequence[str], word: str) -> list[int]:
    return [list(species).index(letter) + 1 + EMPTY for letter in word]


def _windows(lattice: Lattice, word: str) -> int:
    """Places where a word can stand."""
    return lattice.size if len(word) == 1 else len(lattice.windows(len(word)))


def _orders(word: str) -> int:
    """Directions in which a word is another one."""
    return 1 if word == word[::-1] else 2
