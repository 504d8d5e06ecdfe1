"""Exact means and variances where molecules react alone, and the scores of a simulation against them."""

import numpy as np
import pytest

from dbd.kinetics.first_order import exact_numbers, standard_scores
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs

TIMES = np.linspace(0, 5, 11)


def network(species, *equations):
    return ReactionNetwork.from_equations(species, equations)


def test_birth_and_death():
    birth, death = 0.1, 0.11
    found = exact_numbers(network("X", ("X -> 2X", {"rate": birth}), ("X -> 0", {"rate": death})), 64000, [100], TIMES)
    growth = np.exp((birth - death) * TIMES)
    np.testing.assert_allclose(found.mean[:, 0], 100 * growth, rtol=1e-8)
    variance = 100 * (birth + death) / (birth - death) * growth * (growth - 1)
    np.testing.assert_allclose(found.covariance[:, 0, 0], variance, rtol=1e-7, atol=1e-7)


def test_immigration_and_death_is_binomial_over_the_sites():
    found = exact_numbers(network("X", ("0 -> X", {"rate": 0.2}), ("X -> 0", {"rate": 0.5})), 1000, [0], TIMES)
    filled = 0.2 / 0.7 * (1 - np.exp(-0.7 * TIMES))
    np.testing.assert_allclose(found.mean[:, 0], 1000 * filled, rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(found.covariance[:, 0, 0], 1000 * filled * (1 - filled), rtol=1e-7, atol=1e-6)


def test_conversion_is_multinomial():
    found = exact_numbers(network("AB", ("A -> B", {"rate": 0.3}), ("B -> 0", {"rate": 0.2})), 500, [60, 0], TIMES)
    first = np.exp(-0.3 * TIMES)
    second = 0.3 / (0.2 - 0.3) * (np.exp(-0.3 * TIMES) - np.exp(-0.2 * TIMES))
    np.testing.assert_allclose(found.mean, 60 * np.stack([first, second], axis=1), rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(found.covariance[:, 0, 1], -60 * first * second, rtol=1e-6, atol=1e-6)


def test_reactions_of_two_are_refused():
    with pytest.raises(ValueError, match=r"^reaction 'A \+ A -> 0' of two: exact means are known"):
        exact_numbers(network("A", ("A + A -> 0", {"probability": 0.1})), 100, [10], TIMES)


# Reactions, shape, initial number, rates of a wrong simulation that the rule must notice.
CONTROLS = {
    "birth and death": ([("X -> 2X", 0.1), ("X -> 0", 0.11)], (12, 12, 12), 40, (0.1, 0.13)),
    "immigration and death": ([("0 -> X", 0.02), ("X -> 0", 0.1)], (8, 8, 8), 0, (0.021, 0.1)),
    "decay": ([("X -> 0", 0.1)], (10, 10), 60, (0.11,)),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_rule_of_the_discrete_stochastic_models(control):
    """1500 runs at 20 points: no score of a mean above 6 or of a variance above 8, false alarms below 1e-7.

    The suite's own limits, 3 and 5 with 10,000 runs, are for the study `first_order`; here they would be passed by
    chance too rarely for a test. A rate that is wrong by a tenth or less is noticed.
    """
    equations, shape, number, wrong = CONTROLS[control]
    lattice, runs, steps = Lattice(shape), 1500, 20
    generators = [stream(13, control, run) for run in range(runs)]
    initials = np.stack([place_counts([number], lattice, "uniform", each) for each in generators])
    right = network("X", *((text, {"rate": rate}) for text, rate in equations))
    record, *_ = simulate_runs(initials, right, lattice, "uniform", 1.0, steps, generators)
    counts = (record == 1).sum(axis=-1)

    def largest(rates):
        system = network("X", *((text, {"rate": rate}) for (text, _), rate in zip(equations, rates, strict=True)))
        exact = exact_numbers(system, lattice.size, [number], np.arange(steps + 1.0))
        sample = counts.mean(axis=0), counts.var(axis=0, ddof=1)
        scores = standard_scores(*sample, runs, exact.mean[:, 0], exact.covariance[:, 0, 0])
        return [np.abs(score).max() for score in scores]

    of_mean, of_variance = largest([rate for _, rate in equations])
    assert of_mean < 6 and of_variance < 8
    assert largest(wrong)[0] > 6
