"""Particles in continuous space: Brownian motion in a box, with reactions of one or two particles.

The rules of motion (pairs react at a constant rate within a radius: Doi, J. Phys. A 9, 1479 (1976)):

- a particle of species s diffuses with constant ``diffusion[s]``; walls reflect it, or the box is periodic;
- a reaction of one particle fires at its rate, wherever the particle is; products start where it was;
- a reaction of two particles fires at its rate for every pair closer than the reaction radius. Two products take the
  places of the reactants in the order written; a single one stays where a reactant of its own species was, or takes the
  place of either at random.

Motion and reactions of one particle are followed event by event and are exact for any time step. Reactions of pairs
are split from motion, M(h/2) R(h) M(h/2), so what is observed has an error of second order in the substep h, once the
substep resolves the reaction zone: sqrt(2 D h) below the radius.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit

from dbd.continuum.box import Box, distance, inside
from dbd.kinetics.reactions import ReactionNetwork
from dbd.messages import mismatch

GONE = 0
"""Species of a particle that has reacted away; the others are 1, 2, ... in declared order."""

NOBODY = -1
"""End of a list of particles, or a cell outside the walls."""

MOST_CELLS_PER_AXIS = 1024


class Reactions(NamedTuple):
    """The reactions of one particle, or of two, for the kernel.

    ``reactants`` (R, 1 or 2) and ``products`` (R, 2, `GONE` where none) are species, ``rate`` (R,) is per unit time,
    and ``total`` (S + 1,) or (S + 1, S + 1) sums it over the reactions of a particle or of a pair, by species.
    """

    reactants: np.ndarray
    products: np.ndarray
    rate: np.ndarray
    total: np.ndarray


class Snapshots(NamedTuple):
    """Particles of one run at times 0, dt, 2 dt, ...: those of step t are rows ``offsets[t]:offsets[t + 1]``."""

    position: np.ndarray
    species: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class BrownianSystem:
    """A reaction-diffusion system in continuous space.

    Parameters
    ----------
    box
        Where the particles are.
    network
        Species and reactions of one or two reactants; every constant is a rate per unit time.
    diffusion
        Diffusion constant of every species, length^2 / time, zero or more.
    radius
        Distance within which two particles react, a length; needed if any reaction has two reactants.

    Raises
    ------
    ValueError
        If a reaction has no reactant, or a number is out of range.
    """

    box: Box
    network: ReactionNetwork
    diffusion: tuple[float, ...]
    radius: float = 0.0

    def __post_init__(self):
        species = self.network.species
        if len(self.diffusion) != len(species) or min(self.diffusion) < 0:
            expected = f"0 or more for each of {', '.join(species)}"
            expected = f"0 or more for each of {', '.join(species)}"
            raise ValueError(f"diffusion: {mismatch(self.diffusion, expected)}")
        for reaction in self.network.reactions:
            if not reaction.reactants:
                raise ValueError(f"reaction: {mismatch(repr(reaction.equation), 'one or two reactants')}")
            if reaction.bimolecular and not 0 < self.radius <= self.box.longest_range:
                raise ValueError(f"radius: {mismatch(self.radius, f'above 0 and up to {self.box.longest_range}')}")

    def _reactions(self, order: int) -> Reactions:
        """The reactions of `order` particles."""
        chosen = [reaction for reaction in self.network.reactions if len(reaction.reactants) == order]
        total = np.zeros((len(self.diffusion) + 1,) * order)
        for reaction in chosen:
            for reactants in {reaction.reactants, reaction.reactants[::-1]}:
                total[reactants] += reaction.constant
        return Reactions(
            reactants=np.array([reaction.reactants for reaction in chosen], np.uint8).reshape(-1, order),
            products=np.array([reaction.places for reaction in chosen], np.uint8).reshape(-1, 2),
            rate=np.array([reaction.constant for reaction in chosen], float),
            total=total,
        )

    @cached_property
    def _tables(self) -> tuple:
        """What the kernel needs of the system."""
        return (
            self.box.space,
            np.array((0.0, *self.diffusion)),
            self._reactions(1),
            self._reactions(2),
            float(self.radius),
        )

    def simulate(
        self,
        rng: np.random.Generator,
        position: np.ndarray,
        species: np.ndarray,
        dt: float,
        steps: int,
        substeps: int = 1,
    ) -> Snapshots:
        """Follow one run from the given particles and return them at times 0, dt, ..., steps * dt.

        Parameters
        ----------
        position
            Shape (particles, dimension), inside the box.
        species
            Shape (particles,), 1 for the first declared species, 2 for the second, ...
        substeps
            Splitting steps per `dt`; one is exact if no reaction has two reactants.

        Raises
        ------
        ValueError
            If a particle is outside the box or of no declared species.
        """
        position = np.array(position, float).reshape(-1, self.box.dimension)
        species = np.array(species, np.uint8)
        if (position < 0).any() or (position > self.box.lengths).any():
            raise ValueError(f"particles outside the box of lengths {self.box.lengths}")
        if (species < 1).any() or (species > len(self.diffusion)).any() or len(species) != len(position):
            raise ValueError(f"species: {mismatch(species, f'1 to {len(self.diffusion)} for each particle')}")
        return Snapshots(*_run(rng, position, species, *self._tables, dt, steps, substeps))


@njit(cache=True, nogil=True)
def _run(rng, position, species, space, diffusion, single, double, radius, dt, steps, substeps):
    """Snapshots of one run: M(h/2) [R(h) M(h)]^(substeps - 1) R(h) M(h/2) between two of them."""
    h = dt / substeps
    probability = 1.0 - np.exp(-double.total * h)
    cells = np.ones(2, np.int64)
    for axis in range(space.lengths.size if double.rate.size else 0):
        fitting = min(int(space.lengths[axis] / radius), MOST_CELLS_PER_AXIS)
        # With fewer than three cells a particle would meet the same neighbour cell twice across a periodic boundary.
        cells[axis] = fitting if fitting >= 3 else 1
    head = np.full(cells[0] * cells[1], NOBODY, np.int64)

    count = species.size
    left = np.zeros(count)
    offsets = np.zeros(steps + 2, np.int64)
    kept_position = np.empty((2 * count + 16, space.lengths.size))
    kept_species = np.empty(2 * count + 16, np.uint8)
    for step in range(steps + 1):
        for substep in range(substeps + 1 if step > 0 else 0):
            left[:count] = h if 0 < substep < substeps else 0.5 * h
            position, species, left, count = _move(rng, position, species, left, count, space, diffusion, single)
            if double.rate.size and substep < substeps:
                count = _react(rng, position, species, count, space, radius, cells, head, double, probability)
        begin, end = offsets[step], offsets[step] + count
        offsets[step + 1] = end
        while end > kept_species.size:
            kept_position, kept_species = _doubled(kept_position), _doubled(kept_species)
        kept_position[begin:end] = position[:count]
        kept_species[begin:end] = species[:count]
    return kept_position[: offsets[-1]].copy(), kept_species[: offsets[-1]].copy(), offsets


@njit(cache=True, nogil=True)
def _doubled(array):
    """The array with room for twice as many rows."""
    return np.concatenate((array, np.empty_like(array)))


@njit(cache=True, nogil=True)
def _move(rng, position, species, left, count, space, diffusion, single):
    """Each particle diffuses for the time it has left, its reactions on the way; newborns follow in the same loop."""
    i = 0
    while i < count:
        while True:
            kind = species[i]
            total = single.total[kind]
            wait = rng.standard_exponential() / total if total > 0 else np.inf
            span = min(wait, left[i])
            scale = np.sqrt(2.0 * diffusion[kind] * span)
            for axis in range(space.lengths.size):
                x = position[i, axis] + scale * rng.standard_normal()
                position[i, axis] = inside(x, space.lengths[axis], space.periodic)
            if wait >= left[i]:
                break
            left[i] -= span
            first, second = single.products[_chosen(rng, single.reactants[:, 0] == kind, single.rate, total)]
            species[i] = first
            if first == GONE:
                break
            if second != GONE:
                if count == species.size:
                    position, species, left = _doubled(position), _doubled(species), _doubled(left)
                position[count] = position[i]
                species[count] = second
                left[count] = left[i]
                count += 1
        i += 1
    return position, species, left, _without_gone(position, species, count)


@njit(cache=True, nogil=True)
def _chosen(rng, possible, rate, total):
    """One of the possible reactions, drawn by rate."""
    target = rng.random() * total
    last = 0
    for reaction in range(rate.size):
        if possible[reaction] and rate[reaction] > 0:
            last = reaction
            target -= rate[reaction]
            if target < 0:
                break
    return last


@njit(cache=True, nogil=True)
def _without_gone(position, species, count):
    """Close the gaps left by particles that are gone, keeping the order; returns the number that remain."""
    kept = 0
    for i in range(count):
        if species[i] != GONE:
            if kept < i:
                species[kept] = species[i]
                position[kept] = position[i]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _react(rng, position, species, count, space, radius, cells, head, double, probability):
    """Every pair within the radius has its chance once; returns the number of particles that remain.

    Particles enter linked cell lists one by one, each meeting those already there, so every pair is met once and the
    cost is linear in the number of particles. The lists are emptied afterwards cell by cell, so `head` stays clean.
    """
    following = np.empty(count, np.int64)
    home = np.empty(count, np.int64)
    reach_x, reach_y = min(1, cells[0] - 1), min(1, cells[1] - 1)
    scale_x, scale_y = cells[0] / space.lengths[0], cells[1] / space.lengths[-1]
    for i in range(count):
        cell_x = min(int(position[i, 0] * scale_x), cells[0] - 1)
        cell_y = min(int(position[i, -1] * scale_y), cells[1] - 1)
        home[i] = cell_x * cells[1] + cell_y
        for near_x in range(cell_x - reach_x, cell_x + reach_x + 1):
            column = _wrapped(near_x, cells[0], space.periodic)
            for near_y in range(cell_y - reach_y, cell_y + reach_y + 1):
                row = _wrapped(near_y, cells[1], space.periodic)
                j = head[column * cells[1] + row] if column != NOBODY and row != NOBODY else NOBODY
                while j != NOBODY and species[i] != GONE:
                    chance = probability[species[i], species[j]]
                    if chance > 0 and distance(position[i], position[j], space) < radius and rng.random() < chance:
                        _fire(rng, species, i, j, double)
                    j = following[j]
        following[i] = head[home[i]]
        head[home[i]] = i
    for i in range(count):
        head[home[i]] = NOBODY
    return _without_gone(position, species, count)


@njit(cache=True, nogil=True)
def _wrapped(cell, cells, periodic):
    """Number of the neighbour cell, `NOBODY` if it is outside the walls."""
    if 0 <= cell < cells:
        return cell
    return cell % cells if periodic else NOBODY


@njit(cache=True, nogil=True)
def _fire(rng, species, i, j, double):
    """One of the pair's reactions, drawn by rate, gives particles i and j their new species."""
    a, b = species[i], species[j]
    forward = (double.reactants[:, 0] == a) & (double.reactants[:, 1] == b)
    backward = (double.reactants[:, 0] == b) & (double.reactants[:, 1] == a)
    reaction = _chosen(rng, forward | backward, double.rate, double.total[a, b])
    first, second = double.products[reaction]
    if second == GONE and first != GONE:
        stays_i, stays_j = first == a, first == b
        at_i = stays_i if stays_i != stays_j else rng.random() < 0.5
        species[i], species[j] = (first, GONE) if at_i else (GONE, first)
    else:
        species[i], species[j] = (first, second) if forward[reaction] else (second, first)
