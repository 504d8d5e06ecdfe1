"""What a reduced model has to beat: classical closures started where the simulation starts, and independent sites.

Each baseline predicts the mean counts of a split from its simulated ones: mean field and the pair approximation from
those at time zero, integrated by `dbd.closures`; independent sites from the true mean numbers of molecules at each
time, which makes them the best that any model without correlations could do.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from dbd.closures import Closure, Probabilities
from dbd.lattice import Lattice
from dbd.reactions import EMPTY, ReactionNetwork


class Setting(NamedTuple):
    """What baselines are computed from."""

    network: ReactionNetwork
    lattice: Lattice
    dt: float
    observables: tuple[str, ...]
    means: np.ndarray  # simulated, float64 (initial condition, time, observable)


class Baseline(NamedTuple):
    """A baseline: what figures call it, and its mean counts (initial condition, time, observable)."""

    title: str
    predict: Callable[[Setting], np.ndarray]


def mean_field(setting: Setting) -> np.ndarray:
    """Mean-field rate equations from the initial numbers of molecules."""
    return _closed(setting, pairs=False)


def pair_approximation(setting: Setting) -> np.ndarray:
    """Pair approximation from the initial numbers of molecules and pairs."""
    return _closed(setting, pairs=True)


def independent_sites(setting: Setting) -> np.ndarray:
    """Independent sites with the simulated mean numbers of molecules at every time."""
    return expected_counts(independent(densities(setting)), setting)


BASELINES = {
    "mean_field": Baseline("mean field", mean_field),
    "pair_approximation": Baseline("pair approximation", pair_approximation),
    "independent_sites": Baseline("independent sites, true means", independent_sites),
}


def independent_biases(counts: np.ndarray, sites: int) -> np.ndarray:
    """Biases at which independent sites have the given mean numbers of each species, shape (..., species).

    The maximum-entropy distribution with these means: b_s = ln(p_s / (1 - sum of p)), p_s = <N_s> / sites (the paper's
    "MaxEnt without weights"). Raises ValueError where a species is absent or the lattice full: biases are infinite.
    """
    counts = np.asarray(counts, float)
    empty = sites - counts.sum(axis=-1, keepdims=True)
    if (counts <= 0).any() or (empty <= 0).any():
        raise ValueError(f"mean counts {counts.tolist()}: allowed are positive numbers, less than {sites} in all")
    return np.log(counts / empty)


def densities(setting: Setting) -> np.ndarray:
    """Simulated molecules of each species per site, (initial condition, time, species)."""
    columns = [setting.observables.index(name) for name in setting.network.species]
    return setting.means[..., columns] / setting.lattice.size


def independent(density: np.ndarray) -> Probabilities:
    """Probabilities of independent sites, from the density of each species (..., species)."""
    single = np.concatenate([1.0 - density.sum(axis=-1, keepdims=True), density], axis=-1)
    return Probabilities(single, single[..., :, None] * single[..., None, :])


def initial_probabilities(setting: Setting) -> Probabilities:
    """Simulated probabilities at time zero, of every initial condition; pairs not measured count as independent."""
    single, pair = independent(densities(setting)[:, 0])
    for word, mean in zip(setting.observables, setting.means[:, 0].T, strict=True):
        if len(word) == 2:
            a, b = _occupancies(setting.network.species, word)
            pair[:, a, b] = pair[:, b, a] = mean / (_windows(setting.lattice, word) * _orders(word))
    return Probabilities(single, pair)


def expected_counts(probabilities: Probabilities, setting: Setting) -> np.ndarray:
    """Mean counts (..., observable) of a lattice with given probabilities of sites and bonds.

    Words of three and more letters are those of a Markov chain: the product of the probabilities of their bonds, over
    those of the sites that two of these share.
    """
    single = np.maximum(probabilities.single, 0.0)
    follows = probabilities.pair / np.where(single > 0, single, np.inf)[..., None]
    columns = []
    for word in setting.observables:
        letters = _occupancies(setting.network.species, word)
        chance = single[..., letters[0]]
        for before, after in pairwise(letters):
            chance = chance * follows[..., before, after]
        columns.append(_windows(setting.lattice, word) * _orders(word) * chance)
    return np.stack(columns, axis=-1)


def _closed(setting: Setting, pairs: bool) -> np.ndarray:
    """Mean counts by a closure of the hierarchy, from the initial moments of each initial condition."""
    closure = Closure(setting.network, setting.lattice.dimension, setting.dt, pairs)
    steps = setting.means.shape[1] - 1
    starts = zip(*initial_probabilities(setting), strict=True)
    paths = [closure.integrate(Probabilities(*start), steps) for start in starts]
    return np.stack([expected_counts(path, setting) for path in paths])


def _occupancies(species: Sequence[str], word: str) -> list[int]:
    return [list(species).index(letter) + 1 + EMPTY for letter in word]


def _windows(lattice: Lattice, word: str) -> int:
    """Places where a word can stand."""
    return lattice.size if len(word) == 1 else len(lattice.windows(len(word)))


def _orders(word: str) -> int:
    """Directions in which a word is another one."""
    return 1 if word == word[::-1] else 2
