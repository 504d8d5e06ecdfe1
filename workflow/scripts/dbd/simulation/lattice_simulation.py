"""Stochastic simulation of reacting and diffusing molecules on a lattice, at most one molecule per site.

One step of length dt (output is taken at its *start*, so index 0 is the initial lattice):

1. Unimolecular reactions and creation in continuous time, by Gillespie's direct method with propensities rate times the
   number of reactants (empty sites for creation). A first product takes the reactant's site, a second one a uniformly
   random empty neighbour; if there is none another reactant is drawn, 20 draws at most, then the event is lost. The
   waiting time is drawn again at the start of every step, which is exact because exponentials have no memory.
2. One movement sweep: every molecule present takes one turn, in random order. It picks one of its existing neighbours
   uniformly and moves there if it is empty. Else the two collide: their reactions are tried in declared order, each
   with its own probability; the first that succeeds removes both and puts its products on the target's site and on the
   mover's old site. Products have no turn of their own in this sweep, but can be hit. A molecule that was hit and has
   survived still has its turn, so two neighbours can try the same reaction twice in a sweep.

"Random" molecules are drawn by the site selection of the system, see `dbd.simulation.site_selection`; empty sites for
creation, and neighbours, uniformly.
"""

from collections.abc import Sequence

import numpy as np
from numba import njit

from dbd.kinetics.reactions import ATTEMPTS, EMPTY, ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch
from dbd.numerics.threads import parallel
from dbd.simulation.site_selection import (
    INDEX,
    SiteSelection,
    draw_site,
    empty_sets,
    holds,
    insert,
    insert_all,
    remove,
    selection_tree,
)

# A set holds the sites of each species, one more those whose turn is still to come. Empty sites are only counted: they
# are drawn for creation alone, and keeping their set would slow down every move.
#
# The form of these small functions matters: where numba does not see that it can do without, it counts references to
# the arrays of `tree` and `sets` in every call, which takes as long as a hop. `_sweep` should have no NRT_incref in
# its loop (``inspect_llvm``).


@njit(cache=True, nogil=True, forceinline=True)
def _become(tree, sets, occupancy, site, after):
    """Set the occupancy of a site."""
    before = occupancy[site]
    if before == EMPTY:
        sets.members[EMPTY] -= 1
    else:
        remove(tree, sets, before, site)
    if after == EMPTY:
        sets.members[EMPTY] += 1
    else:
        insert(tree, sets, after, site)
    occupancy[site] = after


@njit(cache=True, nogil=True, forceinline=True)
def _move(tree, sets, occupancy, site, target):
    """Move a molecule to an empty site."""
    species = occupancy[site]
    occupancy[site], occupancy[target] = EMPTY, species
    if tree.parent[site] == tree.parent[target]:  # its entry in the same list stays
        at = sets.position[species, site]
        sets.children[species, at] = target
        sets.position[species, target] = at
    else:
        remove(tree, sets, species, site)
        insert(tree, sets, species, target)


@njit(cache=True, nogil=True, forceinline=True)
def _empty_site(occupancy, generator):
    """Return a random empty site of a lattice that has one, and a uniform number in [0, 1) that is still unused."""
    while True:
        scaled = generator.random() * occupancy.size
        site = INDEX(scaled)
        if occupancy[site] == EMPTY:
            return site, scaled - site


@njit(cache=True, nogil=True, forceinline=True)
def _empty_neighbours(neighbours, degree, occupancy, site, empty):
    """Write the empty neighbours of a site to the front of `empty` (2 * dimension,), return their number."""
    number = 0
    for k in range(degree[site]):
        empty[number] = neighbours[site, k]  # unless it is empty the next one overwrites it
        number += occupancy[neighbours[site, k]] == EMPTY
    return number


@njit(cache=True, nogil=True)
def _react_alone(tables, tree, neighbours, degree, dt, occupancy, sets, empty, events, generator):
    """Unimolecular reactions and creation during dt, counted in `events`: part 1 of a step."""
    time = 0.0
    while True:
        total = 0.0
        for k in range(tables.rate.size):
            total += tables.rate[k] * sets.members[tables.reactant[k]]
        if total == 0.0:
            return
        time += generator.standard_exponential() / total
        if time >= dt:
            return
        threshold = generator.random() * total
        reaction = -1
        for k in range(tables.rate.size):
            propensity = tables.rate[k] * sets.members[tables.reactant[k]]
            if propensity > 0.0:
                reaction = k
                if threshold < propensity:
                    break
                threshold -= propensity
        first, second = tables.products[reaction, 0], tables.products[reaction, 1]
        for _ in range(ATTEMPTS):
            if tables.reactant[reaction] == EMPTY:
                site, fraction = _empty_site(occupancy, generator)
            else:
                site, fraction = draw_site(tree, sets, tables.reactant[reaction], occupancy.size, generator.random())
            if second != EMPTY:
                rooms = _empty_neighbours(neighbours, degree, occupancy, site, empty)
                if rooms == 0:
                    continue
                _become(tree, sets, occupancy, empty[INDEX(fraction * rooms)], second)
            if first != occupancy[site]:
                _become(tree, sets, occupancy, site, first)
            events[tables.alone[reaction]] += 1
            break


