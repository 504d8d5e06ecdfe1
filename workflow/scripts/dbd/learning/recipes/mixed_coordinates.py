"""Static matching at fixed composition, then whole trajectories in the Fisher metric: recipe ``mixed_coordinates``.

The action is the Kullback-Leibler divergence of all runs along the trajectories, to second order around the matched
paths theta*(t) of densities and couplings:

    S = runs / 2 * sum over initial conditions and steps of (theta - theta*)^T G(theta*) (theta - theta*)

G is block diagonal. For couplings it is the Fisher matrix at fixed composition, for numbers of particles the inverse of
their covariance between runs and of what chance makes of as many independent molecules, so that starts that are the
same in all runs do not outweigh all that follows.

Functions are sought in a span: along a few paths only a few directions of the elements matter. Its functions are
those combinations, orthonormal in the energy, of the functions of least energy through values at points of the matched
paths that have the largest values there. The energy is that of thin plates with a part of the squared coefficients, so
that functions go to zero where there are no data: fluxes to those of independent sites, couplings to relaxation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg, sparse
from scipy.ndimage import gaussian_filter1d

from dbd.boltzmann.energy import EnergyModel
from dbd.files.checkpoints import State
from dbd.kinetics.reactions import ReactionNetwork
from dbd.learning.composition_matching import Matched, couplings_of, match_paths
from dbd.learning.pieces import overlapping
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.learning.recipes.base import Recipe
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.levenberg_marquardt import Expansion, minimise
from dbd.numerics.threads import parallel

CELLS = {1: 16, 2: 12, 3: 8, 4: 5}  # of the grid along every axis, by the number of axes
BORDER = 0.1  # part of the range of the matched paths that the grid goes on for on either side
POINTS = 700  # about the most points that carry functions
FUNCTIONS = 100  # most functions of the span
RIDGE = 0.1  # of the squared spline coefficients in the energy
PIECES = (4, 10, 30)  # time steps in the pieces of trajectories that learning begins with
STEPS = (6, 15)  # most optimisation steps on pieces, and on whole trajectories
GAIN = 2e-3  # relative fall of the action below which a step is the last
RESIDUALS = 1500  # about as many steps of all trajectories are looked at
TOGETHER = 4  # trajectories whose derivatives are held in memory at a time
WORSE = 2  # phases in a row that are worse than the best before the others are not tried
LEFT_OUT = 4  # every fourth initial condition is left out while the roughness is chosen


@dataclass(frozen=True)
class Ensemble:
    """Data of the training split.

    Parameters
    ----------
    density
        Mean particles of every species per site, (R, times, species).
    covariance
        Covariance between runs of the numbers of particles, (R, times, species, species).
    counts
        Mean of the statistic of every coupling, (R, times, K).
    runs
        Runs of each initial condition.
    spread
        Whether the covariance is learned as well; otherwise all runs are taken to have the mean composition.
    """

    density: np.ndarray
    covariance: np.ndarray
    counts: np.ndarray
    runs: int
    spread: bool = False


@dataclass(frozen=True)
class Trajectories:
    """Trajectories and the quadratic form that compares them with matched paths; R trajectories.

    Parameters
    ----------
    dynamics
        The differential equations.
    span
        Coefficients of the elements of M functions, (size, M).
    scale
        Size of each function, (Q,): coefficients in the span count in units of it.
    starts
        Parameters at time zero, (R, P).
    paths, metric
        Matched paths, (R, times, P), and the metric there, (R, times, P, P).
    every
        Steps between those that are looked at; the last one is always.
    threads
        Size of the thread pool; results do not depend on it.
    """

    dynamics: ReactionDynamics
    span: np.ndarray
    scale: np.ndarray
    starts: np.ndarray
    paths: np.ndarray
    metric: np.ndarray
    every: int
    threads: int = 1

    @cached_property
    def times(self) -> np.ndarray:
        """Steps that are looked at."""
        last = self.paths.shape[1] - 1
        return np.unique(np.append(np.arange(self.every, last, self.every), last))

    @cached_property
    def root(self) -> np.ndarray:
        """Square root of the metric with the weight of every step, (R, times, P, P)."""
        weights = np.diff(self.times, prepend=0)[:, None, None]
        values, vectors = np.linalg.eigh(self.metric[:, self.times] * weights)
        return np.sqrt(np.maximum(values, 0.0))[..., None] * np.swapaxes(vectors, -1, -2)

    def coefficients(self, point: np.ndarray) -> np.ndarray:
        """Coefficients of the elements, (Q, size), from those in the span, (Q * M,)."""
        return np.ascontiguousarray(self.scale[:, None] * point.reshape(len(self.scale), -1) @ self.span.T)

    def residuals(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Trajectories and whitened differences, (R, times, P)."""
        coefficients = self.coefficients(point)
        states = self.dynamics.integrate(coefficients, self.starts, self.paths.shape[1] - 1, self.threads)
        difference = (states - self.paths)[:, self.times]
        return states, np.einsum("rtij,rtj->rti", self.root, difference)

    def values(self, point: np.ndarray) -> np.ndarray:
        """The action of every trajectory, (R,)."""
        with np.errstate(all="ignore"):
            return np.nan_to_num((self.residuals(point)[1] ** 2).sum(axis=(1, 2)) / 2, nan=np.inf, posinf=np.inf)

    def value(self, point: np.ndarray) -> float:
        """The action."""
        return float(self.values(point).sum())

    def expand(self, point: np.ndarray) -> Expansion:
        """The action, its gradient and its Gauss-Newton matrix."""
        states, residuals = self.residuals(point)
        coefficients = self.coefficients(point)
        scale = np.repeat(self.scale, self.span.shape[1])

        def rows(index: int) -> np.ndarray:
            derivative = self.dynamics.sensitivity(coefficients, states[index], self.span, self.times)
            return (self.root[index] @ derivative).reshape(-1, len(point)) * scale

        gradient, curvature = np.zeros(len(point)), np.zeros((len(point), len(point)))
        for first in range(0, len(states), TOGETHER):
            some = range(first, min(first + TOGETHER, len(states)))
            matrix = np.concatenate(parallel(rows, some, self.threads))
            gradient += matrix.T @ residuals[some].ravel()
            curvature += matrix.T @ matrix
        return Expansion(float((residuals**2).sum() / 2), gradient, curvature)


