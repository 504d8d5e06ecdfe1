"""Reaction networks: reading text, tables, conserved quantities, errors."""

import numpy as np
import pytest

from dbd.kinetics.reactions import ReactionNetwork

RATE, PROBABILITY = {"rate": 2.0}, {"probability": 0.25}


def network(*equations, species="ABCD"):
    return ReactionNetwork.from_equations(species, equations)


@pytest.mark.parametrize(
    ("equation", "reactants", "products"),
    [
        ("0 -> A", (), (1,)),
        ("0 -> A + B", (), (1, 2)),
        ("A -> 0", (1,), ()),
        ("A -> 2A", (1,), (1, 1)),
        ("A->2 A", (1,), (1, 1)),
        ("A -> B", (1,), (2,)),
        ("A -> A + B", (1,), (1, 2)),
        ("B -> C + A", (2,), (3, 1)),
        ("2A -> 0", (1, 1), ()),
        ("A + A -> A", (1, 1), (1,)),
        ("A + B -> A", (1, 2), (1,)),
        ("A + B -> 2B", (1, 2), (2, 2)),
        ("B + A -> D + C", (2, 1), (4, 3)),
    ],
)
def test_equations_are_read(equation, reactants, products):
    constant = PROBABILITY if len(reactants) == 2 else RATE
    (reaction,) = network((equation, constant)).reactions
    assert (reaction.reactants, reaction.products) == (reactants, products)
    assert reaction.constant == (0.25 if len(reactants) == 2 else 2.0)


def test_tables_of_unimolecular_reactions_and_creation():
    tables = network(
        ("0 -> B", {"rate": 3}), ("A + A -> 0", PROBABILITY), ("A -> C + B", RATE), ("B -> 0", RATE)
    ).tables
    assert tables.rate.tolist() == [3, 2, 2]
    assert tables.reactant.tolist() == [0, 1, 2]
    assert tables.products.tolist() == [[2, 0], [3, 2], [0, 0]]
    assert tables.alone.tolist() == [0, 2, 3]
    assert tables.colliding[1, 1].tolist() == [1]


def test_collisions_are_unordered_and_products_keep_their_places():
    tables = network(
        ("A + B -> C + D", PROBABILITY), ("B + A -> 2A", {"probability": 0.5}), ("A + A -> B", {"probability": 1})
    ).tables
    for pair in ((1, 2), (2, 1)):
        assert tables.threshold[pair].tolist() == [0.25, 0.625]
        assert tables.outcome[pair].tolist() == [[3, 4], [1, 1]]
    assert tables.threshold[1, 1].tolist() == [1, 1]
    assert tables.outcome[1, 1, 0].tolist() == [2, 0]
    assert np.count_nonzero(tables.threshold) == 6


@pytest.mark.parametrize("probability", [0.0, 0.01, 0.1, 0.24, 0.36, 0.4, 1.0])
def test_a_single_reaction_keeps_its_probability_exactly(probability):
    tables = network(("A + B -> 0", {"probability": probability})).tables
    assert tables.threshold[1, 2, 0] == probability


@pytest.mark.parametrize(
    ("equation", "constant", "message"),
    [
        ("A + E -> 0", PROBABILITY, "got species 'E', expected one of A, B, C, D"),
        ("A + a -> 0", PROBABILITY, "got species 'a'"),
        ("A B -> 0", PROBABILITY, "got 'A B' in the reactants"),
        ("A + -> 0", PROBABILITY, "got '' in the reactants"),
        ("A -> 0A", RATE, "got '0A' in the products"),
        ("A -> B + 0", RATE, "got '0' in the products"),
        ("A = B", RATE, "got 0 arrows, expected reactants -> products"),
        ("A -> B -> C", RATE, "got 2 arrows"),
        ("A <-> B", RATE, "got 'A <' in the reactants"),
        (7, RATE, "got 0 arrows"),
        ("A + B + C -> 0", PROBABILITY, "more than two reactants"),
        ("3A -> 0", PROBABILITY, "more than two reactants"),
        ("A -> 2A + B", RATE, "more than two products, expected none, one or two products"),
        ("A -> 1000000000000A", RATE, "more than two products"),
        ("A -> A", RATE, "got products equal to the reactants"),
        ("A + B -> B + A", PROBABILITY, "got products equal to the reactants"),
        ("0 -> 0", RATE, "got products equal to the reactants"),
        ("A -> B", {}, "got neither rate nor probability, expected rate alone"),
        ("A -> B", PROBABILITY, "got probability, expected rate alone, for 1 reactant(s)"),
        ("A + B -> 0", RATE, "got rate, expected probability alone, for 2 reactant(s)"),
        ("A + B -> 0", {"rate": 1.0, "probability": 0.1}, "got rate, probability"),
        ("A -> B", {"speed": 1.0}, "got speed"),
        ("A -> B", {"rate": -0.5}, "got rate -0.5, expected rate of 0 or more"),
        ("A -> B", {"rate": float("inf")}, "rate inf, expected a finite number"),
        ("A -> B", {"rate": "fast"}, "rate 'fast', expected a finite number"),
        ("A -> B", {"rate": True}, "rate True, expected a finite number"),
        ("A + B -> 0", {"probability": 1.5}, "got probability 1.5, expected probability from 0 to 1"),
        ("A + B -> 0", {"probability": float("nan")}, "probability nan, expected a finite number"),
    ],
)
def test_bad_reactions_give_one_clear_line(equation, constant, message):
    with pytest.raises(ValueError) as error:
        network((equation, constant))
    assert message in str(error.value)
    assert str(equation) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("species", [(), ("A", "A"), ("AB",), ("a",), ("1",)])
def test_bad_species_are_refused(species):
    with pytest.raises(ValueError, match="species"):
        ReactionNetwork.from_equations(species, [])


@pytest.mark.parametrize(
    ("equations", "conserved"),
    [
        ([("A + B -> 2B", PROBABILITY), ("B -> C", RATE)], ("A + B + C", "D")),
        ([("A + B -> C", PROBABILITY), ("C -> A + B", RATE), ("D -> 0", RATE)], ("A - B", "A + C")),
        ([("2A -> B", PROBABILITY), ("B -> C + D", RATE)], ("A + 2 B + 2 C", "A + 2 B + 2 D")),
        ([("A -> 0", RATE), ("B -> 0", RATE), ("C -> 0", RATE), ("D -> 0", RATE)], ()),
    ],
)
def test_conserved_quantities(equations, conserved):
    found = network(*equations)
    assert not (found.conserved @ found.stoichiometry).any()
    assert len(found.conserved) == 4 - np.linalg.matrix_rank(found.stoichiometry)
    assert found.conserved_quantities() == conserved
