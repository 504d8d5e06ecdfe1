"""Brownian particles: exact laws of motion, decay, branching and pair reactions.

Every statistical check compares a z score or a chi-square with a threshold of false-alarm probability below 1e-6 at a
fixed seed, and is run once more on a wrong model, which it must reject.
"""

import numpy as np
import pytest
from scipy import stats

from dbd.continuum.box import Box
from dbd.continuum.brownian import BrownianSystem
from dbd.kinetics.reactions import ReactionNetwork
from dbd.numerics.random_streams import stream

RARE = 1e-7
Z = stats.norm.isf(RARE / 2)


def system(equations, box=None, diffusion=(0.01,), radius=0.05, species="A"):
    network = ReactionNetwork.from_equations(tuple(species), [(e, {"rate": r}) for e, r in equations], pairs="rate")
    return BrownianSystem(box or Box((1.0,)), network, diffusion, radius)


def final_numbers(model, particles, runs, dt, steps, substeps=1, key="runs"):
    """Particles at the end of each run, started at one point in the middle."""
    numbers = []
    for run in range(runs):
        start = np.tile(np.array(model.box.lengths) / 2, (particles, 1))
        snapshots = model.simulate(stream(1, key, run), start, np.ones(particles), dt, steps, substeps)
        numbers.append(snapshots.offsets[-1] - snapshots.offsets[-2])
    return np.array(numbers)


def fits(observed, expected):
    """Whether counts agree with expectations by chi-square, at false-alarm probability 1e-7."""
    return stats.chisquare(observed, np.array(expected) * np.sum(observed) / np.sum(expected)).pvalue > RARE


def free_walk(edges, x, variance, boundary):
    """Probability of each bin for a Brownian walk in the unit interval, by images."""
    turns = np.arange(-20, 21)
    images = x + turns if boundary == "periodic" else np.concatenate([x + 2 * turns, -x + 2 * turns])
    return np.diff(stats.norm.cdf(edges[:, None], images, np.sqrt(variance)).sum(axis=1))


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("axes", [1, 2])
def test_diffusion_is_exact_for_any_step(boundary, axes):
    """Chi-square of the places of 20000 walkers along each axis; a diffusion constant 15 % off is noticed."""
    model = system([], Box((1.0,) * axes, boundary), diffusion=(0.05,))
    start = np.full((20_000, axes), 0.2)
    snapshots = model.simulate(stream(1, boundary, axes), start, np.ones(len(start)), 0.3, 2)
    final = snapshots.position[snapshots.offsets[2] :]
    edges = np.linspace(0, 1, 21)
    for axis in range(axes):
        observed = np.histogram(final[:, axis], edges)[0]
        assert observed.sum() == len(start)
        assert fits(observed, free_walk(edges, 0.2, 2 * 0.05 * 0.6, boundary))
        assert not fits(observed, free_walk(edges, 0.2, 2 * 0.0575 * 0.6, boundary))


def test_decay_is_binomial():
    """Chi-square of the survivors of 10 particles in 4000 runs against the binomial law; a rate 10 % off is noticed."""
    numbers = final_numbers(system([("A -> 0", 0.8)]), 10, 4000, 0.5, 2)
    observed = np.bincount(numbers, minlength=11)
    keep = slice(1, 9)
    assert fits(observed[keep], stats.binom.pmf(np.arange(11), 10, np.exp(-0.8))[keep])
    assert not fits(observed[keep], stats.binom.pmf(np.arange(11), 10, np.exp(-0.88))[keep])


def test_branching_with_death_follows_the_linear_birth_death_law():
    """Chi-square of the offspring of one particle (modified geometric law) in 6000 runs; swapped rates are noticed."""
    birth, death, time = 1.5, 0.5, 1.0
    numbers = final_numbers(system([("A -> 2A", birth), ("A -> 0", death)]), 1, 6000, time / 2, 2)
    observed = np.bincount(np.minimum(numbers, 15), minlength=16)

    def law(b, d):
        growth = np.exp((b - d) * time)
        dead, ratio = d * (growth - 1) / (b * growth - d), b * (growth - 1) / (b * growth - d)
        tail = (1 - dead) * (1 - ratio) * ratio ** np.arange(14)
        return np.append(np.append(dead, tail), 1 - dead - tail.sum())

    assert fits(observed, law(birth, death))
    assert not fits(observed, law(death, birth))


