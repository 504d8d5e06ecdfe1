"""Composition of a lattice, the number of particles of every species: nodes of its law, and lattices that have it.

The law of a composition N on 0 <= N, sum N <= sites has a mean n and a covariance Sigma; without spread every lattice
has the composition n. As n is real and compositions are integers, the law is represented by a number of nodes of equal
weight. They are a smooth function of n and Sigma up to rounding, without random numbers.

- Points of an additive recurrence (Roberts 2018) become normal, and log-normal with the moments of the law as far as
  log-normal numbers can have them: they are positive and may spread by more than their mean.
- Then, in turn, the points are mapped to the exact moments by the linear map that moves them least (optimal transport
  between normal laws) and moved to the bounds. A combination of species without spread is the same at every point.
- Partial sums over species are rounded up or down, all those of a point in the same way, at every point in another. So
  each number is next to its real value, and a total that is an integer at every point stays the same. At last, single
  molecules are added or removed until the mean is right, where this moves the points least.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy.stats import norm

from dbd.lattice.geometry import Lattice

_ROUNDS = 100  # of moments and bounds


def nodes(mean: np.ndarray, covariance: np.ndarray | None, sites: int, count: int) -> np.ndarray:
    """Compositions that represent their law, of equal weight.

    Parameters
    ----------
    mean
        Mean number of particles of every species, (species,); a species may be absent.
    covariance
        Covariance of the numbers, (species, species); None for none.
    sites
        Sites of the lattice.
    count
        Number of nodes.

    Returns
    -------
    int64, (count, species). The mean of the nodes is `mean` to the nearest multiple of 1 / count in all partial sums
    over species; their covariance is as close to `covariance` as integers and bounds allow.

    Raises
    ------
    ValueError
        When numbers are negative or more than there are sites.
    """
    mean = np.asarray(mean, float)
    if not (mean >= 0).all() or mean.sum() > sites * (1 + 1e-12):
        raise ValueError(f"mean composition: got {mean.tolist()}, expected 0 or more, and at most {sites} in all")
    points = np.tile(mean, (count, 1))
    if covariance is not None:
        points = _points(mean, np.asarray(covariance, float), sites, count)
    totals = np.diff(np.rint(count * mean.cumsum()), prepend=0).astype(np.int64)
    return _rounded(points, totals, sites)


def _points(mean: np.ndarray, covariance: np.ndarray, sites: int, count: int) -> np.ndarray:
    """Real points within bounds whose moments are those of the law."""
    normal = _standard_normal(count, len(mean))
    scale = np.where(mean > 0, mean, 1)
    wanted = logarithms = _of_logarithms(covariance, scale)
    for _ in range(_ROUNDS):
        points = np.exp(normal @ _root(logarithms))
        points *= mean / points.mean(axis=0)
        logarithms = logarithms + wanted - _of_logarithms(np.cov(points.T, bias=True).reshape(covariance.shape), scale)
    for _ in range(_ROUNDS):
        centred = points - points.mean(axis=0)
        points = mean + centred @ _transport(centred.T @ centred / count, covariance)
        points = np.maximum(points, 0)
        points *= np.minimum(1, sites / np.maximum(points.sum(axis=1, keepdims=True), 1))
    return points


def _of_logarithms(covariance: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Covariance of the logarithms of log-normal numbers with given means and covariance."""
    return np.log(np.maximum(1 + covariance / np.outer(scale, scale), 0.05))


def _standard_normal(count: int, dimensions: int) -> np.ndarray:
    """Evenly spread points of a standard normal law with exact mean and covariance; (count, dimensions)."""
    ratio = max(np.roots([1, *[0] * (dimensions - 1), -1, -1]).real)  # x^(d+1) = x + 1
    uniform = (0.5 + np.arange(1, count + 1)[:, None] * ratio ** -np.arange(1.0, dimensions + 1)) % 1
    points = norm.ppf(uniform)
    points -= points.mean(axis=0)
    return points @ _root(np.linalg.pinv(points.T @ points / count, hermitian=True))


