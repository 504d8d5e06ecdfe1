"""Baselines in the form of models: where they start, counts of words, and predictions of a split."""

from functools import partial
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
import xarray as xr

from dbd.boltzmann.chain import Chain
from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.independent_sites import independent_biases
from dbd.evaluation.baselines import (
    BASELINES,
    BaselineInput,
    at_random_sites,
    expected_counts,
    independent,
    markov_parameter,
    of_counts,
)
from dbd.kinetics.closures import Probabilities
from dbd.kinetics.entropic_matching import ChainMatching
from dbd.kinetics.reactions import ReactionNetwork
from dbd.lattice.geometry import Lattice
from dbd.lattice.observables import count_observables
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import simulate_runs
from predict_baseline import initial_probabilities, predict_baseline


def setting_of(equations, species, lattice, observables, means, dt=0.5):
    """Input of baselines that start from the first of some means."""
    network, means = ReactionNetwork.from_equations(species, equations), np.asarray(means, float)
    start = of_counts(means[:, 0], observables, species, lattice)
    rates = np.tile(network.constants, (len(means), 1))
    streams = partial(stream, 1, "test")
    return BaselineInput(network, lattice, dt, tuple(observables), start, means, rates, {}, streams)


@pytest.mark.parametrize("lattice", [Lattice((6,)), Lattice((2, 3)), Lattice((3, 3), "periodic")], ids=str)
def test_independent_sites_against_all_configurations(lattice):
    """Mean counts of independent sites: the sum over all configurations with their probabilities."""
    observables = ["A", "B", "AA", "AB", "BB", "ABA", "AAB"]
    states = np.array(list(product(range(3), repeat=lattice.size)), np.uint8)
    chance = np.prod(np.array([0.5, 0.3, 0.2])[states], axis=1)
    exact = chance @ count_observables(states, lattice, "AB", observables)
    setting = setting_of([], "AB", lattice, observables, np.zeros((1, 1, 7)))
    np.testing.assert_allclose(expected_counts(independent(np.array([0.3, 0.2])), setting), exact, rtol=1e-12)


@pytest.mark.parametrize("lattice", [Lattice((6,)), Lattice((2, 3))], ids=str)
def test_random_sites_against_all_placements(lattice):
    """Mean counts of three A and two B: the mean over all ways to place them."""
    observables = ["A", "B", "AA", "AB", "BB"]
    states = np.array(list(product(range(3), repeat=lattice.size)), np.uint8)
    states = states[((states == 1).sum(axis=1) == 3) & ((states == 2).sum(axis=1) == 2)]
    exact = count_observables(states, lattice, "AB", observables).mean(axis=0)
    setting = setting_of([], "AB", lattice, observables, np.zeros((1, 1, 5)))
    start = at_random_sites(np.array([3.0, 2.0]), lattice.size)
    np.testing.assert_allclose(start.pair.sum(axis=1), start.single, rtol=1e-12)
    np.testing.assert_allclose(expected_counts(start, setting), exact, rtol=1e-12)


def study_of(lattice, species, start):
    """Sections of a study, as the script of baselines is given them, with a reaction that does nothing at the start."""
    return {
        "species": list(species),
        "reactions": [{"equation": f"{species[0]} -> 0", "rate": 0.1, "probability": None}],
        "lattice": {"shape": list(lattice.shape), "boundary": lattice.boundary},
        "ensemble": {"dt": 0.1},
        "evaluation": {"extrapolate_to": 2},
        "observables": [*species, 2 * species[0]],
        "seed": 1,
        "initial_condition": {"counts": None, "interactions": [], "parameters": None, "box": None, "rates": {}} | start,
    }


def moments_of(settings, numbers, mean=7.0):
    """Moments of a split of which only the initial numbers are right."""
    numbers = np.array(numbers, float)
    dims, names = ("initial_condition", "time", "observable"), settings["observables"]
    variables = {
        "mean": (dims, np.full((len(numbers), 4, len(names)), mean)),
        "initial_numbers": (("initial_condition", "initial_quantity"), numbers),
        "rates": (("initial_condition", "reaction"), np.full((len(numbers), 1), 0.1)),
    }
    return xr.Dataset(variables, {"observable": names, "step": ("time", range(4))})


