"""Moment hierarchy of a reaction network on a lattice, derived from the reactions and the rules of a step.

Whatever happens is a local event: where some sites hold given occupancies, others take their place at some rate. In a
step every molecule takes one turn, so turns come at the rate 1 / dt and, with 2 d neighbours to turn to, each direction
at 1 / (2 d dt):

- into an empty site the molecule moves;
- on another molecule the two react with the probability of the reaction, tried in declared order;
- a unimolecular reaction or creation happens at its rate, and its second product takes a random *empty* neighbour.

From these the change of the probability of any pattern of occupancies follows exactly,

    d P(pattern) / dt = sum over events of rate (P(patterns from which it appears) - P(those from which it disappears)),

in terms of larger patterns: of singles in terms of pairs, of pairs in terms of triplets, straight and bent, and so on
without end. Where the second product needs room, the share 1 / (1 + m) of one empty neighbour among m others that are
empty is a sum over sets of these others that *are all* empty,

    1 / (1 + m) = sum over j of (-1)^j / (j + 1) times the number of sets of j of them,

so that patterns say what sites hold, never what they do not hold.

The events are those of a lattice without walls. Two things differ in the simulation: each molecule has its turn
exactly once in a step (not at random times, once in a step on average), and a second product that finds no room is
tried again on another molecule (`dbd.kinetics.closures` takes that into account).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

import numpy as np

from dbd.kinetics.reactions import EMPTY, ReactionNetwork

Site = tuple[int, ...]
"""Position relative to an origin, one integer per axis."""

Pattern = tuple[tuple[Site, int], ...]
"""Sites with their occupancies in ascending order, the first site at the origin."""


class Event(NamedTuple):
    """A change at a rate, at every origin around which the sites hold given occupancies."""

    rate: float  # per unit time; negative in the sums over sets of empty neighbours
    before: Mapping[Site, int]
    after: Mapping[Site, int]  # of sites that are in `before`


def directions(dimension: int) -> list[Site]:
    """The 2 d nearest neighbours of the origin."""
    return [tuple(sign if k == axis else 0 for k in range(dimension)) for axis in range(dimension) for sign in (-1, 1)]


def turns(network: ReactionNetwork, dimension: int, dt: float) -> Iterator[Event]:
    """Moves and collisions in a lattice of `dimension` axes with time step `dt`."""
    origin, rate = (0,) * dimension, 1.0 / (2 * dimension * dt)
    threshold, outcome = network.tables.threshold, network.tables.outcome
    chances = np.diff(threshold, axis=2, prepend=0.0)
    for neighbour in directions(dimension):
        for mover in range(1, len(network.species) + 1):
            yield Event(rate, {origin: mover, neighbour: EMPTY}, {origin: EMPTY, neighbour: mover})
            for hit in range(1, len(network.species) + 1):
                for chance, (on_target, on_origin) in zip(
                    chances[mover, hit].tolist(), outcome[mover, hit].tolist(), strict=True
                ):
                    if chance > 0:
                        yield Event(
                            rate * chance, {origin: mover, neighbour: hit}, {origin: on_origin, neighbour: on_target}
                        )


def conversions(network: ReactionNetwork, dimension: int) -> Iterator[Event]:
    """Unimolecular reactions and creations with at most one product."""
    origin = (0,) * dimension
    for rate, reactant, (first, second) in _unimolecular(network):
        if second == EMPTY:
            yield Event(rate, {origin: reactant}, {origin: first})


def births(network: ReactionNetwork, dimension: int) -> list[list[Event]]:
    """Unimolecular reactions and creations with two products, the events of each reaction in a list of their own."""
    origin, around = (0,) * dimension, directions(dimension)
    return [
        [
            Event(
                rate * (-1) ** len(others) / (len(others) + 1),
                {origin: reactant, neighbour: EMPTY, **dict.fromkeys(others, EMPTY)},
                {origin: first, neighbour: second},
            )
            for neighbour in around
            for others in _subsets([site for site in around if site != neighbour])
        ]
        for rate, reactant, (first, second) in _unimolecular(network)
        if second != EMPTY
    ]


class EventGroup(NamedTuple):
    """Events that the same factor multiplies."""

    events: list[Event]
    room: list[
        tuple[Pattern, float]
    ]  # terms of the chance that a reactant has room for its second product, if it needs it
    reactant: int  # its occupancy


def event_groups(network: ReactionNetwork, dimension: int, dt: float) -> Iterator[EventGroup]:
    """All events: those that need no room, then those of each reaction that does."""
    yield EventGroup([*turns(network, dimension, dt), *conversions(network, dimension)], [], EMPTY)
    for events in births(network, dimension):
        rate = max(event.rate for event in events)
        room = [(tuple(sorted(event.before.items())), event.rate / rate) for event in events]
        yield EventGroup(events, room, events[0].before[(0,) * dimension])


def drift(events: Iterable[Event], window: Mapping[Site, int]) -> dict[Pattern, float]:
    """Change per unit time of the probability that the sites of a window hold what it says.

    Returns
    -------
    The coefficient of the probability of every pattern that the change depends on. On a lattice without walls the same
    coefficients give the change of the number of places where the window is met from the numbers of the patterns.
    """
    change: dict[Pattern, float] = {}
    for event in events:
        changed = [site for site, occupancy in event.after.items() if occupancy != event.before[site]]
        for origin in {_minus(place, site) for place in window for site in changed}:
            before = {_plus(origin, site): occupancy for site, occupancy in event.before.items()}
            after = before | {_plus(origin, site): occupancy for site, occupancy in event.after.items()}
            if all(before.get(place, held) == held for place, held in window.items()):
                _add(change, {**before, **window}, -event.rate)
            if all(after.get(place, held) == held for place, held in window.items()):
                _add(change, {**window, **before}, event.rate)
    return {pattern: rate for pattern, rate in change.items() if rate}


def canonical(held: Mapping[Site, int]) -> Pattern:
    """The pattern of some sites' occupancies, wherever it is."""
    first = min(held)
    return tuple(sorted((_minus(site, first), occupancy) for site, occupancy in held.items()))


def _add(change: dict[Pattern, float], held: Mapping[Site, int], rate: float) -> None:
    pattern = canonical(held)
    change[pattern] = change.get(pattern, 0.0) + rate


def _unimolecular(network: ReactionNetwork) -> Iterator[tuple[float, int, list[int]]]:
    """Rate, reactant and both products of every unimolecular reaction and creation."""
    tables = network.tables
    return zip(tables.rate.tolist(), tables.reactant.tolist(), tables.products.tolist(), strict=True)


def _subsets(sites: list[Site]) -> Iterator[tuple[Site, ...]]:
    return (chosen for number in range(len(sites) + 1) for chosen in combinations(sites, number))


def _plus(one: Site, other: Site) -> Site:
    return tuple(a + b for a, b in zip(one, other, strict=True))


def _minus(one: Site, other: Site) -> Site:
    return tuple(a - b for a, b in zip(one, other, strict=True))
