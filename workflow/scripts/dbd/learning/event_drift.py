"""Drift of the numbers of molecules and of pairs on given lattices: all events that can happen, without a simulation.

On a lattice s every event e of the rules of a step (`dbd.kinetics.moment_hierarchy`), at its rate, changes a count phi:

    (L phi)(s) = sum over e of rate_e (phi(s after e) - phi(s))

Events of one kind change the occupancies of a site and of a neighbour in the same way. What they do to pairs depends on
the other neighbours of both, of which the sum over all such events is enough: it does not depend on the reactions.
Walls are those of the simulation: a molecule turns to one of the neighbours that it has. A second product that finds no
room is tried again on another molecule of the same lattice, `ATTEMPTS` times in all.
"""

import numpy as np
from numba import njit

from dbd.kinetics.reactions import EMPTY, ReactionNetwork, drawn_reactants
from dbd.lattice.geometry import Lattice


def event_drift(states: np.ndarray, network: ReactionNetwork, lattice: Lattice, dt: float) -> np.ndarray:
    """Drift per unit of time of the numbers of molecules and of all pairs.

    Parameters
    ----------
    states
        Occupancies, uint8, shape (lattices, sites).
    network, lattice, dt
        The system, and its time step, in which every molecule has a turn.

    Returns
    -------
    float64, (lattices, S + S (S + 1) / 2): species in declared order, then pairs AA, AB, .., BB, ..
    """
    tables, kinds = network.tables, len(network.species) + 1
    width = 1 + 2 * kinds
    turns, alone, rooms = (np.zeros((len(states), kinds, *shape, width)) for shape in ((kinds,), (), ()))
    _add_events(lattice.neighbours, lattice.degree, np.ascontiguousarray(states), turns, alone, rooms)
    change = np.zeros((len(states), kinds, kinds + 1))
    chances = np.diff(tables.threshold, axis=2, prepend=0.0)
    for mover in range(1, kinds):
        _add_change(change, turns[:, mover, EMPTY] / dt, (mover, EMPTY), (EMPTY, mover))
        for hit, k in np.argwhere(chances[mover]):
            on_target, on_site = tables.outcome[mover, hit, k]
            _add_change(change, turns[:, mover, hit] * chances[mover, hit, k] / dt, (mover, hit), (on_site, on_target))
    for rate, reactant, (first, second) in zip(tables.rate, tables.reactant, tables.products, strict=True):
        if second == EMPTY:
            _add_change(change, rate * alone[:, reactant], (reactant,), (first,))
        else:
            share = rooms[:, reactant, :1] / np.maximum(alone[:, reactant, :1], 1.0)
            _add_change(change, rate * drawn_reactants(share) * rooms[:, reactant], (reactant, EMPTY), (first, second))
    first, second = np.triu_indices(kinds - 1)
    pairs = change[:, 1 + first, 1 + second] + (first != second) * change[:, 1 + second, 1 + first]
    return np.concatenate([change[:, 1:, kinds], pairs], axis=1)


def _add_change(change: np.ndarray, events: np.ndarray, before: tuple[int, ...], after: tuple[int, ...]) -> None:
    """Add what events do that change the occupancies of one site, or of two neighbours.

    To bonds, (lattices, kinds, kinds) by their ends in one of both orders, and behind them to occupancies.
    """
    kinds, count = change.shape[1], events[:, 0]
    for turn, (old, new) in enumerate(zip(before, after, strict=True)):
        if old != new:
            around = events[:, 1 + turn * kinds :][:, :kinds].copy()
            if len(before) == 2:
                around[:, before[1 - turn]] -= count
            for kind, sign in ((old, -1.0), (new, 1.0)):
                change[:, kind, :kinds] += sign * around
                change[:, kind, kinds] += sign * count
    if len(before) == 2:
        change[:, *before] -= count
        change[:, *after] += count


@njit(cache=True, nogil=True)
def _add_events(neighbours, degree, states, turns, alone, rooms):
    """Add sums over the sites of every lattice (lattices, sites) of what events need to know.

    That is 1, the neighbours of a site by kind, and those of one of its neighbours: of every site and neighbour by the
    chance that it turns there to `turns` (lattices, kinds, kinds, 1 + 2 kinds), of sites to `alone` (lattices, kinds,
    1 + 2 kinds), of a site and a random empty neighbour to `rooms` (lattices, kinds, 1 + 2 kinds).
    """
    kinds = turns.shape[1]
    around = np.empty((states.shape[1], kinds))
    for number in range(len(states)):
        state = states[number]
        around[:] = 0.0
        for site in range(len(state)):
            for target in neighbours[site, : degree[site]]:
                around[site, state[target]] += 1.0
        for site in range(len(state)):
            own = alone[number, state[site]]
            own[0] += 1.0
            for kind in range(kinds):
                own[1 + kind] += around[site, kind]
            for target in neighbours[site, : degree[site]]:
                sums, share = turns[number, state[site], state[target]], 1.0 / degree[site]
                for _ in range(2 if state[target] == EMPTY else 1):
                    sums[0] += share
                    for kind in range(kinds):
                        sums[1 + kind] += share * around[site, kind]
                        sums[1 + kinds + kind] += share * around[target, kind]
                    sums, share = rooms[number, state[site]], 1.0 / max(around[site, EMPTY], 1.0)