def test_chains_start_from_the_exact_moments_of_their_model():
    """Those at the known parameters, by enumeration; the simulated means do not matter."""
    lattice, interactions, theta = Lattice((8,)), ("A", "AA"), np.array([[-0.5, 0.8], [0.3, -1.0]])
    states = np.indices((2,) * 8, np.uint8).reshape(8, -1).T
    weight = np.exp(theta @ EnergyModel(lattice, ("A",), interactions).statistics(states).T)
    exact = weight / weight.sum(axis=1, keepdims=True) @ count_observables(states, lattice, "A", ["A", "AA"])
    settings = study_of(lattice, "A", {"interactions": list(interactions)})
    for name in ("mean_field", "pair_approximation"):
        first = predict_baseline(settings, name, moments_of(settings, theta))["mean"].values[:, 0]
        np.testing.assert_allclose(first[:, 0], exact[:, 0], rtol=1e-10)
        pairs = 7 * (exact[:, 0] / 8) ** 2 if name == "mean_field" else exact[:, 1]
        np.testing.assert_allclose(first[:, 1], pairs, rtol=1e-10)


def test_numbers_of_molecules_are_at_random_sites():
    """As many pairs as the composition has on the average; one of the species is absent."""
    lattice = Lattice((4, 5))
    settings = study_of(lattice, "AB", {"counts": {"A": 6, "B": [0, 3]}})
    predicted = [
        predict_baseline(settings, "pair_approximation", moments_of(settings, [[6, 0], [6, 3]], mean))["mean"].values
        for mean in (7.0, 1.0)
    ]
    assert (predicted[0] == predicted[1]).all()
    np.testing.assert_allclose(predicted[0][:, 0], [[6, 0, 31 * 6 * 5 / (20 * 19)], [6, 3, 31 * 6 * 5 / (20 * 19)]])
    assert np.isfinite(predicted[0]).all()


def test_other_starts_are_those_of_the_simulation():
    """There is no exact solution in a box."""
    settings = study_of(Lattice((3, 3)), "A", {"interactions": ["A", "AA"]})
    start = initial_probabilities(settings, moments_of(settings, [[0.1, 0.2]], 3.0))
    np.testing.assert_allclose([start.single[0, 1], start.pair[0, 1, 1]], [3 / 9, 3 / 12])


def test_long_words_are_those_of_a_markov_chain():
    pair = np.array([[0.4, 0.1, 0.05], [0.1, 0.15, 0.05], [0.05, 0.05, 0.05]])
    single = pair.sum(axis=1)
    setting = setting_of([], "AB", Lattice((11,)), ["A", "B", "AB", "AAB", "BAAB", "AAA"], np.zeros((1, 1, 6)))
    aa, ab, a = pair[1, 1], pair[1, 2], single[1]
    exact = [11 * a, 11 * single[2], 20 * ab, 18 * aa * ab / a, 8 * ab * aa * ab / a**2, 9 * aa**2 / a]
    np.testing.assert_allclose(expected_counts(Probabilities(single, pair), setting), exact, rtol=1e-12)
    extinct = independent(np.array([0.0, 0.2]))
    assert expected_counts(extinct, setting).tolist() == [0, 11 * 0.2, 0, 0, 0, 0]


def test_biases_of_independent_sites_are_those_of_the_chain_without_couplings():
    counts = np.array([[3.0], [35.0]])
    exact = Chain(50, ("A",)).cumulants(independent_biases(counts, 50)).mean[:, [0, 1, 2]]
    setting = setting_of([], "A", Lattice((50,)), ["A", "AA", "AAA"], np.zeros((1, 1, 3)))
    np.testing.assert_allclose(expected_counts(independent(counts / 50), setting), exact, rtol=1e-10)


def test_absent_species_and_full_lattices_have_no_biases():
    for counts in ([0.0, 5.0], [50.0, 50.0]):
        with pytest.raises(ValueError, match="expected positive numbers"):
            independent_biases(np.array(counts), 100)


def relative_errors(setting):
    span = np.ptp(setting.means, axis=(0, 1))
    return {
        name: (np.abs(baseline.predict(setting) - setting.means).mean(axis=(0, 1)) / span).mean()
        for name, baseline in BASELINES.items()
    }


