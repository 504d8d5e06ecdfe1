"""Choice of a random site: uniform, or by the axis scan of the published ensembles.

A site selection says what "a random molecule" is: for the order of movement, for the reactant of a unimolecular event
and for the placement of an initial number of molecules. ``axis_scan`` shuffles the indices along x, y and z and takes
the first qualifying site, scanning x, then y, then z. That is a uniform choice among the planes x that hold a
qualifying site, then among such rows y of the plane, then among such sites of the row: sites in sparse planes and rows
are favoured.

Both rules are one walk down a tree, from the root to the sites or through planes and rows (in one dimension the two
coincide). A set of sites is kept as unordered lists of the children that hold a member, one list at every node of the
tree, so that insertion, removal and drawing take a constant time.
"""

from typing import Literal, NamedTuple

import numpy as np
from numba import njit

from dbd.lattice.geometry import Lattice
from dbd.messages import mismatch

SiteSelection = Literal["uniform", "axis_scan"]

INDEX = np.uint32
"""Type of sites and nodes. A signed index might be negative and count from the end, which every access would test."""


class Tree(NamedTuple):
    """Tree of a site selection: sites are nodes 0 .. N - 1, the root is the last node.

    Attributes
    ----------
    parent
        Parent of every node but the root; uint32, shape (nodes - 1,).
    first
        Where a node's list of children begins; uint32, shape (nodes,).
    """

    parent: np.ndarray
    first: np.ndarray


class Sets(NamedTuple):
    """Sets of sites that a random one can be drawn from.

    Attributes
    ----------
    children
        The lists; uint32, shape (sets, nodes).
    position
        Index of a node in `children`; uint32, shape (sets, nodes).
    filled
        Number of children in a node's list; uint32, shape (sets, nodes).
    members
        Number of sites in a set; int64, shape (sets,).
    """

    children: np.ndarray
    position: np.ndarray
    filled: np.ndarray
    members: np.ndarray


def selection_tree(lattice: Lattice, site_selection: SiteSelection) -> Tree:
    """Return the tree that a random site is drawn from."""
    if site_selection not in ("uniform", "axis_scan"):
        raise ValueError(f"site selection: {mismatch(repr(site_selection), 'uniform or axis_scan')}")
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
    return Tree(np.concatenate(parent).astype(INDEX), np.concatenate(first).astype(INDEX))


@njit(cache=True, nogil=True)
def empty_sets(sets, nodes):
    """Return `sets` empty sets for a tree of `nodes` nodes."""
    return Sets(
        np.zeros((sets, nodes), INDEX),
        np.zeros((sets, nodes), INDEX),
        np.zeros((sets, nodes), INDEX),
        np.zeros(sets, np.int64),
    )


@njit(cache=True, nogil=True, forceinline=True)
def _link(tree, sets, which, node):
    """List a node that has come to hold a member, and the nodes above it, at their parents."""
    root = tree.parent.size
    while node != root:
        parent = tree.parent[node]
        filled = sets.filled[which, parent]
        at = tree.first[parent] + filled
        sets.children[which, at] = node
        sets.position[which, node] = at
        sets.filled[which, parent] += 1
        if filled > 0:
            return
        node = parent


@njit(cache=True, nogil=True, forceinline=True)
def insert(tree, sets, which, site):
    """Put a site into a set."""
    sets.members[which] += 1
    _link(tree, sets, which, site)


@njit(cache=True, nogil=True)
def insert_all(tree, sets, which, begin, end, sites):
    """Fill an empty set with all sites of the disjoint sets begin .. end - 1."""
    for node in range(sites, tree.first.size):
        first = tree.first[node]
        if first >= sites:
            return  # not a parent of sites
        at = first
        for other in range(begin, end):
            for k in range(first, first + sets.filled[other, node]):
                site = sets.children[other, k]
                sets.children[which, at] = site
                sets.position[which, site] = at
                at += 1
        sets.filled[which, node] = at - first
        sets.members[which] += at - first
        if at > first:
            _link(tree, sets, which, node)


@njit(cache=True, nogil=True, forceinline=True)
def remove(tree, sets, which, site):
    """Take a site out of a set."""
    root, node = tree.parent.size, site
    sets.members[which] -= 1
    while node != root:
        parent = tree.parent[node]
        sets.filled[which, parent] -= 1
        filled = sets.filled[which, parent]
        at = sets.position[which, node]
        last = sets.children[which, tree.first[parent] + filled]
        sets.children[which, at] = last
        sets.position[which, last] = at
        if filled > 0:
            return
        node = parent


@njit(cache=True, nogil=True, forceinline=True)
def holds(tree, sets, which, site):
    """Whether a site is in a set."""
    at, parent = sets.position[which, site], tree.parent[site]
    return at < tree.first[parent] + sets.filled[which, parent] and sets.children[which, at] == site


@njit(cache=True, nogil=True, forceinline=True)
def draw_site(tree, sets, which, sites, fraction):
    """Draw a site of a set with a uniform number in [0, 1); return it and what is left of the number, again uniform."""
    # A fraction times n has a whole part that is uniform on 0 .. n - 1 and a remainder that is uniform on [0, 1) and
    # independent of it. The 53 bits of a random number last for the few choices that a turn of a molecule takes.
    node = INDEX(tree.parent.size)
    while node >= sites:
        scaled = fraction * sets.filled[which, node]
        turn = INDEX(scaled)
        fraction = scaled - turn
        node = sets.children[which, tree.first[node] + turn]
    return node, fraction
