"""The lattice simulation: known moments, identity over threads."""

import numpy as np
import pytest
from scipy.stats import chi2
from test_transitions import neighbours_of

from chemistry import SYSTEM, network
from dbd.lattice.geometry import Lattice
from dbd.numerics.random_streams import stream
from dbd.simulation.initial_conditions import place_counts
from dbd.simulation.lattice_simulation import check_conserved, simulate_runs

FALSE_ALARM = 1e-7


def streams(name, number):
    return [stream(20190627, name, k) for k in range(number)]


# Moments known in closed form.


def deviations(counts, mean, variance):
    """Standard scores of the sample mean and variance of counts, shape (runs, time), at all times."""
    runs = len(counts)
    centred = counts - counts.mean(axis=0)
    found = (centred**2).sum(axis=0) / (runs - 1)
    error = np.sqrt(((centred**4).mean(axis=0) - found**2) / runs)
    return (counts.mean(axis=0) - mean) * np.sqrt(runs / variance), (found - variance) / error


def within(counts, mean, variance, limit=6.0):
    """Whether all scores are within the limit; at ten times the false-alarm probability is below 1e-7 at six."""
    return all(np.abs(scores).max() < limit for scores in deviations(counts, mean, variance))


def counts_of(system, lattice, start, dt, steps, runs=2000):
    """Numbers of the first species at ten times; int64, shape (runs, 10)."""
    generators = streams("moments", runs)
    initials = np.array([place_counts(start, lattice, "uniform", each) for each in generators])
    record, *_ = simulate_runs(initials, system, lattice, "uniform", dt, steps, generators, every=steps // 10)
    return (record == 1).sum(axis=-1)[:, 1:]


def test_decay_is_binomial():
    """Every molecule survives on its own: n of them have mean n p and variance n p (1 - p), p = exp(-rate t)."""
    counts = counts_of(network("A", ("A -> 0", {"rate": 0.7})), Lattice((12, 12)), [100], 0.1, 20)
    survival = np.exp(-0.7 * np.linspace(0.2, 2, 10))
    assert within(counts, 100 * survival, 100 * survival * (1 - survival))
    assert not within(counts, 100 * survival**1.1, 100 * survival**1.1 * (1 - survival**1.1))


def test_immigration_and_death_fill_every_site_on_its_own():
    """Creation on empty sites at rate c and death at rate d: the number is binomial over the sites, moves or not."""
    system = network("A", ("0 -> A", {"rate": 0.2}), ("A -> 0", {"rate": 0.5}))
    counts = counts_of(system, Lattice((5, 5, 5)), [0], 0.25, 20)
    filled = 0.2 / 0.7 * (1 - np.exp(-0.7 * np.linspace(0.5, 5, 10)))
    assert within(counts, 125 * filled, 125 * filled * (1 - filled))
    assert not within(counts, 125 * filled, 125 * filled)  # a Poisson law: creation on occupied sites too


def test_birth_and_death_in_a_roomy_lattice():
    """A -> 2A at b and A -> 0 at d: mean n m and variance n (b + d) / (b - d) m (m - 1) with m = exp((b - d) t)."""
    birth, death, number = 0.3, 0.5, 50
    system = network("A", ("A -> 2A", {"rate": birth}), ("A -> 0", {"rate": death}))
    counts = counts_of(system, Lattice((12, 12, 12)), [number], 0.2, 10)
    growth = np.exp((birth - death) * np.linspace(0.2, 2, 10))
    variance = number * (birth + death) / (birth - death) * growth * (growth - 1)
    assert within(counts, number * growth, variance)
    assert not within(counts, number * growth, variance * (death - birth) / (birth + death))  # births never happened


@pytest.mark.parametrize("lattice", [Lattice((6,)), Lattice((3, 4), "periodic"), Lattice((2, 3, 3))], ids=str)
@pytest.mark.parametrize("site_selection", ["uniform", "axis_scan"])
def test_a_lone_walker_obeys_the_discrete_heat_equation(lattice, site_selection):
    """A molecule alone moves in every step to one of its existing neighbours: density(t + 1) = density(t) P.

    Only then is the heat equation exact: with more molecules a blocked one loses its turn, which needs pair densities
    (and is in the transition test). Chi-square of 5,000 walks after five steps, false-alarm probability 1e-7; walls
    that a walker may also bump into, staying where it is, are told apart.
    """
    table = neighbours_of(lattice)
    hops = np.zeros((lattice.size, lattice.size))
    for site, others in enumerate(table):
        hops[site, others] = 1 / len(others)
    bumping = np.minimum(hops, 1 / (2 * lattice.dimension))
    bumping += np.diag(1 - bumping.sum(axis=1))
    initials = np.zeros((5000, lattice.size), np.uint8)
    initials[:, 0] = 1
    record, turns, _ = simulate_runs(initials, network("A"), lattice, site_selection, 1.0, 5, streams("walk", 5000))
    assert (turns == 5).all()
    ends = np.bincount(record[:, 5].argmax(axis=1), minlength=lattice.size)

    def fits(matrix):
        density = np.linalg.matrix_power(matrix, 5)[0]
        reached = density > 0
        if ends[~reached].any():
            return False
        expected = 5000 * density[reached]
        return chi2.sf(((ends[reached] - expected) ** 2 / expected).sum(), reached.sum() - 1) > FALSE_ALARM

    assert fits(hops)
    assert fits(bumping) == (lattice.boundary == "periodic")


# What does not depend on chance.


@pytest.mark.parametrize("site_selection", ["uniform", "axis_scan"])
def test_runs_do_not_depend_on_threads_or_on_the_cut_into_batches(site_selection):
    lattice = Lattice((4, 5, 6))
    initials = np.stack([place_counts((20, 20), lattice, site_selection, each) for each in streams("place", 6)])
    system = (SYSTEM, lattice, site_selection, 0.05, 20)
    whole, turns, events = simulate_runs(initials, *system, streams("run", 6))
    assert (whole[:, 0] == initials).all() and len({run.tobytes() for run in whole}) == 6
    threaded, threaded_turns, threaded_events = simulate_runs(initials, *system, streams("run", 6), threads=3)
    assert (threaded == whole).all() and (threaded_turns == turns).all() and (threaded_events == events).all()
    backwards, *_ = simulate_runs(initials[::-1], *system, streams("run", 6)[::-1])
    assert (backwards[::-1] == whole).all()
    second_half, *_ = simulate_runs(initials[3:], *system, streams("run", 6)[3:])
    assert (second_half == whole[3:]).all()
    alone, *_ = simulate_runs(initials[1:2], *system, streams("run", 6)[1:2])
    assert (alone == whole[1:2]).all()
    sparse, _, total = simulate_runs(initials, *system, streams("run", 6), every=5)
    assert (sparse == whole[:, ::5]).all() and (total == events.reshape(6, 4, 5, -1).sum(axis=2)).all()


def test_numbers_change_by_the_events_alone():
    """In a crowded box, where births are lost for want of room; one event less would show."""
    system = network(
        "AB",
        ("A -> 2A", {"rate": 2.0}),
        ("A + B -> 0", {"probability": 0.5}),
        ("0 -> B", {"rate": 1.0}),
        ("B + A -> 2A", {"probability": 0.5}),
        ("A + A -> A", {"probability": 0.1}),
    )
    initials = np.stack([place_counts([20, 5], Lattice((3, 3, 3)), "uniform", each) for each in streams("place", 9)])
    record, _, events = simulate_runs(initials, system, Lattice((3, 3, 3)), "uniform", 0.3, 30, streams("run", 9))
    assert (events.sum(axis=(0, 1)) > 9).all()
    change = np.stack([np.diff((record == kind).sum(axis=2), axis=1) for kind in (1, 2)], axis=-1)
    assert (change == events @ system.stoichiometry.T).all()
    events[0, 0, 0] -= 1
    assert (change != events @ system.stoichiometry.T).any()


def test_molecules_are_conserved_and_frozen_ones_lose_their_turn():
    lattice = Lattice((3, 3, 3), "periodic")
    initial = place_counts([9, 8], lattice, "uniform", stream(1, "a"))
    run, *_ = simulate_runs(initial[None], network("AB"), lattice, "uniform", 1, 50, [stream(1, "b")])
    assert ((run == 1).sum(axis=2) == 9).all() and ((run == 2).sum(axis=2) == 8).all()
    full, turns, _ = simulate_runs(
        np.ones((1, 27), np.uint8), network("A", ("A -> 2A", {"rate": 9})), lattice, "uniform", 1, 5, streams("full", 1)
    )
    assert (full == 1).all() and turns.tolist() == [5 * 27]
    one = np.ones((1, 1), np.uint8)
    single, *_ = simulate_runs(one, network("A"), Lattice((1,)), "axis_scan", 1, 3, [stream(1, "c")])
    assert (single == 1).all()


def test_conserved_numbers_are_checked():
    """A + B -> 2B, B -> A keeps A + B; a molecule that comes from nowhere in one of the runs is noticed."""
    system = network("AB", ("A + B -> 2B", {"probability": 0.5}), ("B -> A", {"rate": 1.0}))
    lattice, generators = Lattice((5, 5)), streams("conserved", 3)
    initials = np.stack([place_counts([8, 4], lattice, "uniform", each) for each in generators])
    record, *_ = simulate_runs(initials, system, lattice, "uniform", 0.1, 20, generators)
    check_conserved(system, record)
    assert np.ptp((record == 1).sum(axis=-1)) > 0
    record[1, 7, np.flatnonzero(record[1, 7] == 0)[0]] = 2
    with pytest.raises(RuntimeError, match=r"^A \+ B is conserved"):
        check_conserved(system, record)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"initials": np.zeros((1, 4), np.int64)}, "expected uint8 of shape"),
        ({"initials": np.zeros((1, 5), np.uint8)}, "expected uint8 of shape"),
        ({"initials": np.zeros((2, 4), np.uint8)}, "expected uint8 of shape"),
        ({"initials": np.full((1, 4), 3, np.uint8)}, "occupancy: got 3, expected 0 to 2"),
        ({"site_selection": "random"}, "site selection: got 'random'"),
        ({"dt": 0.0}, "dt: got 0.0, expected a positive number"),
        ({"steps": -1}, "steps: got -1, expected"),
        ({"every": 3}, "steps: got 4, expected a multiple of every, 3"),
    ],
)
def test_bad_arguments_give_one_clear_line(change, message):
    given = {
        "initials": np.zeros((1, 4), np.uint8),
        "network": SYSTEM,
        "lattice": Lattice((4,)),
        "site_selection": "uniform",
        "dt": 0.1,
        "steps": 4,
        "generators": streams("bad", 1),
    }
    with pytest.raises(ValueError) as error:
        simulate_runs(**(given | change))
    assert message in str(error.value) and "\n" not in str(error.value)