def test_newborns_start_where_the_parent_was_and_walk_for_the_rest_of_the_step():
    """Variance of place over 8000 descendants of parents at 0.5: that of a walk over the whole time, in one step.

    Siblings are correlated, so the test takes one descendant of each of many parents; false alarms below 1e-7.
    """
    model = system([("A -> 2A", 2.0)], diffusion=(0.002,))
    last = np.array([model.simulate(stream(1, "born", k), [[0.5]], [1], 1.0, 1).position[-1, 0] for k in range(8000)])
    variance = np.mean((last - 0.5) ** 2)
    z = (variance / 0.004 - 1) / np.sqrt(2 / len(last))
    assert abs(z) < Z
    # A newborn that waits for the next step would have walked for about half the time only.
    assert (variance / 0.003 - 1) / np.sqrt(2 / len(last)) > Z


def test_pairs_always_in_reach_react_at_the_rate():
    """Two particles that never part survive with exp(-rate t): z score over 5000 runs; a doubled rate is noticed."""
    model = system([("A + A -> 0", 0.7)], Box((1.0,), "periodic"), diffusion=(0.0,))
    alive = np.mean(final_numbers(model, 2, 5000, 0.5, 2, 3) == 2)
    z = lambda p: abs(alive - p) / np.sqrt(p * (1 - p) / 5000)  # noqa: E731
    assert z(np.exp(-0.7)) < Z
    assert z(np.exp(-1.4)) > Z


@pytest.mark.parametrize(("boundary", "second"), [("reflecting", 0.2), ("periodic", 0.9)])
def test_doi_pair_survival(boundary, second):
    """Survival of a pair against the backward equation of the Doi model on a fine grid of both positions.

    z score over 3000 runs; half the radius is noticed.
    """
    rate, radius, diffusion, time = 30.0, 0.1, 0.02, 0.5
    model = system([("A + A -> 0", rate)], Box((1.0,), boundary), (diffusion,), radius)
    alive = 0
    for run in range(3000):
        snapshots = model.simulate(stream(1, boundary, run), [[0.03], [second]], [1, 1], time, 1, 100)
        alive += snapshots.offsets[2] - snapshots.offsets[1] == 2
    alive /= 3000

    def survival(reach, cells=100):
        """Chance that the pair is alive, by splitting with exact diffusion between cell centres."""
        x = (np.arange(cells) + 0.5) / cells
        lap = np.diag(np.full(cells, -2.0)) + np.eye(cells, k=1) + np.eye(cells, k=-1)
        if boundary == "periodic":
            lap[0, -1] = lap[-1, 0] = 1
        else:
            lap[0, 0] = lap[-1, -1] = -1
        value, vector = np.linalg.eigh(lap * cells**2 * diffusion)
        steps = 200
        move = vector @ np.diag(np.exp(value * time / steps)) @ vector.T
        d = abs(x[:, None] - x)
        d = np.minimum(d, 1 - d) if boundary == "periodic" else d
        # The part of a cell that is within reach: the edge of the reaction zone lies on cell centres.
        stay = np.exp(-rate * time / steps * np.clip((reach - d) * cells + 0.5, 0, 1))
        s = np.ones((cells, cells))
        for _ in range(steps):
            s = np.sqrt(stay) * (move @ (np.sqrt(stay) * s) @ move)
        near = lambda y: np.abs(x - y) < 0.6 / cells  # noqa: E731
        return s[np.ix_(near(0.03), near(second))].mean()

    z = lambda p: abs(alive - p) / np.sqrt(p * (1 - p) / 3000)  # noqa: E731
    assert z(survival(radius)) < Z
    assert z(survival(radius / 2)) > Z


