"""Where a prediction starts: parameters at time zero from numbers of molecules, or given by name."""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from dbd.boltzmann.family import CompositionAndCouplings, Family
from dbd.boltzmann.independent_sites import independent_biases
from dbd.messages import mismatch, one_of


def check_numbers(what: str, given: Mapping[str, float], names: Sequence[str]) -> None:
    """Raise a one-line ValueError unless names are among those expected and values are finite numbers."""
    for name, value in given.items():
        if name not in names:
            raise ValueError(f"{what}: {mismatch(name, one_of(names))}")
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not isfinite(value):
            raise ValueError(f"{what}: {name}: {mismatch(value, 'a finite number')}")


def from_counts(family: Family, others: Mapping[str, float], counts: Mapping[str, float]) -> np.ndarray:
    """Parameters (P,) of molecules at random sites; species that are not named are absent.

    In mixed coordinates these are the densities, and couplings are zero or as given by the model's section ``initial``,
    `others`. In natural parameters they are the biases of independent sites.

    Raises
    ------
    ValueError
        For numbers that the lattice cannot have, for a species that natural parameters cannot do without, and in
        natural parameters for a model with hidden layers, which is not one of independent sites.
    """
    model, sites = family.model, family.model.lattice.size
    check_numbers("counts", counts, model.species)
    numbers = np.array([counts.get(name, 0) for name in model.species], float)
    if numbers.min() < 0 or numbers.sum() > sites:
        raise ValueError(f"counts: {mismatch(dict(counts), f'0 or more, at most {sites} in all')}")
    theta, species = np.zeros(len(family.names)), [family.names.index(name) for name in model.species]
    if isinstance(family, CompositionAndCouplings):
        for name, value in others.items():
            theta[family.names.index(name)] = value
        theta[species] = numbers / sites
    elif model.layers:
        raise ValueError("counts: got a model with hidden layers in natural parameters, expected its parameters")
    else:
        theta[species] = independent_biases(numbers, sites)
    return theta


def from_parameters(family: Family, parameters: Mapping[str, float]) -> np.ndarray:
    """Parameters (P,) by name, all of them; in mixed coordinates those of species are densities.

    Raises
    ------
    ValueError
        For a name that is missing or unknown, and densities that the lattice cannot have.
    """
    names = family.names
    check_numbers("parameters", parameters, names)
    if missing := [name for name in names if name not in parameters]:
        expected = f"a number for each of {', '.join(names)}"
        raise ValueError(f"parameters: {mismatch(f'none for {missing[0]}', expected)}")
    mixed = isinstance(family, CompositionAndCouplings)
    densities = [parameters[name] for name in family.model.species if mixed]
    if min(densities, default=0) < 0 or sum(densities) > 1:
        raise ValueError(f"parameters: {mismatch(f'densities {densities}', '0 or more, at most 1 in all')}")
    return np.array([parameters[name] for name in names], float)
