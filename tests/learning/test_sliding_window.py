"""The sliding window: its gradient with exact moments against finite differences, resuming, and leaving the grid."""

import itertools

import numpy as np
import pytest

from dbd.boltzmann.contrastive_divergence import Contrast
from dbd.boltzmann.energy import EnergyModel, Layer
from dbd.boltzmann.gibbs import Sampler
from dbd.lattice.geometry import Lattice
from dbd.learning import dynamics, sliding_window
from dbd.learning.dynamics import Dynamics
from dbd.learning.sliding_window import HISTORY, Progress, SlidingWindow
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.random_streams import stream

CHAIN = EnergyModel(Lattice((5,)), ("A",), ("A", "AA", "AAA"))
CUBE = EnergyModel(
    Lattice((3, 3, 3)),
    ("A", "B", "C"),
    ("A", "B", "C"),
    (Layer(("X", "Y", "Z"), ("AX", "BY", "CZ"), tuple(itertools.product((0, 1), repeat=3)), wrap=True),),
)
RATE = (0.5, 2.0, 1.0)
WINDOW = 4


class ExactContrast:
    """Gradient of the divergence by enumeration, in place of an estimate."""

    def __init__(self, model):
        self.model = model
        self.states = np.indices((2,) * model.lattice.size).reshape(model.lattice.size, -1).T
        self.phi = model.statistics(self.states)

    def divergence(self, theta, lattices):
        """Divergence at each time, but for the entropy of the data."""
        data = self.model.statistics(lattices).mean(axis=0)
        return np.log(np.exp(theta @ self.phi.T).sum(axis=1)) - (theta * data).sum(axis=1)

    def difference(self, theta, lattices, generator):
        """As `Contrast.difference`."""
        weight = np.exp(theta @ self.phi.T)
        return weight @ self.phi / weight.sum(axis=1, keepdims=True) - self.model.statistics(lattices).mean(axis=0)


def draw_lattices(model, *shape):
    """Random occupancies, (..., sites)."""
    return np.random.default_rng(8).integers(0, len(model.species) + 1, (*shape, model.lattice.size), np.uint8)


def dynamics_of(model, domain, substeps, scheme="euler"):
    """Dynamics on a grid around zero."""
    grid = HermiteGrid((-1.0,) * len(domain), (0.5,) * len(domain), (5,) * len(domain))
    return Dynamics(grid, len(model.parameters), domain, 0.02, scheme, substeps)


@pytest.fixture
def problem():
    """A window at time steps 3 .. 6 on a two-dimensional domain, with exact moments; all runs in a batch."""
    learner = SlidingWindow(dynamics_of(CHAIN, (0, 2), 3), ExactContrast(CHAIN), RATE, WINDOW, 1, 6)
    coefficients = np.random.default_rng(9).normal(size=learner.begin().coefficients.shape)
    return learner, coefficients, np.array([[0.3, -0.2, 0.1]]), draw_lattices(CHAIN, 1, 6, 10)


def gradient(learner, coefficients, initial, lattices, first=2):
    """What an update takes off the coefficients, per learning rate, and the history of the step."""
    before = Progress(coefficients.copy(), np.zeros((first, len(HISTORY))))
    after = learner.advance(before, initial, lattices, lambda *key: stream(40, *key))
    return (coefficients - after.coefficients) / np.array(learner.rate)[:, None], after.history[-1]


def slope_of_action(learner, coefficients, initial, lattices, direction, first=2):
    """Derivative of the window's action along a direction, by central differences of fourth order."""
    start = learner.dynamics.integrate(coefficients, initial, first)[:, -1]
    inside = slice(first + 1, first + WINDOW + 1)

    def action(h):
        states = learner.dynamics.integrate(coefficients + h * direction, start, WINDOW)[0]
        return learner.dynamics.dt * learner.contrast.divergence(states[1:], lattices[0][:, inside]).sum()

    h = 1e-3
    return (8 * (action(h) - action(-h)) - action(2 * h) + action(-2 * h)) / (12 * h)


def test_update_is_the_gradient_of_the_window(problem, monkeypatch):
    """Against finite differences with exact moments; the derivative by the last parameter alone is caught."""
    learner, coefficients, initial, lattices = problem
    direction = np.random.default_rng(10).normal(size=coefficients.shape)
    expected = slope_of_action(*problem, direction)
    found, row = gradient(*problem)
    assert (found * direction).sum() == pytest.approx(expected, rel=1e-9)
    assert row[HISTORY.index("gradient_norm")] == pytest.approx(np.linalg.norm(found))

    advance = dynamics.advance.py_func

    def last_alone(*arguments):
        advance(*arguments)
        arguments[5][2][:, :, :-1] = 0

    monkeypatch.setattr(dynamics, "advance", last_alone)
    monkeypatch.setattr(sliding_window, "add_gradient", dynamics.add_gradient.py_func)
    monkeypatch.setattr(sliding_window, "_descend", sliding_window._descend.py_func)
    wrong, _ = gradient(learner, coefficients, initial, lattices)
    assert (wrong * direction).sum() != pytest.approx(expected, rel=1e-5)