def _root(matrix: np.ndarray) -> np.ndarray:
    """Square root of a symmetric matrix, eigenvalues below zero taken for zero."""
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _transport(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Symmetric matrix T with T source T = target."""
    root = _root(source)
    inverse = np.linalg.pinv(root, rcond=1e-9, hermitian=True)
    return inverse @ _root(root @ target @ root) @ inverse


def _rounded(points: np.ndarray, totals: np.ndarray, sites: int) -> np.ndarray:
    """Integer points next to real ones, with given totals over all points; int64."""
    count = len(points)
    phase = (np.arange(count)[:, None] + 0.5) / count
    sums = np.floor(points.cumsum(axis=1) + phase + 1e-9)
    rounded = np.diff(np.minimum(sums, sites), axis=1, prepend=0)
    while (missing := totals - rounded.sum(axis=0)).any():
        step = np.zeros(len(totals), np.int64)  # one molecule more, one less, or one turned into another
        step[np.argmax(missing)] += missing.max() > 0
        step[np.argmin(missing)] -= missing.min() < 0
        changed = rounded + step
        allowed = (changed >= 0).all(axis=1) & (changed.sum(axis=1) <= sites)
        cost = ((changed - points) ** 2).sum(axis=1) - ((rounded - points) ** 2).sum(axis=1)
        rounded[np.argmin(np.where(allowed, cost, np.inf))] += step
    return rounded.astype(np.int64)


def change_composition(
    visible: np.ndarray, compositions: np.ndarray, generators: Sequence[np.random.Generator]
) -> np.ndarray:
    """Bring lattices to other compositions and return them: few molecules change places, all others stay.

    Molecules of species that have too many are removed, drawn at random; then those of species that have too few are
    put on empty sites drawn at random.

    Parameters
    ----------
    visible
        Occupancies of chains, uint8, shape (chains, sites); changed in place.
    compositions
        Number of particles of every species, int64, shape (chains, species), at most `sites` in all.
    generators
        One for every chain.
    """
    species = compositions.shape[1]
    for lattice, numbers, generator in zip(visible, compositions, generators, strict=True):
        missing = numbers - np.bincount(lattice, minlength=species + 1)[1:]
        for x in np.flatnonzero(missing < 0):
            lattice[generator.choice(np.flatnonzero(lattice == 1 + x), -missing[x], replace=False)] = 0
        added = np.repeat(np.arange(1, species + 1), np.maximum(missing, 0))
        lattice[generator.choice(np.flatnonzero(lattice == 0), len(added), replace=False)] = added
    return visible


def random_lattice(numbers: np.ndarray, lattice: Lattice, generator: np.random.Generator) -> np.ndarray:
    """Molecules at random sites; uint8, (sites,)."""
    return generator.permutation(separated_lattice(numbers, lattice, generator))


def separated_lattice(numbers: np.ndarray, lattice: Lattice, generator: np.random.Generator) -> np.ndarray:
    """One species after another fills the lattice in the order of its sites: phases apart; uint8, (sites,).

    Nothing is drawn.
    """
    occupancy = np.zeros(lattice.size, np.uint8)
    occupancy[: sum(numbers)] = np.repeat(np.arange(1, len(numbers) + 1), numbers)
    return occupancy


def dispersed_lattice(numbers: np.ndarray, lattice: Lattice, generator: np.random.Generator) -> np.ndarray:
    """Molecules in random order, each at a random one of the sites with fewest molecules around; uint8, (sites,)."""
    occupancy = np.zeros(lattice.size, np.uint8)
    around = generator.random(lattice.size)  # number of molecules around a site, and a fraction that decides ties
    for x in generator.permutation(np.repeat(np.arange(1, len(numbers) + 1), numbers)):
        site = np.argmin(around)
        occupancy[site] = x
        around[site] = np.inf
        neighbours = lattice.neighbours[site]
        around[neighbours[neighbours >= 0]] += 1
    return occupancy


# Where chains start: a sampler that forgets its start gives the same moments from all of them.
STARTS: Mapping[str, Callable[[np.ndarray, Lattice, np.random.Generator], np.ndarray]] = {
    "random": random_lattice,
    "separated": separated_lattice,
    "dispersed": dispersed_lattice,
}
