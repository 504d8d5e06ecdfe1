"""Reaction networks: from text equations to the tables that the simulation kernel walks.

An equation has up to two reactants and up to two products: ``A + A -> 0``, ``A -> 2A``, ``A + B -> 2B``, ``0 -> A``.
The number of reactants decides the kind of reaction and what it is given:

============  =====================================  ==============================================================
reactants     given                                  the products' places, in the order they are written
============  =====================================  ==============================================================
none          rate per *empty site* and unit time    the empty site that was drawn, then a random empty neighbour
one           rate per molecule and unit time        the reactant's site, then a random empty neighbour
two           probability per collision, 0 to 1      the site of the molecule that was hit, then the site that the
                                                     moving molecule came from
============  =====================================  ==============================================================

A collision is unordered: ``A + B`` and ``B + A`` are the same, whichever of the two moved. Only the order of the
*products* counts: after ``A + B -> C + D`` the C sits where the hit molecule was and the D where the mover came from,
whether A or B moved. Creation is a unimolecular reaction whose reactant is an empty site, so one table holds both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import gcd, isfinite, lcm
from typing import Literal, NamedTuple

import numpy as np

from dbd.messages import mismatch, one_of

EMPTY = 0
"""Occupancy of an empty site; species are 1, 2, ... in declared order."""

ATTEMPTS = 20
"""Reactants that are drawn for an event with two products before it is given up for want of room."""


def drawn_reactants(room: np.ndarray | float) -> np.ndarray | float:
    """Mean number of reactants that are drawn for an event where the share `room` (...) of them has room."""
    return ((1.0 - np.asarray(room)[..., None]) ** np.arange(ATTEMPTS)).sum(axis=-1)


_TERM = re.compile(r"(?P<number>[1-9]\d*)?\s*\*?\s*(?P<species>[A-Za-z]\w*)")


@dataclass(frozen=True)
class Reaction:
    """One reaction in terms of occupancies (0 = empty, 1.. = species in declared order).

    Attributes
    ----------
    equation
        The text it was read from.
    reactants, products
        Occupancies, none to two of each; products in the order of their places.
    constant
        Rate per unit time, or probability per collision (two reactants on a lattice).
    """

    equation: str
    reactants: tuple[int, ...]
    products: tuple[int, ...]
    constant: float

    @property
    def bimolecular(self) -> bool:
        """Whether it happens in a collision of two molecules."""
        return len(self.reactants) == 2

    @property
    def places(self) -> tuple[int, int]:
        """Occupancy of the first and second place after the reaction."""
        first, second = (*self.products, EMPTY, EMPTY)[:2]
        return first, second


class ReactionTables(NamedTuple):
    """A network as arrays, for the kernel; S species, U unimolecular reactions, R at most per colliding pair.

    Attributes
    ----------
    rate
        Rate per reactant and unit time; float64, shape (U,).
    reactant
        Occupancy that reacts, 0 for creation; uint8, shape (U,).
    products
        Occupancy of the reactant's site and of the empty neighbour, 0 for none; uint8, shape (U, 2).
    threshold
        Probability that one of a colliding pair's reactions up to and with this one succeeds, when they are tried in
        declared order; constant behind the last; float64, shape (S + 1, S + 1, R), symmetric in the pair.
    outcome
        Occupancy of the target's site and of the mover's old site; uint8, shape (S + 1, S + 1, R, 2).
    alone
        Place of every unimolecular reaction among all of the network, in declared order; int64, shape (U,).
    colliding
        Place of every reaction of a colliding pair; int64, shape (S + 1, S + 1, R).
    """

    rate: np.ndarray
    reactant: np.ndarray
    products: np.ndarray
    threshold: np.ndarray
    outcome: np.ndarray
    alone: np.ndarray
    colliding: np.ndarray


@dataclass(frozen=True)
class ReactionNetwork:
    """Species and the reactions between them.

    Build it with `from_equations`, which checks everything.

    Attributes
    ----------
    species
        Names in declared order; species k has occupancy k + 1.
    reactions
        In declared order, which is the order in which a colliding pair tries them.
    """

    species: tuple[str, ...]
    reactions: tuple[Reaction, ...]

    @classmethod
    def from_equations(
        cls,
        species: Sequence[str],
        equations: Iterable[tuple[str, Mapping[str, float]]],
        pairs: Literal["probability", "rate"] = "probability",
    ) -> "ReactionNetwork":
        """Read a network from text.

        Parameters
        ----------
        species
            Names, single upper-case letters, each once.
        equations
            Pairs of an equation and its constant, such as ``("A -> 2A", {"rate": 30.0})`` or
            ``("A + A -> 0", {"probability": 0.01})``.
        pairs
            What reactions of two are given: a probability per collision on a lattice; in continuous space a rate per
            pair within reach and unit time.

        Raises
        ------
        ValueError
            One line that names the reaction, what is wrong in it and what was expected.
        """
        species = tuple(species)
        for name in species:
            if not re.fullmatch("[A-Z]", name):
                raise ValueError(f"species: {mismatch(repr(name), 'a single upper-case letter')}")
            if species.count(name) > 1:
                raise ValueError(f"species {name!r} is declared twice")
        if not species:
            raise ValueError(f"species: {mismatch('none', 'at least one')}")
        return cls(species, tuple(_read_reaction(species, text, constant, pairs) for text, constant in equations))

    @cached_property
    def constants(self) -> np.ndarray:
        """Rate or probability of every reaction; float64, (reactions,)."""
        return np.array([reaction.constant for reaction in self.reactions], float)

    def with_constants(self, constants: Iterable[float]) -> "ReactionNetwork":
        """The same reactions with other rates and probabilities, one for each in declared order."""
        pairs = zip(self.reactions, constants, strict=True)
        return replace(self, reactions=tuple(replace(reaction, constant=float(value)) for reaction, value in pairs))

    @cached_property
    def chances(self) -> np.ndarray:
        """Rate of every unimolecular reaction, and chance of every other one in a collision; float64, (reactions,).

        Reactions of the same pair are tried in declared order, so later ones are left what earlier ones have not used.
        """
        chances, used = np.empty(len(self.reactions)), {}
        for place, reaction in enumerate(self.reactions):
            chances[place] = reaction.constant
            if reaction.bimolecular:
                pair = frozenset(reaction.reactants)
                chances[place] *= 1 - used.get(pair, 0.0)
                used[pair] = used.get(pair, 0.0) + chances[place]
        return chances

    @cached_property
    def tables(self) -> ReactionTables:
        """The network as arrays for the simulation kernel."""
        places = [place for place, reaction in enumerate(self.reactions) if not reaction.bimolecular]
        unimolecular = [self.reactions[place] for place in places]
        kinds = len(self.species) + 1
        pairs: dict[tuple[int, int], list[tuple[int, Reaction]]] = {}
        for place, reaction in enumerate(self.reactions):
            if reaction.bimolecular:
                for pair in {reaction.reactants, reaction.reactants[::-1]}:
                    pairs.setdefault(pair, []).append((place, reaction))
        most = max(map(len, pairs.values()), default=0)
        threshold = np.zeros((kinds, kinds, most))
        outcome = np.zeros((kinds, kinds, most, 2), np.uint8)
        colliding = np.zeros((kinds, kinds, most), np.int64)
        for pair, reactions in pairs.items():
            for turn, (place, reaction) in enumerate(reactions):
                before = threshold[pair][turn - 1] if turn else 0.0
                threshold[pair][turn:] = before + (1 - before) * reaction.constant
                outcome[pair][turn] = reaction.places
                colliding[pair][turn] = place
        return ReactionTables(
            rate=np.array([reaction.constant for reaction in unimolecular], float),
            reactant=np.array([(*reaction.reactants, EMPTY)[0] for reaction in unimolecular], np.uint8),
            products=np.array([reaction.places for reaction in unimolecular], np.uint8).reshape(-1, 2),
            threshold=threshold,
            outcome=outcome,
            alone=np.array(places, np.int64),
            colliding=colliding,
        )

    @cached_property
    def stoichiometry(self) -> np.ndarray:
        """Change of each species' number by each reaction; int64, shape (species, reactions)."""
        change = np.zeros((len(self.species), len(self.reactions)), np.int64)
        for column, reaction in enumerate(self.reactions):
            for occupancy in reaction.products:
                change[occupancy - 1, column] += 1
            for occupancy in reaction.reactants:
                change[occupancy - 1, column] -= 1
        return change

    @cached_property
    def conserved(self) -> np.ndarray:
        """Independent combinations of particle numbers that no reaction changes; int64, shape (quantities, species).

        A basis of the left null space of the stoichiometry in smallest integers, leading coefficient positive.
        """
        return _integer_null_space(self.stoichiometry.T)

    def conserved_quantities(self) -> tuple[str, ...]:
        """The conserved combinations in readable text, such as ``A + 2 B - C``."""
        return tuple(_combination(self.species, vector) for vector in self.conserved.tolist())