@dataclass(frozen=True)
class MixedCoordinates(Recipe):
    """Learning in mixed coordinates: see the module.

    Short pieces of trajectories that start on the matched paths come first, then whole ones with the first candidate of
    the roughness, then with the others, while a part of the initial conditions is left out. The last phase learns from
    all, in the way that has left the least median action of the trajectories of those. If there are fewer than four
    initial conditions, all are learned from, down to the last candidate.

    Parameters
    ----------
    model, network
        The reduced model and the reactions.
    data
        What is learned from.
    initial
        Parameters at time zero, (R, P).
    domain
        Indices of the parameters that the functions depend on, at most four.
    dt, substeps
        Time step of the data, and Runge-Kutta steps in each.
    roughness
        Candidates of the weight of the energy, from the largest down.
    generator_of
        Stream of an initial condition and a chain.
    threads
        Size of the thread pool; results do not depend on it.
    """

    model: EnergyModel
    network: ReactionNetwork
    data: Ensemble
    initial: np.ndarray
    domain: tuple[int, ...]
    dt: float
    substeps: int
    roughness: Sequence[float]
    generator_of: Callable[..., np.random.Generator]
    threads: int = 1

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after matching and after each phase of learning, from the beginning or after `kept`."""
        state = kept if kept is not None else self._matched()
        if kept is None:
            yield state
        learning = self.learning(Matched(*(state[name] for name in Matched._fields)))
        trials, left_out = self._trials(), self._left_out()
        whole = self.data.density.shape[1] - 1
        while not state["finished"]:
            phase, scores, point, best = int(state["phase"]), state["scores"], state["point"], state["best"]
            over = left_out.any() and (phase == len(trials) or phase > np.argmin([*scores, np.inf]) + WORSE)
            over = over and trials[phase - 1][0] == whole
            if over:
                point = best
            length, roughness = trials[int(np.argmin(scores)) if over else phase]
            problem = learning.problem(length, slice(None) if over else ~left_out)
            point, action, gradient = learning.learn(problem, point, roughness, STEPS[length == whole])
            if not over:
                score = np.median(learning.problem(whole, left_out).values(point)) if left_out.any() else 0.0
                scores = np.append(scores, score)
                best = point if score == scores.min() else best
            state = state | {
                "point": point,
                "roughness": np.array(roughness),
                "best": best,
                "scores": scores,
                "phase": np.array(phase + 1),
                "finished": np.array(over or (phase + 1 == len(trials) and not left_out.any())),
                "u": problem.coefficients(point),
                "action": np.append(state["action"], action),
                "gradient_norm": np.append(state["gradient_norm"], gradient),
            }
            yield state

    def _trials(self) -> list[tuple[int, float]]:
        """Steps of the trajectories and roughness of each phase before the last one."""
        last = self.data.density.shape[1] - 1
        lengths = [*(length for length in PIECES if length < last), last]
        return [(length, self.roughness[0]) for length in lengths] + [(last, value) for value in self.roughness[1:]]

    def _left_out(self) -> np.ndarray:
        """Whether an initial condition is left out while the roughness is chosen, (R,)."""
        conditions = len(self.initial)
        order = self.generator_of(conditions, 0).permutation(conditions)
        return order < conditions // LEFT_OUT

    def _matched(self) -> State:
        matched = match_paths(
            self.model,
            self.data.density,
            self.data.counts,
            self.data.runs,
            self.generator_of,
            self.threads,
            self.data.covariance if self.data.spread else None,
        )
        learning = self.learning(matched)
        functions, width = len(learning.dynamics.functions), learning.span.shape[1]
        return {
            **matched._asdict(),
            "point": np.zeros(functions * width),
            "u": np.zeros((functions, learning.dynamics.grid.size)),
            "roughness": np.array(self.roughness[0], float),
            "best": np.zeros(functions * width),
            "scores": np.empty(0),
            "phase": np.array(0),
            "finished": np.array(False),
            "action": np.empty(0),
            "gradient_norm": np.empty(0),
        }

    def learning(self, matched: Matched) -> "Learning":
        """What follows from matched couplings: paths, metric, grid and span."""
        couplings, sites = couplings_of(self.model), self.model.lattice.size
        species = [self.model.parameters.index(name) for name in self.model.species]
        path, _ = matched_paths(self.model, self.data, matched)
        path[:, 0] = self.initial
        metric = np.zeros((*path.shape, path.shape[2]))
        spread = self.data.covariance + (self.data.density * sites + 1.0)[..., None] * np.eye(len(species))
        metric[..., np.ix_(species, species)[0], np.ix_(species, species)[1]] = sites**2 * np.linalg.inv(spread)
        inverse = np.linalg.inv(spread)
        basis = symmetric_basis(len(species))[: path.shape[2] - len(self.model.parameters)] * sites
        moved = np.einsum("...ab,ibc->...iac", inverse, basis)
        metric[..., len(self.model.parameters) :, len(self.model.parameters) :] = (
            np.einsum("...iab,...jba->...ij", moved, moved) / 2
        )
        metric[..., np.ix_(couplings, couplings)[0], np.ix_(couplings, couplings)[1]] = matched.information
        smooth = gaussian_filter1d(path, 1.5, axis=1, mode="nearest")
        sudden = np.exp(-np.arange(path.shape[1]) / 2.0)[:, None]  # what happens in the first steps is not smoothed
        smooth = (1 - sudden) * smooth + sudden * path
        points = smooth[..., list(self.domain)].reshape(-1, len(self.domain))
        lower, upper = points.min(axis=0), points.max(axis=0)
        width = np.maximum(upper - lower, 1e-3)
        cells = CELLS[len(self.domain)]
        spacing = width * (1 + 2 * BORDER) / cells
        grid = HermiteGrid(
            tuple((lower - BORDER * width).tolist()), tuple(spacing.tolist()), (cells + 1,) * len(self.domain)
        )
        dynamics = ReactionDynamics(
            grid, self.model, self.network, self.domain, self.dt, self.substeps, self.data.spread
        )
        drive = np.gradient(smooth, self.dt, axis=1) + dynamics.rates.relaxation * smooth
        size = dict(zip(dynamics.names, np.sqrt((drive**2).mean(axis=(0, 1))), strict=True))
        scale = np.array([max(size.get(name, 1.0), 1e-6) for name in dynamics.functions])
        span = spanning_functions(grid, points[:: -(-len(points) // POINTS)])
        return Learning(dynamics, span, scale, self.initial, path, smooth, self.data.runs * metric, self.threads)


@dataclass(frozen=True)
class Learning:
    """Learning of functions from matched paths; parameters as those of `Trajectories`, `smooth` the paths smoothed."""

    dynamics: ReactionDynamics
    span: np.ndarray
    scale: np.ndarray
    initial: np.ndarray
    paths: np.ndarray
    smooth: np.ndarray
    metric: np.ndarray
    threads: int

    def problem(self, length: int, some: np.ndarray | slice = slice(None)) -> Trajectories:
        """Whole trajectories of some initial conditions, or pieces of `length` steps from the smoothed paths."""
        paths, metric, starts = self.paths[some], self.metric[some], self.initial[some]
        if length < paths.shape[1] - 1:
            paths, metric = overlapping(paths, length), overlapping(metric, length)
            starts = np.ascontiguousarray(overlapping(self.smooth[some], length)[:, 0])
        every = max(1, paths.shape[0] * paths.shape[1] // RESIDUALS)
        every = min(every, length)
        return Trajectories(self.dynamics, self.span, self.scale, starts, paths, metric, every, self.threads)

    def learn(
        self, problem: Trajectories, start: np.ndarray, roughness: float, steps: int
    ) -> tuple[np.ndarray, tuple[float, ...], float]:
        """Minimise the action with the penalty: where it is, values after every step, norm of the last gradient."""

        def value(point: np.ndarray) -> float:
            return problem.value(point) + roughness / 2 * float(point @ point)

        def expand(point: np.ndarray) -> Expansion:
            found = problem.expand(point)
            curvature = found.curvature + roughness * np.eye(len(point))
            return Expansion(
                found.value + roughness / 2 * float(point @ point), found.gradient + roughness * point, curvature
            )

        minimum = minimise(value, expand, start, 1.0, steps, fraction=GAIN)
        gradient = np.linalg.norm(minimum.expansion.gradient)
        return minimum.point, minimum.history[1:] or minimum.history, float(gradient)


def matched_paths(model: EnergyModel, data: Ensemble, matched: Matched) -> tuple[np.ndarray, np.ndarray]:
    """Parameters (R, times, P) of the data and matched couplings, and the errors of the latter; others are zero."""
    own = len(model.parameters)
    first, second = np.triu_indices(len(model.species))
    path, error = np.zeros((2, *data.density.shape[:2], own + data.spread * len(first)))
    path[..., [model.parameters.index(name) for name in model.species]] = data.density
    if data.spread:
        path[..., own:] = data.covariance[..., first, second] / model.lattice.size
    path[..., couplings_of(model)], error[..., couplings_of(model)] = matched.couplings, matched.error
    return path, error


def symmetric_basis(size: int) -> np.ndarray:
    """Symmetric matrices whose upper triangle has a single one: (size (size + 1) / 2, size, size)."""
    first, second = np.triu_indices(size)
    basis = np.zeros((len(first), size, size))
    basis[range(len(first)), first, second] = basis[range(len(first)), second, first] = 1.0
    return basis


def spanning_functions(grid: HermiteGrid, points: np.ndarray) -> np.ndarray:
    """Orthonormal functions, in the energy, that matter most at `points` (n, d); coefficients (grid.size, functions).

    The energy is taken in grid units, so that it does not depend on the units of the parameters.
    """
    unit = HermiteGrid((0.0,) * grid.dimension, (1.0,) * grid.dimension, grid.shape)
    splines = grid.splines()
    energy = (unit.spline_roughness() + RIDGE * sparse.eye_array(splines.shape[1])).toarray()
    values = (grid.basis(points) @ splines).toarray()
    kernels = linalg.cho_solve(linalg.cho_factor(energy, overwrite_a=True), values.T)
    size, vectors = np.linalg.eigh(values @ kernels)
    kept = np.flatnonzero(size > 1e-8 * size[-1])[-FUNCTIONS:]
    return np.ascontiguousarray(splines @ (kernels @ (vectors[:, kept] / np.sqrt(size[kept]))))