def test_window_moves_on(problem):
    """An optimisation step sees the lattices of its window and no others."""
    learner, coefficients, initial, lattices = problem
    changed = lattices.copy()
    changed[:, :, 7:] = 0
    changed[:, :, :3] = 0
    assert np.array_equal(gradient(*problem)[0], gradient(learner, coefficients, initial, changed)[0])
    assert not np.array_equal(gradient(*problem, 3)[0], gradient(learner, coefficients, initial, changed, 3)[0])
    slow = SlidingWindow(learner.dynamics, learner.contrast, RATE, WINDOW, 3, 6)
    assert np.array_equal(gradient(*problem)[0], gradient(slow, coefficients, initial, lattices, 8)[0])


def published(name):
    """Miniatures of the published recipes: learner, initial parameters, lattices."""
    if name == "annihilation":
        learner = SlidingWindow(dynamics_of(CHAIN, (0, 1, 2), 1), Contrast(Sampler(CHAIN)), RATE, 5, 2, 3)
        return learner, np.random.default_rng(11).uniform(-0.8, 0.8, (4, 3)), draw_lattices(CHAIN, 4, 6, 12)
    contrast = Contrast(Sampler(CUBE), 10, "random")
    rate = [0.05 if len(name) == 2 else 0.8 for name in CUBE.parameters]
    learner = SlidingWindow(dynamics_of(CUBE, (0, 1, 2), 10), contrast, rate, 5, 2, 1)
    return learner, np.array([[-0.69] * 3 + [0.0] * 3 + [-1.95] * 3]), draw_lattices(CUBE, 1, 6, 12)


@pytest.mark.parametrize("name", ["annihilation", "rossler"])
def test_resumed_learning_gives_the_same_bytes(name):
    """From a copy of the arrays after three of seven steps."""
    learner, initial, lattices = published(name)

    def advance(progress):
        return learner.advance(progress, initial, lattices, lambda *key: stream(41, *key))

    progress, kept = learner.begin(), None
    while progress.step < 7:
        if progress.step == 3:
            kept = Progress(progress.coefficients.copy(), progress.history.copy())
        progress = advance(progress)
    while kept.step < 7:
        kept = advance(kept)
    assert kept.coefficients.tobytes() == progress.coefficients.tobytes()
    assert kept.history.tobytes() == progress.history.tobytes()
    assert np.abs(progress.coefficients).max() > 0
    assert (progress.history[:, :2] > 0).all()


def test_known_drift_is_learned():
    """Independent sites whose bias falls by 2 per unit of time: the trajectory ends there within 8 standard errors.

    The standard error of the density at one time, 200 sites and 40 runs, is 0.024 in the bias; descent adds as much
    again. False alarm far below 1e-6.
    """
    model = EnergyModel(Lattice((200,)), ("A",), ("A",))
    bias = 0.5 - 2 * 0.05 * np.arange(11)
    rng = np.random.default_rng(12)
    lattices = (rng.random((1, 40, 11, 200)) < 1 / (1 + np.exp(-bias))[:, None]).astype(np.uint8)
    grid = HermiteGrid((-1.0,), (0.5,), (5,))
    learner = SlidingWindow(Dynamics(grid, 1, (0,), 0.05, "euler", 1), Contrast(Sampler(model)), (2.0,), 4, 20, 10)
    progress = learner.begin()
    while progress.step < 140:
        progress = learner.advance(progress, bias[:1, None], lattices, lambda *key: stream(42, *key))
    theta = learner.dynamics.integrate(progress.coefficients, bias[:1, None], 10)[0, :, 0]
    assert theta == pytest.approx(bias, abs=0.25)
    assert progress.history[-1, 1] < progress.history[0, 1]


@pytest.mark.filterwarnings("ignore:overflow")
def test_leaving_the_grid_is_counted(problem):
    """Outside the grid, then beyond what floating-point numbers hold: no update from there, never a NaN."""
    learner, coefficients, initial, _ = problem
    lattices = draw_lattices(CHAIN, 3, 6, 10)
    several = np.concatenate([initial, [[1.5, 0, 0]], [[1e308, 0, 1e308]]])
    found, row = gradient(learner, coefficients, several, lattices)
    assert np.isfinite(found).all()
    assert np.isfinite(row).all()
    assert row[HISTORY.index("outside")] == 2
    with pytest.raises(FloatingPointError, match="step 2: no trajectory is finite"):
        gradient(learner, coefficients, several[2:], lattices[2:])


def test_errors(problem):
    """One line that says what does not fit."""
    learner, coefficients, initial, lattices = problem
    settings = (learner.dynamics, learner.contrast)
    with pytest.raises(ValueError, match="needs 3, one for each parameter"):
        SlidingWindow(*settings, (1.0,), WINDOW, 1, 6)
    with pytest.raises(ValueError, match=r"window, steps per shift: got \(0, 1\), expected 1 or more"):
        SlidingWindow(*settings, RATE, 0, 1, 6)
    with pytest.raises(ValueError, match="window up to time step 10: lattices end at 9"):
        gradient(learner, coefficients, initial, lattices, 6)
    with pytest.raises(ValueError, match="batch: got 7, expected 1 to 6"):
        gradient(SlidingWindow(*settings, RATE, WINDOW, 1, 7), coefficients, initial, lattices)
