"""Where runs start: lattices drawn from a Boltzmann distribution, or given numbers of molecules at random sites.

Rates of reactions can differ between initial conditions too.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numba import njit
from scipy.stats import qmc

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch
from dbd.simulation.site_selection import SiteSelection, draw_site, empty_sets, insert, remove, selection_tree


def initial_names(start: Mapping[str, Any], species: Sequence[str]) -> tuple[str, ...]:
    """Names of the numbers that define an initial condition: interactions, or species if molecules are counted."""
    return tuple(species if start["counts"] is not None else start["interactions"])


def initial_numbers(
    start: Mapping[str, Any], species: Sequence[str], index: int, generator_of: Callable[..., np.random.Generator]
) -> np.ndarray:
    """Interaction parameters, or numbers of molecules, of one initial condition.

    Parameters
    ----------
    start
        Section ``initial_condition`` of a study: ``parameters`` (listed), ``box`` (drawn uniformly, independently or as
        the next point of a scrambled Sobol sequence) or ``counts`` (numbers of molecules, or ranges to draw from in the
        same way, by ``design``).
    species
        Species of the study.
    index
        Which initial condition.
    generator_of
        Stream of an initial condition by its index, and of the whole split without one.

    Returns
    -------
    float64, shape (number,), in the order of `initial_names`.
    """
    if start["parameters"] is not None:
        return np.array(start["parameters"][index], float)
    drawn = _uniform(start, index, generator_of)
    if start["box"] is not None:
        lower, upper = np.array(start["box"]["lower"]), np.array(start["box"]["upper"])
        return lower + (upper - lower) * drawn[: len(lower)]
    given = (start["counts"].get(name, 0) for name in species)
    least, most = np.array([count if isinstance(count, list) else (count, count) for count in given]).T
    ranges, point = least < most, np.zeros(len(least))
    point[ranges] = drawn[: ranges.sum()]
    return least + np.floor(point * (most - least + 1))


def initial_rates(
    start: Mapping[str, Any], index: int, generator_of: Callable[..., np.random.Generator]
) -> dict[str, float]:
    """Rates and probabilities of one initial condition that are not those of the study, by equation.

    Values that the section lists are taken in turn by the initial conditions, those of all reactions at a time; from
    ranges they are drawn uniformly, in one design with the numbers of molecules or interaction parameters. Other
    parameters as those of `initial_numbers`.
    """
    drawn, rates = _uniform(start, index, generator_of), {}
    place = len(drawn) - sum(map(_is_range, start["rates"].values()))
    for equation, rate in start["rates"].items():
        if _is_range(rate):
            rates[equation] = rate["lower"] + (rate["upper"] - rate["lower"]) * float(drawn[place])
            place += 1
        else:
            rates[equation] = rate["values"][index % len(rate["values"])]
    return rates


def _is_range(rate: Mapping[str, Any]) -> bool:
    return not rate["values"]


def _uniform(start: Mapping[str, Any], index: int, generator_of: Callable[..., np.random.Generator]) -> np.ndarray:
    """Point of an initial condition in the unit cube: an axis for each number, then for each rate that is drawn.

    Points are independent, or those of a scrambled Sobol sequence.
    """
    dimensions = sum(map(_is_range, start["rates"].values()))
    design = start["design"]
    if start["box"] is not None:
        dimensions, design = dimensions + len(start["box"]["lower"]), start["box"]["design"]
    ranges = [count for count in (start["counts"] or {}).values() if isinstance(count, list) and count[0] < count[1]]
    dimensions += len(ranges)
    if dimensions == 0:
        return np.empty(0)
    if design == "random":
        return generator_of(index).random(dimensions)
    sequence = qmc.Sobol(dimensions, scramble=True, rng=generator_of())
    if index:
        sequence.fast_forward(index)
    return sequence.random(1)[0]


def initial_lattices(
    start: Mapping[str, Any],
    numbers: np.ndarray,
    lattice: Lattice,
    species: Sequence[str],
    site_selection: str,
    generators: Sequence[np.random.Generator],
    *,
    threads: int = 1,
) -> np.ndarray:
    """Initial lattices of the runs of one initial condition, one generator each; uint8, shape (runs, sites)."""
    if start["counts"] is not None:
        counts = numbers.astype(np.int64)
        return np.stack([place_counts(counts, lattice, site_selection, generator) for generator in generators])
    sampler = Sampler(EnergyModel(lattice, tuple(species), tuple(start["interactions"])))
    states = sampler.random(generators)
    sampler.sample(numbers, states, generators, start["sweeps"], threads=threads)
    return sampler.visible(states).copy()


@njit(cache=True, nogil=True)
def _place(counts, tree, occupancy, generator):
    """Fill an empty lattice with the given number of molecules of each species, one after another."""
    sets = empty_sets(1, tree.first.size)
    for site in range(occupancy.size):
        insert(tree, sets, 0, site)
    for species in range(counts.size):
        for _ in range(counts[species]):
            site, _ = draw_site(tree, sets, 0, occupancy.size, generator.random())
            remove(tree, sets, 0, site)
            occupancy[site] = species + 1


def place_counts(
    counts: Sequence[int], lattice: Lattice, site_selection: SiteSelection, generator: np.random.Generator
) -> np.ndarray:
    """Place molecules on random sites of an empty lattice.

    Parameters
    ----------
    counts
        Number of molecules of each species, in declared order.
    lattice, site_selection
        Geometry, and the law by which an empty site is drawn.
    generator
        The random stream.

    Returns
    -------
    occupancy
        uint8, shape (sites,).

    Raises
    ------
    ValueError
        For a negative count, or more molecules than sites.
    """
    counts = np.asarray(counts)
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or counts.min(initial=0) < 0 or counts.sum() > lattice.size:
        expected = f"whole numbers of 0 or more, at most {lattice.size} in all"
        raise ValueError(f"initial counts: {mismatch(counts.tolist(), expected)}")
    occupancy = np.zeros(lattice.size, np.uint8)
    _place(counts.astype(np.int64), selection_tree(lattice, site_selection), occupancy, generator)
    return occupancy