@pytest.mark.parametrize("boundary", ["reflecting", "periodic"])
@pytest.mark.parametrize("lengths", [(1.0,), (1.0, 0.7), (1.0, 0.06)])
def test_cell_lists_find_exactly_the_pairs_within_the_radius(boundary, lengths):
    """With certain reaction and no motion no pair within the radius is left, and all that are gone had a partner."""
    box = Box(lengths, boundary)
    model = system([("A + A -> 0", 1e9)], box, diffusion=(0.0,), radius=0.03)
    rng = stream(1, boundary, len(lengths))

    def distances(a, b):
        d = np.abs(a[:, None] - b[None])
        d = np.minimum(d, np.array(lengths) - d) if box.periodic else d
        return np.sqrt((d**2).sum(axis=-1))

    for number in (2, 5, 20, 60):
        for _ in range(50):
            x = rng.random((number, len(lengths))) * lengths
            left = model.simulate(rng, x, np.ones(number), 1.0, 1)
            left = left.position[left.offsets[1] :]
            apart = distances(left, left) + np.eye(len(left))
            assert (number - len(left)) % 2 == 0
            assert (apart >= 0.03).all()
            near = (distances(x, x) + np.eye(number)).min(axis=1) < 0.03
            gone = ~(distances(x, left) == 0).any(axis=1)
            assert near[gone].all()
            assert near.any() == gone.any()


def test_products_take_the_places_of_their_species():
    """A survivor stays, a new species takes either place, two products take the places in the order written."""
    box = Box((1.0,), "periodic")
    x, kind = np.array([[0.50], [0.51]]), np.array([2, 1])

    def end(equation, run):
        model = system([(equation, 1e9)], box, (0.0, 0.0, 0.0, 0.0), 0.05, "ABCD")
        s = model.simulate(stream(1, equation, run), x, kind, 1.0, 1)
        return [(k, p) for k, p in zip(s.species[s.offsets[1] :], s.position[s.offsets[1] :, 0], strict=True)]

    assert end("A + B -> A", 0) == [(1, 0.51)]
    assert end("A + B -> B", 0) == [(2, 0.50)]
    assert end("A + B -> C + D", 0) == [(4, 0.50), (3, 0.51)]
    assert end("A -> B", 0) == [(2, 0.50), (2, 0.51)]
    assert {end("A + B -> C", run)[0] for run in range(40)} == {(3, 0.50), (3, 0.51)}


def test_reactions_compete_by_rate():
    """Share of the first of two reactions, z score over 4000 pairs; equal shares are noticed."""
    model = system([("A + A -> A", 3.0), ("A + A -> 0", 1.0)], diffusion=(0.0,))
    first = np.mean(final_numbers(model, 2, 4000, 10.0, 1, 40) == 1)
    z = lambda p: abs(first - p) / np.sqrt(p * (1 - p) / 4000)  # noqa: E731
    assert z(0.75) < Z
    assert z(0.5) > Z


def test_a_run_is_a_function_of_its_stream_and_leaves_its_input_alone():
    model = system([("A + A -> 0", 5.0), ("A -> 2A", 1.0)], Box((1.0, 1.0)))
    x, kind = stream(1, "x").random((30, 2)), np.ones(30, np.uint8)
    copy = x.copy()
    one, two = (model.simulate(stream(1, "run"), x, kind, 0.1, 5, 4) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert np.array_equal(x, copy)
    assert np.array_equal(one.position[: one.offsets[1]], x)


def test_bad_systems_are_refused():
    with pytest.raises(ValueError, match="radius"):
        system([("A + A -> 0", 1.0)], radius=0.0)
    with pytest.raises(ValueError, match="radius"):
        system([("A + A -> 0", 1.0)], Box((1.0,), "periodic"), radius=0.6)
    with pytest.raises(ValueError, match="one or two reactants"):
        system([("0 -> A", 1.0)])
    with pytest.raises(ValueError, match="diffusion"):
        system([], diffusion=(-1.0,))
    with pytest.raises(ValueError, match="outside the box"):
        system([]).simulate(stream(1), [[1.5]], [1], 0.1, 1)
    with pytest.raises(ValueError, match="species"):
        system([]).simulate(stream(1), [[0.5]], [2], 0.1, 1)
    with pytest.raises(ValueError, match="lengths"):
        Box((1.0, -1.0))
