"""What a reduced model has to beat: classical closures started where the simulation starts, and independent sites.

Each baseline predicts the mean counts of a split from its simulated ones: mean field and the pair approximation from
those at time zero, integrated by `dbd.kinetics.closures`; independent sites from the true mean numbers of molecules at
each time, which makes them the best that any model without correlations could do.
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
    means: np.ndarray  # simulated, float64 (initial condition, time, observable)


class Baseline(NamedTuple):
    """A baseline: what figures call it, and its mean counts (initial condition, time, observable)."""

    title: str
    predict: Callable[[BaselineInput], np.ndarray]


def mean_field(given: BaselineInput) -> np.ndarray:
    """Mean-field rate equations from the initial numbers of molecules."""
    return _closed(given, pairs=False)


def pair_approximation(given: BaselineInput) -> np.ndarray:
    """Pair approximation from the initial numbers of molecules and pairs."""
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


def initial_probabilities(given: BaselineInput) -> Probabilities:
    """Simulated probabilities at time zero, of every initial condition; pairs not measured count as independent."""
    single, pair = independent(densities(given)[:, 0])
    for word, mean in zip(given.observables, given.means[:, 0].T, strict=True):
        if len(word) == 2:
            a, b = _occupancies(given.network.species, word)
            pair[:, a, b] = pair[:, b, a] = mean / (_windows(given.lattice, word) * _orders(word))
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
    """Mean counts by a closure of the hierarchy, from the initial moments of each initial condition."""
    closure = Closure(given.network, given.lattice.dimension, given.dt, pairs)
    steps = given.means.shape[1] - 1
    starts = zip(*initial_probabilities(given), strict=True)
    paths = [closure.integrate(Probabilities(*start), steps) for start in starts]
    return np.stack([expected_counts(path, given) for path in paths])


def _occupancies(species: Sequence[str], word: str) -> list[int]:
    return [list(species).index(letter) + 1 + EMPTY for letter in word]


def _windows(lattice: Lattice, word: str) -> int:
    """Places where a word can stand."""
    return lattice.size if len(word) == 1 else len(lattice.windows(len(word)))


def _orders(word: str) -> int:
    """Directions in which a word is another one."""
    return 1 if word == word[::-1] else 2
