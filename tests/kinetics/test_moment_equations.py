"""Moment equations as they are written, with factors against the moment hierarchy."""

import re

import pytest

from dbd.kinetics.moment_equations import moment_equations
from dbd.kinetics.moment_hierarchy import conversions, drift, turns
from dbd.kinetics.reactions import ReactionNetwork


@pytest.mark.parametrize("dimension", [1, 2, 3])
def test_factors_are_those_of_the_hierarchy(dimension):
    """Pairs per site are dimension times the chance of a bond, twice that of two species in one order."""
    equations = [("A + A -> 0", {"probability": 0.3}), ("A + B -> 2B", {"probability": 0.2}), ("B -> 0", {"rate": 2.0})]
    network = ReactionNetwork.from_equations("AB", equations)
    lines = moment_equations(network, dimension, 0.1).splitlines()
    events = [*turns(network, dimension, 0.1), *conversions(network, dimension)]
    for occupancy, line in enumerate(lines, 1):
        terms = re.findall(r"([-+]?) ?([\d.e+-]+) <(\w+)>", line.split("= ")[1])
        written = {name: (-1 if sign == "-" else 1) * float(value) for sign, value, name in terms}
        found = {"AA": 0.0, "AB": 0.0, "A": 0.0, "B": 0.0}
        for pattern, rate in drift(events, {(0,) * dimension: occupancy}).items():
            states = [state for _, state in pattern]
            if 0 not in states:
                found["".join(sorted(" AB"[state] for state in states))] += rate
        pairs = {"AA": dimension, "AB": 2 * dimension, "A": 1, "B": 1}
        assert written == pytest.approx({name: rate / pairs[name] for name, rate in found.items() if abs(rate) > 1e-9})


def test_forms():
    network = ReactionNetwork.from_equations("AB", [("A -> 2A", {"rate": 30}), ("0 -> B", {"rate": 0.5})])
    assert moment_equations(network, 3, 0.01) == "d <A>/dt = 30 <A with room>\nd <B>/dt = 0.5 <0>\n"
    latex = moment_equations(network, 3, 0.01, "latex")
    assert latex.startswith("\\begin{align*}\n") and latex.count("{") == latex.count("}")
    assert r"&= 30 \langle A \rangle_\mathrm{room} \\" in latex
