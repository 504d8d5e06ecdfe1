"""Stochastic simulation of reacting and diffusing molecules on a lattice, at most one molecule per site.

One step of length dt (output is taken at its *start*, so index 0 is the initial lattice):

1. Unimolecular reactions and creation in continuous time, by Gillespie's direct method with propensities rate times the
   number of reactants (empty sites for creation). A first product takes the reactant's site, a second one a uniformly
   random empty neighbour; if there is none another reactant is drawn, 20 draws at most, then the event is lost. The
   waiting time is drawn anew at the start of every step, which is exact because exponentials have no memory.
2. One movement sweep: every molecule present takes one turn, in random order. It picks one of its existing neighbours
   uniformly and moves there if it is empty. Else the two collide: their reactions are tried in declared order, each
   with its own probability; the first that succeeds removes both and puts its products on the target's site and on the
   mover's old site. Products have no turn of their own in this sweep, but can be hit. A molecule that was hit and has
   survived still has its turn, so two neighbours can try the same reaction twice in a sweep.

*Site selection* says what "a random molecule" is, for the order of movement, for the reactant of a unimolecular event
and for the placement of an initial number of molecules: ``uniform``, or ``axis_scan``, the rule of the published
ensembles. There the indices along x, y and z are shuffled and the first qualifying site is taken, scanning x, then y,
then z. That is a uniform choice among the planes x that hold a qualifying site, then among such rows y of the plane,
then among such sites of the row: molecules in sparse planes and rows are favoured. Both are one walk down a tree: root
to sites, or root to planes to rows to sites (in one dimension the two coincide).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from dbd.lattice import Lattice
from dbd.reactions import EMPTY, ReactionNetwork

SiteSelection = Literal["uniform", "axis_scan"]

ATTEMPTS = 20
"""Reactants that are drawn for an event with two products before it is given up for want of room."""


class Tree(NamedTuple):
    """Tree of a site selection: sites are nodes 0 .. N - 1, the root is the last node.

    Attributes
    ----------
    parent
        Parent of every node but the root; int32, shape (nodes - 1,).
    first
        Where a node's list of children begins; int32, shape (nodes,).
    """

    parent: np.ndarray
    first: np.ndarray


class Sets(NamedTuple):
    """Sets of sites that can be drawn from: the sites of each occupancy, and those whose turn is still to come.

    Every set keeps, at every node of the tree, an unordered list of the children that hold a member. Insertion, removal
    and drawing then take a constant time.

    Attributes
    ----------
    children
        The lists; int32, shape (sets, nodes).
    place
        Where in `children` a node stands; int32, shape (sets, nodes).
    filled
        Number of children in a node's list; int32, shape (sets, nodes).
    members
        Number of sites in a set; int64, shape (sets,).
    """

    children: np.ndarray
    place: np.ndarray
    filled: np.ndarray
    members: np.ndarray


def selection_tree(lattice: Lattice, site_selection: SiteSelection) -> Tree:
    """Return the tree that a random site is drawn from."""
    if site_selection not in ("uniform", "axis_scan"):
        raise ValueError(f"site selection {site_selection!r}: allowed are uniform, axis_scan")
    inner = lattice.shape[:-1] if site_selection == "axis_scan" else ()
    widths = [lattice.size]  # nodes per level, from the sites to the root
    while len(inner) > 0:
        widths.append(int(np.prod(inner)))
        inner = inner[:-1]
    widths.append(1)
    base = np.cumsum([0, *widths])
    parent = [
        base[level + 1] + np.arange(width) // (width // widths[level + 1]) for level, width in enumerate(widths[:-1])
    ]
    first = [np.zeros(widths[0], int)]
    first += [base[level] + np.arange(width) * (widths[level] // width) for level, width in enumerate(widths[1:])]
    return Tree(np.concatenate(parent).astype(np.int32), np.concatenate(first).astype(np.int32))


@njit(cache=True, nogil=True)
def _empty_sets(sets, nodes):
    """Return `sets` empty sets."""
    return Sets(
        np.zeros((sets, nodes), np.int32),
        np.zeros((sets, nodes), np.int32),
        np.zeros((sets, nodes), np.int32),
        np.zeros(sets, np.int64),
    )


@njit(cache=True, nogil=True)
def _insert(tree, sets, which, node):
    """Put a site into a set."""
    root = tree.parent.size
    sets.members[which] += 1
    while True:
        parent = tree.parent[node]
        filled = sets.filled[which, parent]
        at = tree.first[parent] + filled
        sets.children[which, at] = node
        sets.place[which, node] = at
        sets.filled[which, parent] = filled + 1
        if filled > 0 or parent == root:
            return
        node = parent


@njit(cache=True, nogil=True)
def _remove(tree, sets, which, node):
    """Take a site out of a set."""
    root = tree.parent.size
    sets.members[which] -= 1
    while True:
        parent = tree.parent[node]
        filled = sets.filled[which, parent] - 1
        at = sets.place[which, node]
        last = sets.children[which, tree.first[parent] + filled]
        sets.children[which, at] = last
        sets.place[which, last] = at
        sets.filled[which, parent] = filled
        if filled > 0 or parent == root:
            return
        node = parent


@njit(cache=True, nogil=True)
def _holds(tree, sets, which, node):
    """Whether a site is in a set."""
    at, parent = sets.place[which, node], tree.parent[node]
    return at < tree.first[parent] + sets.filled[which, parent] and sets.children[which, at] == node


@njit(cache=True, nogil=True)
def _draw(tree, sets, which, sites, fraction):
    """Draw a site of a set with a uniform number in [0, 1); return it and what is left of the number, again uniform."""
    node = tree.parent.size
    while node >= sites:
        scaled = fraction * sets.filled[which, node]
        turn = int(scaled)
        fraction = scaled - turn
        node = sets.children[which, tree.first[node] + turn]
    return node, fraction


@njit(cache=True, nogil=True)
def _become(tree, sets, occupancy, site, species):
    """Set the occupancy of a site."""
    _remove(tree, sets, occupancy[site], site)
    occupancy[site] = species
    _insert(tree, sets, species, site)


@njit(cache=True, nogil=True)
def _move(tree, sets, occupancy, site, target):
    """Move a molecule to an empty site."""
    species = occupancy[site]
    if tree.parent[site] != tree.parent[target]:
        _become(tree, sets, occupancy, target, species)
        _become(tree, sets, occupancy, site, EMPTY)
        return
    occupancy[site], occupancy[target] = EMPTY, species  # the same lists, so the two change places
    at, other = sets.place[species, site], sets.place[EMPTY, target]
    sets.children[species, at] = target
    sets.place[species, target] = at
    sets.children[EMPTY, other] = site
    sets.place[EMPTY, site] = other


@njit(cache=True, nogil=True)
def _empty_neighbour(neighbours, degree, occupancy, site, fraction):
    """Return a random empty neighbour of a site, -1 if there is none."""
    room = 0
    for k in range(degree[site]):
        room += occupancy[neighbours[site, k]] == EMPTY
    turn = int(fraction * room)
    for k in range(degree[site]):
        if occupancy[neighbours[site, k]] == EMPTY:
            if turn == 0:
                return neighbours[site, k]
            turn -= 1
    return -1


@njit(cache=True, nogil=True)
def _react_alone(tables, tree, neighbours, degree, dt, occupancy, sets, generator):
    """Unimolecular reactions and creation during dt: part 1 of a step."""
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
        first, second = tables.products[reaction]
        for _ in range(ATTEMPTS):
            site, fraction = _draw(tree, sets, tables.reactant[reaction], occupancy.size, generator.random())
            if second != EMPTY:
                room = _empty_neighbour(neighbours, degree, occupancy, site, fraction)
                if room < 0:
                    continue
                _become(tree, sets, occupancy, room, second)
            _become(tree, sets, occupancy, site, first)
            break


@njit(cache=True, nogil=True)
def _sweep(tables, tree, neighbours, degree, occupancy, sets, generator):
    """Movement and collisions, one turn for every molecule: part 2 of a step; return the number of turns."""
    sites = occupancy.size
    waiting = tables.choices.shape[0]  # the set behind those of the occupancies
    node = sites
    while tree.first[node] < sites:  # the nodes above the sites
        for species in range(EMPTY + 1, waiting):
            for k in range(sets.filled[species, node]):
                _insert(tree, sets, waiting, sets.children[species, tree.first[node] + k])
        node += 1
        if node == tree.first.size:
            break
    turns = 0
    while sets.members[waiting] > 0:
        turns += 1
        site, fraction = _draw(tree, sets, waiting, sites, generator.random())
        _remove(tree, sets, waiting, site)
        if degree[site] == 0:
            continue
        scaled = fraction * degree[site]
        turn = int(scaled)
        fraction = scaled - turn
        target = neighbours[site, turn]
        mover, hit = occupancy[site], occupancy[target]
        if hit == EMPTY:
            _move(tree, sets, occupancy, site, target)
            continue
        for k in range(tables.choices[mover, hit]):
            if fraction < tables.threshold[mover, hit, k]:
                if _holds(tree, sets, waiting, target):
                    _remove(tree, sets, waiting, target)
                _become(tree, sets, occupancy, target, tables.outcome[mover, hit, k, 0])
                _become(tree, sets, occupancy, site, tables.outcome[mover, hit, k, 1])
                break
    return turns


@njit(cache=True, nogil=True)
def _run(tables, tree, neighbours, degree, dt, every, initial, record, generator):
    """Simulate, write the occupancy at the start of every `every`-th step to `record`, return the number of turns."""
    occupancy = initial.copy()
    kinds = tables.choices.shape[0]
    sets = _empty_sets(kinds + 1, tree.first.size)
    for site in range(occupancy.size):
        _insert(tree, sets, occupancy[site], site)
    turns = 0
    record[0] = occupancy
    for row in range(1, record.shape[0]):
        for _ in range(every):
            _react_alone(tables, tree, neighbours, degree, dt, occupancy, sets, generator)
            turns += _sweep(tables, tree, neighbours, degree, occupancy, sets, generator)
        record[row] = occupancy
    return turns


@njit(cache=True, nogil=True)
def _place(counts, tree, occupancy, generator):
    """Fill an empty lattice with the given number of molecules of each species, one after another."""
    sets = _empty_sets(1, tree.first.size)
    for site in range(occupancy.size):
        _insert(tree, sets, 0, site)
    for species in range(counts.size):
        for _ in range(counts[species]):
            site, _ = _draw(tree, sets, 0, occupancy.size, generator.random())
            _remove(tree, sets, 0, site)
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
        Where they go and how an empty site is drawn.
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
        raise ValueError(
            f"initial counts {counts.tolist()}: allowed are whole numbers of 0 or more, at most {lattice.size} in all"
        )
    occupancy = np.zeros(lattice.size, np.uint8)
    _place(counts.astype(np.int64), selection_tree(lattice, site_selection), occupancy, generator)
    return occupancy


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
) -> tuple[np.ndarray, np.ndarray]:
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
        Record the start of every so many steps.
    threads
        Size of the thread pool.

    Returns
    -------
    occupancy
        uint8, shape (runs, steps // every + 1, sites); time index k is the start of step k * every.
    turns
        Hop attempts of each run; int64, shape (runs,).

    Raises
    ------
    ValueError
        When shapes do not fit together, or dt, steps or an occupancy is out of range.
    """
    initials = np.ascontiguousarray(initials)
    if initials.dtype != np.uint8 or initials.shape != (len(generators), lattice.size):
        raise ValueError(
            f"initial lattices of type {initials.dtype} and shape {initials.shape}: "
            f"allowed is uint8 of shape {(len(generators), lattice.size)} for {len(generators)} random streams"
        )
    if initials.max(initial=0) > len(network.species):
        raise ValueError(f"occupancy {initials.max()}: allowed are 0 to {len(network.species)}")
    if not 0 < dt < np.inf:
        raise ValueError(f"dt {dt}: allowed are positive numbers")
    if every < 1 or steps < 0 or steps % every:
        raise ValueError(f"{steps} steps, every {every} recorded: allowed are multiples of it")
    system = (network.tables, selection_tree(lattice, site_selection), lattice.neighbours, lattice.degree)
    record = np.empty((len(initials), steps // every + 1, lattice.size), np.uint8)

    def run(index: int) -> int:
        return _run(*system, float(dt), every, initials[index], record[index], generators[index])

    with ThreadPoolExecutor(threads) as pool:
        turns = list(pool.map(run, range(len(initials))))
    return record, np.array(turns, np.int64)


def simulate_run(
    initial: np.ndarray,
    network: ReactionNetwork,
    lattice: Lattice,
    site_selection: SiteSelection,
    dt: float,
    steps: int,
    generator: np.random.Generator,
    *,
    every: int = 1,
) -> np.ndarray:
    """Simulate one run as `simulate_runs` does; return its occupancy, uint8, shape (steps // every + 1, sites)."""
    initials = np.asarray(initial)[None]
    return simulate_runs(initials, network, lattice, site_selection, dt, steps, [generator], every=every)[0][0]