ANNIHILATION = "A", [("A + A -> 0", {"probability": 0.4})], Lattice((400,)), [0.5]
EPIDEMIC = "AS", [("A + S -> 2A", {"probability": 0.5}), ("A -> 0", {"rate": 0.2})], Lattice((20, 20)), [0.05, 0.4]


@pytest.mark.parametrize(("species", "equations", "lattice", "filled"), [ANNIHILATION, EPIDEMIC], ids=["1", "2"])
def test_baselines_of_a_simulation(species, equations, lattice, filled):
    """All start right; pairs help; independent sites have right numbers of molecules.

    The bounds are on deterministic differences several times the noise: the standard error of 60 runs is below 1 % of a
    range.
    """
    observables, runs, steps = [*species, *map("".join, combinations_with_replacement(species, 2))], 60, 25
    generators = [stream(12, "baselines", species, run) for run in range(runs)]
    numbers = [round(lattice.size * density) for density in filled]
    initials = np.stack([place_counts(numbers, lattice, "uniform", each) for each in generators])
    network = ReactionNetwork.from_equations(species, equations)
    record, *_ = simulate_runs(initials, network, lattice, "uniform", 1.0, steps, generators)
    means = count_observables(record, lattice, species, observables).mean(axis=0)[None]
    setting = setting_of(equations, species, lattice, observables, means, dt=1.0)
    for name, baseline in BASELINES.items():
        predicted = baseline.predict(setting)
        assert predicted.shape == means.shape and np.isfinite(predicted).all(), name
        np.testing.assert_allclose(predicted[:, 0], means[:, 0], rtol=0.05, atol=1.0)
    independent_sites = BASELINES["independent_sites"].predict(setting)
    np.testing.assert_allclose(independent_sites[..., : len(species)], means[..., : len(species)], rtol=1e-12)
    errors = relative_errors(setting)
    assert errors["pair_approximation"] < 0.75 * errors["mean_field"]
    assert errors["mean_field"] > 0.03
    if lattice.dimension == 1:
        assert errors["entropic_matching"] < errors["pair_approximation"]


def test_pairs_that_are_not_measured_start_as_independent():
    lattice, equations = Lattice((50,)), [("A + A -> 0", {"probability": 0.2})]
    setting = setting_of(equations, "A", lattice, ["A"], np.full((2, 4, 1), 20.0))
    known = setting_of(equations, "A", lattice, ["A", "AA"], np.tile([20.0, 49 * 0.16], (2, 4, 1)))
    alone, both = (BASELINES["pair_approximation"].predict(each) for each in (setting, known))
    np.testing.assert_allclose(alone[..., 0], both[..., 0], rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "lattice"), [("mean_field", (4, 5)), ("entropic_matching", (20,)), ("entropic_matching", (4, 5))]
)
def test_closures_get_the_rates_of_their_condition(name, lattice):
    """Two conditions with rates of their own decay as each does alone."""
    settings = study_of(Lattice(lattice), "A", {"counts": {"A": 6}})
    moments = moments_of(settings, [[6], [6]]).assign(rates=(("initial_condition", "reaction"), [[0.1], [0.7]]))
    predicted = predict_baseline(settings, name, moments)["mean"].values[:, -1, 0]
    np.testing.assert_allclose(predicted, 6 * np.exp(-0.2 * np.array([0.1, 0.7])), rtol=1e-3)


def test_natural_parameters_of_a_chain_from_its_pairs():
    """As they were; an absent species and a full lattice are next to their limits."""
    words, theta = ((1,), (2,), (1, 1), (1, 2), (2, 2)), np.array([-0.5, -1.0, 0.3, -0.4, 0.2])
    matching = ChainMatching(ReactionNetwork.from_equations("AB", []), 1.0, words)
    pair = matching.probabilities(theta[None]).reshape(3, 3, -1).sum(axis=-1)
    known = Probabilities(pair.sum(axis=1), pair)
    np.testing.assert_allclose([markov_parameter(known, word) for word in words], theta, rtol=1e-9)
    for density in ([0.3, 0.0], [0.4, 0.6], [0.0, 0.0]):
        found = np.array([markov_parameter(independent(np.array(density)), word) for word in words])
        assert np.isfinite(found).all()
        singles = matching.moments(found[None], words[:2])[0]
        np.testing.assert_allclose(singles, density, atol=1e-4)