def _read_reaction(species: tuple[str, ...], text: str, constant: Mapping[str, float], pairs: str) -> Reaction:
    """Read and check one equation with its constant."""

    def fail(got: str, expected: str):
        return ValueError(f"reaction {text!r}: {mismatch(got, expected)}")

    def side(part: str, what: str) -> tuple[int, ...]:
        if part.strip() == "0":
            return ()
        occupancies: list[int] = []
        for term in part.split("+"):
            match = _TERM.fullmatch(term.strip())
            if match is None:
                raise fail(f"{term.strip()!r} in the {what}", "terms such as A or 2A joined by +, or 0 alone")
            name, number = match["species"], int(match["number"] or 1)
            if name not in species:
                raise fail(f"species {name!r}", one_of(species))
            occupancies += [species.index(name) + 1] * min(number, 3)
        if len(occupancies) > 2:
            raise fail(f"more than two {what}", f"none, one or two {what}")
        return tuple(occupancies)

    if not isinstance(text, str) or text.count("->") != 1:
        raise fail(f"{str(text).count('->')} arrows", "reactants -> products, such as A + B -> 2B")
    left, right = text.split("->")
    reactants, products = side(left, "reactants"), side(right, "products")
    if sorted(reactants) == sorted(products):
        raise fail("products equal to the reactants", "different ones")
    key = pairs if len(reactants) == 2 else "rate"
    if set(constant) != {key}:
        raise fail(_listed(constant), f"{key} alone, for {len(reactants)} reactant(s)")
    value = constant[key]
    expected = f"{key} from 0 to 1" if key == "probability" else f"{key} of 0 or more"
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise fail(f"{key} {value!r}", f"a finite number, {expected}")
    if value < 0 or (key == "probability" and value > 1):
        raise fail(f"{key} {value}", expected)
    return Reaction(text, reactants, products, float(value))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(str, names)) or "neither rate nor probability"


