"""Static matching, then whole trajectories in the Fisher metric around the matched paths: ``matched_trajectories``.

Functions are sought in a span (`spanning_functions`), on a grid over the region of the matched paths, and go to zero
away from them: fluxes to those of independent sites, couplings to relaxation.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.linalg import solve
from scipy.ndimage import gaussian_filter1d
from threadpoolctl import threadpool_limits

from dbd.boltzmann.family import Family
from dbd.boltzmann.mean_composition import MeanComposition
from dbd.files.checkpoints import State
from dbd.kinetics.reactions import ReactionNetwork
from dbd.learning.exact_matching import match_exactly
from dbd.learning.pieces import overlapping
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.learning.recipes.base import Recipe
from dbd.learning.sampled_matching import Ensemble, Matched, match_paths
from dbd.learning.spanning_functions import spanning_splines
from dbd.learning.trajectories import Trajectories
from dbd.learning.uncertainty import drawn
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.levenberg_marquardt import Expansion, minimise
from dbd.numerics.threads import parallel

CELLS = {1: 16, 2: 12, 3: 8, 4: 5}  # of the grid along every axis, by the number of axes
BORDER = 0.1  # part of the range of the matched paths that the grid goes on for on either side
POINTS = 700  # about the most points that carry functions
PIECES = (4, 10, 30)  # time steps in the pieces of trajectories that learning begins with
STEPS = (6, 15)  # most optimisation steps on pieces, and on whole trajectories
GAIN = 2e-3  # relative fall of the action below which a step is the last
RESIDUALS = 1500  # about as many steps of all trajectories are looked at
CLUSTERS = 8  # of data, at least, that say how sure functions are
OF_RATES = 16  # functions of the span by which a right-hand side depends on a rate
WORSE = 2  # whole trajectories' phases in a row that are worse than the best before the others are not tried


@dataclass(frozen=True)
class MatchedTrajectories(Recipe):
    """Static matching, then learning of whole trajectories: see the module.

    Short pieces of trajectories that start on the matched paths come first, then whole ones with the first candidate of
    the roughness, then with the others, while some initial conditions are held out. The last phase learns from all, in
    the way that has left the least median action of the trajectories of those. If none are held out, all are learned
    from, down to the last candidate.

    Parameters
    ----------
    family
        The reduced model in its coordinates.
    network
        The reactions, by which densities change; None if all parameters are driven (natural parameters).
    data
        What is learned from, of R initial conditions.
    held_out
        Whether an initial condition is one of those that the roughness is chosen by, bool, (R,).
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
    constants
        Rates of all reactions for every initial condition, (R, reactions); by default those of the network.
    threads
        Size of the thread pool; results do not depend on it.
    """

    family: Family
    network: ReactionNetwork | None
    data: Ensemble
    held_out: np.ndarray
    initial: np.ndarray
    domain: tuple[int, ...]
    dt: float
    substeps: int
    roughness: Sequence[float]
    generator_of: Callable[..., np.random.Generator]
    threads: int = 1
    constants: np.ndarray | None = None

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after matching and after each phase of learning, from the beginning or after `kept`."""
        state = kept if kept is not None else self._matched()
        if kept is None:
            yield state
        learning = self.learning(Matched(*(state[name] for name in Matched._fields)))
        trials, held_out = self._trials(), self.held_out
        whole = self.data.density.shape[1] - 1
        pieces = sum(length < whole for length, _ in trials)
        while not state["finished"]:
            phase, scores, point, best = int(state["phase"]), state["scores"], state["point"], state["best"]
            tried = max(int(np.argmin([*scores, np.inf])), pieces)
            over = held_out.any() and (phase == len(trials) or phase > tried + WORSE)
            if over:
                point = best
            length, roughness = trials[int(np.argmin(scores)) if over else phase]
            problem = learning.problem(length, slice(None) if over else ~held_out)
            point, action, gradient = learning.learn(problem, point, roughness, STEPS[length == whole])
            if not over:
                score = np.median(learning.problem(whole, held_out).values(point)) if held_out.any() else 0.0
                scores = np.append(scores, score)
                best = point if score == scores.min() else best
            state = state | {
                "point": point,
                "roughness": np.array(roughness),
                "best": best,
                "scores": scores,
                "phase": np.array(phase + 1),
                "finished": np.array(over or (phase + 1 == len(trials) and not held_out.any())),
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

    def _matched(self) -> State:
        if isinstance(self.family, MeanComposition):
            matched = match_exactly(self.family, self.data)
        else:
            matched = match_paths(self.family, self.data, self.initial, self.generator_of, self.threads)
        learning = self.learning(matched)
        point = np.zeros(len(learning.free))
        return {
            **matched._asdict(),
            "point": point,
            "u": learning.problem(learning.paths.shape[1] - 1).coefficients(point),
            "roughness": np.array(self.roughness[0], float),
            "best": point,
            "scores": np.empty(0),
            "phase": np.array(0),
            "finished": np.array(False),
            "action": np.empty(0),
            "gradient_norm": np.empty(0),
        }

    def learning(self, matched: Matched) -> "Learning":
        """What follows from matched paths: smooth ones, metric, grid and span."""
        path, data = matched.theta.copy(), self.data
        path[:, 0] = self.initial
        metric = self.family.metric(data.density, data.covariance, matched.information)
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
        setting = self.family, self.network, self.domain, self.dt, self.substeps
        dynamics = ReactionDynamics(grid, *setting, self.reference)
        drive = np.gradient(smooth, self.dt, axis=1) + dynamics.rates.relaxation * smooth
        size = dict(zip(dynamics.names, np.sqrt((drive**2).mean(axis=(0, 1))), strict=True))
        scale = np.array([max(size.get(name, 1.0), 1e-6) for name in dynamics.functions])
        splines = spanning_splines(grid, points[:: -(-len(points) // POINTS)])
        compared = self.initial, path, smooth, data.runs * metric
        return Learning(dynamics, splines, scale, *compared, self.threads, self.constants)

    @property
    def reference(self) -> tuple[float, ...]:
        """Means of the rates that differ between initial conditions, not a number for others."""
        if self.constants is None:
            return ()
        return tuple(np.where(np.ptp(self.constants, axis=0) > 0, self.constants.mean(axis=0), np.nan).tolist())


@dataclass(frozen=True)
class Learning:
    """Learning of functions from matched paths; parameters as those of `Trajectories`.

    `splines` are the functions of its span as splines, (splines, M), and `smooth` the paths smoothed.
    """

    dynamics: ReactionDynamics
    splines: np.ndarray
    scale: np.ndarray
    initial: np.ndarray
    paths: np.ndarray
    smooth: np.ndarray
    metric: np.ndarray
    threads: int
    constants: np.ndarray | None = None

    @cached_property
    def free(self) -> np.ndarray:
        """Coefficients in the span that are learned, see `Trajectories.free`.

        On a rate depend the logarithm of its own flux and all drives, by the last and largest functions of the span.
        """
        fluxes, total, width = self.dynamics.fluxes, len(self.dynamics.functions), self.splines.shape[1]
        free = [np.arange(total * width)]
        for part, reaction in enumerate(self.dynamics.varied.tolist(), 1):
            for function in range(total):
                if function >= len(fluxes) or fluxes[function] == reaction:
                    last = (part * total + function + 1) * width
                    free.append(np.arange(last - min(OF_RATES, width), last))
        return np.concatenate(free)

    @cached_property
    def span(self) -> np.ndarray:
        """Coefficients of the elements of the span, (size, M)."""
        return np.ascontiguousarray(self.dynamics.grid.splines() @ self.splines)

    def problem(self, length: int, some: np.ndarray | slice = slice(None)) -> Trajectories:
        """Whole trajectories of some initial conditions, or pieces of `length` steps from the smoothed paths."""
        paths, metric, starts = self.paths[some], self.metric[some], self.initial[some]
        constants = None if self.constants is None else self.constants[some]
        if length < paths.shape[1] - 1:
            paths, metric = overlapping(paths, length), overlapping(metric, length)
            starts = np.ascontiguousarray(overlapping(self.smooth[some], length)[:, 0])
            if constants is not None:
                constants = np.repeat(constants, len(paths) // len(constants), axis=0)
        every = max(1, paths.shape[0] * paths.shape[1] // RESIDUALS)
        every = min(every, length)
        compared = starts, paths, metric, every, constants
        return Trajectories(self.dynamics, self.span, self.scale, *compared, self.free, self.threads)

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

    @threadpool_limits.wrap(limits=1)
    def draws(self, point: np.ndarray, roughness: float, generator: np.random.Generator) -> np.ndarray:
        """Functions that the data leave possible, in the span, (DRAWS, Q, M), around the minimum `point` of all data.

        Clusters of data are initial conditions. Where there are few, their trajectories are cut into pieces of
        consecutive times: errors that last for longer than these are then taken for smaller than they are.
        """
        problem = self.problem(self.paths.shape[1] - 1)
        states, residuals = problem.residuals(point)
        count, times, parameters = residuals.shape
        edges = np.linspace(0, times, min(-(-CLUSTERS // count), times) + 1).round().astype(int) * parameters
        penalty = roughness * np.eye(len(point))
        curvature = problem.expand(point).curvature + penalty

        def left_out(index: int) -> list[np.ndarray]:
            rows, missed = problem.rows(point, states, index), residuals[index].ravel()
            parts = [slice(*ends) for ends in pairwise(edges)]
            return [
                solve(curvature - rows[part].T @ rows[part], rows[part].T @ missed[part], assume_a="pos")
                for part in parts
            ]

        changes = np.concatenate(parallel(left_out, range(count), self.threads))
        found = drawn(point, curvature, changes, np.sqrt(penalty), generator)
        return self.scale[:, None] * found.reshape(len(found), len(self.scale), -1)
