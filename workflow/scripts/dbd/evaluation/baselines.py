"""What a reduced model has to beat: classical closures started where the simulation starts, and independent sites.

Mean field, the pair approximation (`dbd.kinetics.closures`) and entropic matching predict the mean counts of a split
from the law of its initial lattices, as models do. Independent sites are given the simulated mean numbers of molecules
at each time, which makes them the best that any model without correlations could do.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dbd.kinetics.closures import Closure, Probabilities
from dbd.kinetics.entropic_matching import ChainMatching
from dbd.kinetics.reactions import EMPTY, ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.learning.sampled_entropic_matching import SampledMatching

FEWEST = 1e-6  # density that stands for none, and for no room: natural parameters are finite


class BaselineInput(NamedTuple):
    """What baselines are computed from."""

    network: ReactionNetwork
    lattice: Lattice
    dt: float
    observables: tuple[str, ...]
    start: Probabilities  # at time zero, of every initial condition
    means: np.ndarray  # simulated, float64 (initial condition, time, observable)
    rates: np.ndarray  # rates and probabilities of the reactions, float64 (initial condition, reaction)
    interactions: Mapping[str, np.ndarray]  # that initial lattices were drawn with, (initial condition,); if any
    generator_of: Callable[..., np.random.Generator]  # streams of sampled lattices


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


def entropic_matching(given: BaselineInput) -> np.ndarray:
    """Entropic matching, a Boltzmann distribution that the reactions alone drive.

    On a chain of one species with up to three molecules in a row, and what else initial lattices were drawn with:
    moments are exact. With species and pairs it is the pair approximation there, which stands for it if there are
    several species. Elsewhere moments are sampled, and words longer than pairs as in the pair approximation.
    """
    if given.lattice.dimension > 1:
        return _matched_samples(given)
    return _matched_chain(given) if len(given.network.species) == 1 else pair_approximation(given)


def _matched_chain(given: BaselineInput) -> np.ndarray:
    names = [*{length * given.network.species[0]: None for length in (1, 2, 3)} | given.interactions]
    words, observed = ([len(name) * (1,) for name in some] for some in (names, given.observables))
    initial = np.zeros((len(given.means), len(names)))
    for column, word in enumerate(words):
        if given.interactions:
            initial[:, column] = given.interactions.get(names[column], 0.0)
        elif len(word) <= 2:
            initial[:, column] = markov_parameter(given.start, word)
    counts = np.empty((*given.means.shape[:2], len(observed)))
    for rates in dict.fromkeys(map(tuple, given.rates)):
        own = (given.rates == rates).all(axis=1)
        matching = ChainMatching(given.network.with_constants(rates), given.dt, tuple(words))
        path = matching.integrate(initial[own], counts.shape[1] - 1)
        counts[own] = matching.moments(path.reshape(-1, len(words)), observed).reshape(*path.shape[:2], -1)
    return counts * [_windows(given.lattice, name) for name in given.observables]


def _matched_samples(given: BaselineInput) -> np.ndarray:
    rows = []
    for index, (rates, *start) in enumerate(zip(given.rates, *given.start, strict=True)):
        matching = SampledMatching(given.network.with_constants(rates), given.lattice, given.dt)
        names = matching.model.interactions
        initial = expected_counts(Probabilities(*start), given._replace(observables=names))
        path = matching.integrate(initial, given.means.shape[1] - 1, partial(given.generator_of, index))
        rows.append(expected_counts(of_counts(path, names, given.network.species, given.lattice), given))
    return np.stack(rows)


BASELINES = {
    "mean_field": Baseline("mean field", mean_field),
    "pair_approximation": Baseline("pair approximation", pair_approximation),
    "independent_sites": Baseline("independent sites, true means", independent_sites),
    "entropic_matching": Baseline("entropic matching", entropic_matching),
}


def densities(given: BaselineInput) -> np.ndarray:
    """Simulated molecules of each species per site, (initial condition, time, species)."""
    columns = [given.observables.index(name) for name in given.network.species]
    return given.means[..., columns] / given.lattice.size


def independent(density: np.ndarray) -> Probabilities:
    """Probabilities of independent sites, from the density of each species (..., species)."""
    single = np.concatenate([1.0 - density.sum(axis=-1, keepdims=True), density], axis=-1)
    return Probabilities(single, single[..., :, None] * single[..., None, :])


def markov_parameter(probabilities: Probabilities, word: tuple[int, ...]) -> np.ndarray:
    """Natural parameter (...) of one or two occupancies in a row, of the chain with given probabilities.

    Species that are absent and lattices that are full have none: they are taken to be just short of it.
    """
    single = np.maximum(probabilities.single[..., 1:], FEWEST)
    product = probabilities.single[..., 1:, None] * probabilities.single[..., None, 1:]
    correlation = np.where(product > 0, probabilities.pair[..., 1:, 1:] / np.where(product > 0, product, 1.0), 1.0)
    pair = np.empty(probabilities.pair.shape)
    pair[..., 1:, 1:] = single[..., :, None] * single[..., None, :] * np.maximum(correlation, FEWEST)
    pair[..., 1:, 0] = pair[..., 0, 1:] = np.maximum(single - pair[..., 1:, 1:].sum(axis=-1), FEWEST * single)
    pair[..., 0, 0] = np.maximum(1.0 - single.sum(axis=-1) - pair[..., 0, 1:].sum(axis=-1), FEWEST**2)
    follows = np.log(pair / pair.sum(axis=-1, keepdims=True))
    a, b = (*word, EMPTY)[:2]
    if len(word) == 1:
        return follows[..., 0, a] + follows[..., a, 0] - 2 * follows[..., 0, 0]
    return follows[..., a, b] + follows[..., 0, 0] - follows[..., a, 0] - follows[..., 0, b]


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
