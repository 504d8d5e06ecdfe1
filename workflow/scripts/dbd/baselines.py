"""What a reduced model has to beat: independent sites in closed form, and the well-mixed rate equations."""

from collections.abc import Sequence

import numpy as np
from scipy.integrate import solve_ivp

from dbd.lattice import Lattice
from dbd.reactions import ReactionNetwork


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


def independent_moments(
    counts: np.ndarray, species: Sequence[str], lattice: Lattice, observables: Sequence[str]
) -> np.ndarray:
    """Mean observables of independent sites with mean numbers (..., species); shape (..., observable).

    A word is found in a window with the product of the densities of its letters, in either direction.
    """
    density = np.asarray(counts, float) / lattice.size
    columns = []
    for word in observables:
        windows = lattice.size if len(word) == 1 else len(lattice.windows(len(word)))
        chance = np.prod(density[..., [list(species).index(letter) for letter in word]], axis=-1)
        columns.append(windows * chance * (1 if word == word[::-1] else 2))
    return np.stack(columns, axis=-1)


def mean_field(network: ReactionNetwork, lattice: Lattice, dt: float, initial: np.ndarray, steps: int) -> np.ndarray:
    """Numbers of molecules by the well-mixed rate equations, shape (steps + 1, species).

    In each time step every molecule has one turn and picks a neighbouring site, which in a well-mixed lattice holds a
    molecule of species b with probability N_b / sites. So an unordered pair of different species collides 2 N_a N_b /
    sites times a step, one of two alike N_a^2 / sites times, and

        dN/dt = sum of change * rate * N_reactant + sum of change * probability * collisions / dt

    with the probability that the reaction is the one that succeeds when the pair's reactions are tried in order. Events
    that are lost for want of room are not taken off, and creation happens on the empty sites.

    Parameters
    ----------
    network, lattice, dt
        The system.
    initial
        Numbers of molecules at time zero, (species,).
    steps
        Time steps.
    """
    sites = lattice.size
    taken: dict[tuple[int, ...], float] = {}
    constants = []
    for reaction in network.reactions:
        if reaction.bimolecular:
            pair = tuple(sorted(reaction.reactants))
            free = 1.0 - taken.get(pair, 0.0)
            taken[pair] = 1.0 - free * (1.0 - reaction.constant)
            constants.append(free * reaction.constant * (1 if pair[0] == pair[1] else 2) / (sites * dt))
        else:
            constants.append(reaction.constant)

    def slope(_, counts: np.ndarray) -> np.ndarray:
        occupied = np.concatenate([[sites - counts.sum()], counts])
        propensities = [
            constant * np.prod(occupied[list(reaction.reactants or (0,))])
            for reaction, constant in zip(network.reactions, constants, strict=True)
        ]
        return network.stoichiometry @ propensities

    times = dt * np.arange(steps + 1)
    return solve_ivp(slope, (0.0, times[-1]), initial, t_eval=times, method="LSODA", rtol=1e-8, atol=1e-8).y.T
