"""The moment hierarchy against finite differences of the simulation: singles and pairs, by what they depend on.

In a step of the simulation every molecule has its turn exactly once; the hierarchy has turns at random times. Both
agree where little happens in a step. So the molecules here mostly turn to a wall: one more site, a neighbour of every
other many times over, that holds an inert molecule without neighbours. The kernel is that of all studies. A turn to
another site is then as rare as the reactions, and what is left is of the order of `TURN` times what happens in a unit
of time; centred differences cancel the larger part of that.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from dbd.kinetics.moment_hierarchy import births, conversions, drift, turns
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs

TURN = 1 / 50  # share of the turns that are not to the wall; also the time step, so that there is one in a unit of time
INERT = 3
SPAN = 5  # steps from the middle of a difference to its ends
MIDDLE = 40  # step at which the hierarchy is evaluated, when neighbours depend on one another
RUNS = 2000
LIMIT = 6.0

# Every kind of reaction, each as fast as the moves. On a chain births often find no room, see `dbd.kinetics.closures`.
BIRTH = ("A -> A + B", {"rate": 0.7})
CHEMISTRY = [
    ("0 -> A", {"rate": 0.2}),
    ("A -> B", {"rate": 0.8}),
    ("B -> 0", {"rate": 0.9}),
    ("A + A -> B", {"probability": 0.9}),
    ("A + B -> 2B", {"probability": 0.5}),
    ("B + A -> A", {"probability": 0.9}),
    ("2B -> A", {"probability": 0.6}),
]


def network(equations):
    return ReactionNetwork.from_equations("ABC", equations)


def walled(lattice):
    """What the simulation needs to know of a lattice with the wall, which is the last site."""
    degree = np.full(lattice.size + 1, round(2 * lattice.dimension / TURN), np.int32)
    neighbours = np.full((lattice.size + 1, degree[0]), lattice.size, np.int32)
    neighbours[:-1, : 2 * lattice.dimension] = lattice.neighbours
    degree[-1] = 0
    return SimpleNamespace(size=lattice.size + 1, shape=degree.shape, neighbours=neighbours, degree=degree)


def number(states, lattice, pattern):
    """Number of places where a pattern is met, int64 (runs,)."""
    met = np.ones(states.shape, bool)
    for site, occupancy in pattern:
        met &= states[:, lattice.shifted(site)] == occupancy
    return met.sum(axis=1)


def bent(pattern):
    """Whether a pattern is of three sites that are not in a row."""
    return len(pattern) == 3 and pattern[2][0] != tuple(2 * step for step in pattern[1][0])


class Differences:
    """Simulated runs around a moment, and their standard scores against equations of the hierarchy."""

    def __init__(self, shape):
        self.lattice, self.equations = Lattice(shape, "periodic"), [*CHEMISTRY, *[BIRTH] * (len(shape) > 1)]
        here = (0,) * len(shape)
        first, last = (1, *here[1:]), (*here[1:], 1)
        self.windows = [{here: 1}, {here: 2}, {here: 1, first: 1}, {here: 1, last: 2}, {here: 2, first: 2}]
        generators = [stream(21, "pairs", len(shape), run) for run in range(RUNS)]
        initials = np.full((RUNS, self.lattice.size + 1), INERT, np.uint8)
        for initial, generator in zip(initials, generators, strict=True):
            initial[:-1] = place_counts(
                [self.lattice.size // 5, self.lattice.size // 8], self.lattice, "uniform", generator
            )
        system = network(self.equations), walled(self.lattice), "uniform", TURN
        record, *_ = simulate_runs(initials, *system, MIDDLE + SPAN, generators, every=SPAN)
        before, middle, after = np.moveaxis(record[:, -3:, :-1], 1, 0)
        self.change = [
            (number(after, self.lattice, window.items()) - number(before, self.lattice, window.items()))
            / (2 * SPAN * TURN)
            for window in self.windows
        ]
        self.counted = cache(lambda pattern: number(middle, self.lattice, pattern))

    def hierarchy(self, equations, time_unit=1.0):
        """Coefficients of the patterns in the equation of every window."""
        system, dimension = network(equations), self.lattice.dimension
        alone = [event for group in births(system, dimension) for event in group]
        events = [*turns(system, dimension, time_unit), *conversions(system, dimension), *alone]
        return [drift(events, window) for window in self.windows]

    def scores(self, hierarchy):
        """Of the mean difference between what changes and what the hierarchy says of the middle, one per window."""
        found = []
        for change, terms in zip(self.change, hierarchy, strict=True):
            rest = change - sum(rate * self.counted(pattern) for pattern, rate in terms.items())
            found.append(abs(rest.mean()) / (rest.std() / np.sqrt(RUNS)))
        return np.array(found)


@pytest.fixture(scope="module", params=[(300,), (18, 18), (6, 6, 6)], ids=["chain", "square", "cube"])
def differences(request):
    return Differences(request.param)


@pytest.mark.slow
def test_simulation_changes_as_the_hierarchy_says(differences):
    """Fifteen standard scores, none above six: false alarms below 1e-7."""
    assert differences.scores(differences.hierarchy(differences.equations)).max() < LIMIT


@pytest.mark.slow
def test_wrong_equations_are_noticed(differences):
    """Each reaction left out, turns half as long again, the bent triplets left out: at least one equation tells."""
    hierarchy = differences.hierarchy(differences.equations)
    wrong = {
        text: differences.hierarchy([other for other in differences.equations if other[0] != text])
        for text, _ in differences.equations
    }
    wrong["turns"] = differences.hierarchy(differences.equations, 1.5)
    if differences.lattice.dimension > 1:
        wrong["bent"] = [{pattern: rate for pattern, rate in terms.items() if not bent(pattern)} for terms in hierarchy]
    for name, equations in wrong.items():
        assert differences.scores(equations).max() > LIMIT, name


@pytest.mark.slow
def test_a_missing_coefficient_is_noticed(differences):
    """The one that contributes most to the equation of each single and each pair."""
    hierarchy = differences.hierarchy(differences.equations)
    for place, terms in enumerate(hierarchy):
        largest = max(terms, key=lambda pattern: abs(terms[pattern]) * differences.counted(pattern).mean())
        rest = {pattern: rate for pattern, rate in terms.items() if pattern != largest}
        assert differences.scores([*hierarchy[:place], rest, *hierarchy[place + 1 :]])[place] > LIMIT