def _integer_null_space(matrix: np.ndarray) -> np.ndarray:
    """Basis of {v: matrix v = 0} in smallest integers, by exact Gauss-Jordan elimination; shape (basis, columns)."""
    rows = [[Fraction(int(value)) for value in row] for row in matrix]
    columns = matrix.shape[1]
    pivots: list[int] = []
    for column in range(columns):
        at = len(pivots)
        pivot_row = next((k for k in range(at, len(rows)) if rows[k][column]), None)
        if pivot_row is None:
            continue
        rows[at], rows[pivot_row] = rows[pivot_row], rows[at]
        rows[at] = [value / rows[at][column] for value in rows[at]]
        for k, row in enumerate(rows):
            if k != at and row[column]:
                rows[k] = [value - row[column] * pivot for value, pivot in zip(row, rows[at], strict=True)]
        pivots.append(column)
    basis = []
    for free in (column for column in range(columns) if column not in pivots):
        vector = [Fraction(0)] * columns
        vector[free] = Fraction(1)
        for row, pivot in zip(rows, pivots, strict=False):
            vector[pivot] = -row[free]
        scale = lcm(*(value.denominator for value in vector))
        whole = [int(value * scale) for value in vector]
        divisor = gcd(*whole) * (1 if next(value for value in whole if value) > 0 else -1)
        basis.append([value // divisor for value in whole])
    return np.array(basis, np.int64).reshape(-1, columns)


def _combination(names: Sequence[str], coefficients: Sequence[int]) -> str:
    """Write an integer combination, such as ``A + 2 B - C``."""
    terms = [
        f"{'-' if value < 0 else '+'} {'' if abs(value) == 1 else f'{abs(value)} '}{name}"
        for name, value in zip(names, coefficients, strict=True)
        if value
    ]
    return " ".join(terms).removeprefix("+ ")