@njit(cache=True, nogil=True)
def _sweep(tables, tree, neighbours, degree, occupancy, sets, events, generator):
    """Movement and collisions, one turn for every molecule, reactions counted in `events`: part 2 of a step.

    Return the number of turns.
    """
    sites = occupancy.size
    waiting = tables.threshold.shape[0]  # the set behind those of the species
    insert_all(tree, sets, waiting, EMPTY + 1, waiting, sites)
    turns = 0
    while sets.members[waiting] > 0:
        turns += 1
        site, fraction = draw_site(tree, sets, waiting, sites, generator.random())
        remove(tree, sets, waiting, site)
        if degree[site] == 0:
            continue
        scaled = fraction * degree[site]
        turn = INDEX(scaled)
        fraction = scaled - turn
        target = neighbours[site, turn]
        mover, hit = occupancy[site], occupancy[target]
        if hit == EMPTY:
            _move(tree, sets, occupancy, site, target)
            continue
        for k in range(tables.threshold.shape[2]):
            if fraction < tables.threshold[mover, hit, k]:
                if holds(tree, sets, waiting, target):
                    remove(tree, sets, waiting, target)
                _become(tree, sets, occupancy, target, tables.outcome[mover, hit, k, 0])
                _become(tree, sets, occupancy, site, tables.outcome[mover, hit, k, 1])
                events[tables.colliding[mover, hit, k]] += 1
                break
    return turns


@njit(cache=True, nogil=True)
def _run(tables, tree, neighbours, degree, dt, every, initial, record, events, generator):
    """Simulate, write the occupancy at the start of every `every`-th step to `record`, return the number of turns.

    The events of every reaction between two records are added to `events` (records - 1, reactions).
    """
    occupancy = np.zeros_like(initial)
    kinds = tables.threshold.shape[0]
    sets = empty_sets(kinds + 1, tree.first.size)
    sets.members[EMPTY] = occupancy.size
    for site in range(occupancy.size):
        if initial[site] != EMPTY:
            _become(tree, sets, occupancy, site, initial[site])
    empty = np.empty(neighbours.shape[1], INDEX)
    turns = 0
    record[0] = occupancy
    for row in range(1, record.shape[0]):
        between = events[row - 1]
        for _ in range(every):
            _react_alone(tables, tree, neighbours, degree, dt, occupancy, sets, empty, between, generator)
            turns += _sweep(tables, tree, neighbours, degree, occupancy, sets, between, generator)
        record[row] = occupancy
    return turns


def simulate_runs(
    initials: np.ndarray,
    network: ReactionNetwork,
    lattice: Lattice,
    site_selection: SiteSelection,
    dt: float,
    steps: int,
    generators: Sequence[np.random.Generator],
    *,
    every: int = 1,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Simulate independent runs; the result does not depend on the number of threads.

    Parameters
    ----------
    initials
        Initial lattices, 0 for an empty site, 1.. for the species in declared order; uint8, shape (runs, sites).
    network, lattice, site_selection
        The system.
    dt
        Length of a step, in units of time.
    steps
        Number of steps, a multiple of `every`.
    generators
        One random stream for each run.
    every
        Record the start of every `every`-th step.
    threads
        Size of the thread pool.

    Returns
    -------
    occupancy
        uint8, shape (runs, steps // every + 1, sites); time index k is the start of step k * every.
    turns
        Hop attempts of each run; int64, shape (runs,).
    events
        Events of every reaction, in declared order, between two records; int64, shape (runs, steps // every,
        reactions). Lost events do not count.

    Raises
    ------
    ValueError
        When shapes do not fit together, or dt, steps or an occupancy is out of range.
    """
    initials = np.ascontiguousarray(initials)
    if initials.dtype != np.uint8 or initials.shape != (len(generators), lattice.size):
        got = f"{initials.dtype} of shape {initials.shape}"
        expected = f"uint8 of shape {(len(generators), lattice.size)} for {len(generators)} random streams"
        raise ValueError(f"initial lattices: {mismatch(got, expected)}")
    if initials.max(initial=0) > len(network.species):
        raise ValueError(f"occupancy: {mismatch(initials.max(), f'0 to {len(network.species)}')}")
    if not 0 < dt < np.inf:
        raise ValueError(f"dt: {mismatch(dt, 'a positive number')}")
    if every < 1 or steps < 0 or steps % every:
        raise ValueError(f"steps: {mismatch(steps, f'a multiple of every, {every}')}")
    neighbours = lattice.neighbours.astype(INDEX)  # those behind a site's degree are never looked at
    system = (network.tables, selection_tree(lattice, site_selection), neighbours, lattice.degree.astype(INDEX))
    record = np.empty((len(initials), steps // every + 1, lattice.size), np.uint8)
    events = np.zeros((len(initials), steps // every, len(network.reactions)), np.int64)

    def run(index: int) -> int:
        return _run(*system, float(dt), every, initials[index], record[index], events[index], generators[index])

    turns = parallel(run, range(len(initials)), threads)
    return record, np.array(turns, np.int64), events


def check_conserved(network: ReactionNetwork, occupancy: np.ndarray) -> None:
    """Raise RuntimeError if a run (..., time, sites) changes a number that no reaction changes."""
    for name, weights in zip(network.conserved_quantities(), network.conserved, strict=True):
        for run in occupancy.reshape(-1, *occupancy.shape[-2:]):
            if np.ptp(np.append(0, weights)[run].sum(axis=-1)):
                raise RuntimeError(f"{name} is conserved by the reactions, but changed in a simulated run")
