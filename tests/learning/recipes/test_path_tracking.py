"""Static matching along time, and right-hand sides that track the matched paths."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from dbd.boltzmann.energy import EnergyModel
from dbd.boltzmann.gibbs import Sampler
from dbd.boltzmann.sampling_law import Response, SamplingLaw
from dbd.lattice.geometry import Lattice
from dbd.learning.dynamics import Dynamics
from dbd.learning.kernel_span import RIDGE, Distance, SpanProblem, kernel_functions
from dbd.learning.path_matching import PathMatch, smooth
from dbd.learning.recipes.path_tracking import PathTracking
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream
from learning_problems import finish

TIMES = 13
OBSERVABLES = ("A", "B", "AB", "BB")
GRID = HermiteGrid.covering((-2.0, -2.0), (2.0, 2.0), (0.5, 0.5))


@pytest.fixture(scope="module")
def match() -> PathMatch:
    """Moments of a known path under the law that they are matched with."""
    sampler = Sampler(EnergyModel(Lattice((12, 12)), ("A", "B"), ("A", "B", "AB")))
    time = np.linspace(0, 1, TIMES)[:, None]
    path = np.array([-0.5, -0.5, 0.0]) + time * [0.8, -0.6, 0.5] + time**2 * [-0.6, 0.3, 0.0]
    exact = SamplingLaw(sampler, OBSERVABLES, 1000, 10)
    target = np.stack([exact.response(theta, stream(3, n)).mean for n, theta in enumerate(path)])
    return PathMatch(SamplingLaw(sampler, OBSERVABLES, 100, 10), path[0], target, np.ptp(target, axis=0))


def refined(match: PathMatch, steps: int) -> np.ndarray:
    """Root mean square relative difference of the moments after some steps."""
    path = match.solve(steps, lambda *place: stream(4, *place))
    assert (path[0] == match.initial).all()
    law = SamplingLaw(match.law.sampler, OBSERVABLES, 1000, 10)
    means = np.stack([law.response(theta, stream(5, n)).mean for n, theta in enumerate(path)])
    return np.sqrt(np.mean(((means - match.target) / match.scale) ** 2))


class Backwards(SamplingLaw):
    """A law whose Jacobian has the wrong sign."""

    def response(self, theta, generator):
        """Means, and minus their Jacobian."""
        mean, jacobian = super().response(theta, generator)
        return Response(mean, -jacobian)


def test_matched_paths_have_the_moments_of_the_data(match):
    law = match.law
    backwards = PathMatch(
        Backwards(law.sampler, OBSERVABLES, law.lattices, law.sweeps), match.initial, match.target, match.scale
    )
    assert refined(match, 6) < 0.1
    assert refined(backwards, 6) > 0.2


@pytest.mark.slow
def test_differences_match_and_fixed_parameters_stay(match):
    by_differences = replace(match, differences=True)
    assert refined(by_differences, 6) < 0.1
    fixed = replace(match, fixed=("B", "AB"), differences=True)
    path = fixed.solve(2, lambda *place: stream(9, *place))
    np.testing.assert_allclose(path[:, 1:], np.tile(match.initial[1:], (TIMES, 1)), rtol=1e-14)
    assert np.ptp(path[:, 0]) > 0.1
    assert refined(fixed, 6) > 0.1


def test_kernel_functions_are_orthonormal_and_reach_the_points():
    points = np.random.default_rng(1).uniform(-1.5, 1.5, (12, 2))
    functions = kernel_functions(GRID, points)
    assert functions.shape == (GRID.size, 12)
    energy = functions.T @ GRID.roughness() @ functions
    # Splines are not orthogonal, so the ridge is not that of the elements: what is left has to be positive and small.
    rest = np.eye(12) - energy.toarray()
    assert np.linalg.eigvalsh(rest).min() > -1e-9
    assert np.linalg.matrix_rank((GRID.basis(points) @ functions).toarray()) == 12
    assert RIDGE > 0


def circle() -> np.ndarray:
    """A path of two parameters, and a third that follows them."""
    angle = np.linspace(0, 4, TIMES)
    return np.stack([np.cos(angle), np.sin(angle), 0.3 * np.sin(2 * angle)], axis=1)[None]


def test_trajectories_track_a_path():
    paths = circle()
    dynamics = Dynamics(GRID, 3, (0, 1), 0.1)
    functions = kernel_functions(GRID, paths[0, :, :2])
    problem = SpanProblem(dynamics, paths[:, 0].copy(), Distance(paths, 0.01), TIMES - 1, 1e-9, functions=functions)
    start = problem.collocation(paths)
    found = finish(problem, start, 20, 1e-6)
    assert np.abs(problem.trajectories(found.splines) - paths).max() < 5e-3
    assert np.abs(problem.trajectories(start.splines) - paths).max() > 1e-2


@pytest.mark.slow
def test_learning_goes_on_from_any_state_with_the_same_bytes(match):
    dynamics = Dynamics(HermiteGrid.covering((-3.0, -3.0), (2.0, 2.0), (0.5, 0.5)), 3, (0, 1), 0.1)
    recipe = PathTracking([match], dynamics, 4, 1e-9, lambda *place: stream(6, *place))
    states = list(recipe.states(None))
    assert len(states) == len(states[-1]["action"])
    for place in (1, 3, 5, len(states) - 1):
        again = list(islice(recipe.states(states[place]), 3))
        for one, other in zip(again, states[place + 1 :], strict=False):
            assert one.keys() == other.keys()
            assert all((np.asarray(one[name]) == np.asarray(other[name])).all() for name in one)


def test_smoothing_keeps_ends_and_straight_lines_and_takes_noise_off():
    line = np.linspace(0, 1, 40)[:, None] * [1.0, -2.0]
    np.testing.assert_allclose(smooth(line), line, atol=1e-12)
    noise = 0.1 * np.random.default_rng(1).standard_normal((400, 2))
    found = smooth(noise)
    np.testing.assert_array_equal(found[[0, -1]], noise[[0, -1]])
    assert np.diff(found, axis=0).std() < 0.1 * np.diff(noise, axis=0).std()


def test_a_larger_tolerance_keeps_couplings_smaller(match):
    loose, tight = (
        replace(match, tolerance=tolerance).solve(4, lambda *place: stream(4, *place)) for tolerance in (2.0, 0.02)
    )
    assert np.abs(loose[-1, 2]) < np.abs(tight[-1, 2]) / 2  # AB, which is 0.5 in truth
    assert tight[-1, 2] > 0.3
