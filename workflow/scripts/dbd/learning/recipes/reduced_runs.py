"""Functions of reduced runs from simulated runs: recipe ``reduced_runs``.

Numbers of molecules, pairs and events of all runs are known. Given the numbers of a run, the correlations of neighbours
follow from the drives F_k; and given these, the factors exp(g_r) are all that is unknown of the mean events. Drives and
factors minimise the deviance of pairs and of events, as if these were Poisson numbers,

    sum over runs and steps of  m - y + y ln(y / m)  +  roughness / 2 |coefficients|^2,

the Kullback-Leibler divergence of Poisson laws: maximum likelihood for g_r, whatever the variance, and a filter for F_k
(derivatives of correlations along a run are exact but for what drives of other pairs in the domain would change).
Pairs in the domain come first, then the others, then reactions. The mean squared residual is the variance of events.

The span of the functions is that of recipe ``matched_trajectories``, so that they go to zero where there are no data:
events to those of molecules that meet as their pairs say, correlations to decay. The roughness is the candidate with
the least deviance in runs that are left out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dbd.boltzmann.energy import EnergyModel
from dbd.files.checkpoints import State
from dbd.kinetics.reactions import ReactionNetwork
from dbd.learning.functions_along_runs import slopes_along, values_along
from dbd.learning.reaction_dynamics import RELAXATION
from dbd.learning.recipes.base import Recipe
from dbd.learning.reduced_runs import Learned, ReducedRuns
from dbd.learning.spanning_functions import spanning_functions
from dbd.numerics.hermite import HermiteGrid
from dbd.numerics.levenberg_marquardt import Expansion, minimise

CELLS = {1: 16, 2: 12, 3: 6, 4: 4}  # of the grid along every axis, by the number of axes
BORDER = 0.15  # part of the range of the data that the grid goes on for on either side
FUNCTIONS = 80  # most functions of the span
POINTS = 600  # of the data that span the functions
ROWS = 90_000  # about the most steps of runs that are learned from
LEFT_OUT = 4  # every fourth run is left out
MEMORY = 0.8  # of the running means that say where correlations are, before they are learned
PSEUDO = 5.0  # pairs that are added to these
RIDGE = 1.0  # of coefficients in the regression that gives the first drives
STEPS = 25  # most optimisation steps for a function
GAIN = 1e-5  # relative fall of the deviance below which a step is the last
LARGEST = 0.98  # part of a correlation that is left after a step, at most
LEAST = 0.05  # ratio of the variance of events and their mean
FEWEST = 0.01  # pairs or events below which nothing is to be learned from a step


class Runs(NamedTuple):
    """Simulated runs: all that is known of them."""

    numbers: np.ndarray  # int (runs, times, S)
    pairs: np.ndarray  # int (runs, times, K)
    events: np.ndarray  # int (runs, times - 1, R)

    def some(self, index: np.ndarray) -> "Runs":
        """The runs of some indices."""
        return Runs(*(array[index] for array in self))


@dataclass(frozen=True)
class ReducedRunsRecipe(Recipe):
    """Learning of reduced runs: see the module.

    Parameters
    ----------
    model, network
        The species and pairs of the reduced model, and the reactions.
    data
        Simulated runs, of all initial conditions.
    domain
        Indices of the parameters that the functions depend on, at most four.
    dt
        Length of a step.
    roughness
        Candidates of the weight of the energy.
    generator
        Stream that chooses the points that span the functions.
    """

    model: EnergyModel
    network: ReactionNetwork
    data: Runs
    domain: tuple[int, ...]
    dt: float
    roughness: Sequence[float]
    generator: np.random.Generator

    @cached_property
    def parts(self) -> tuple[Runs, Runs]:
        """Runs that are learned from, and those that are left out."""
        runs, times = self.data.numbers.shape[:2]
        every = max(1, runs * times // ROWS)
        left_out = np.arange(runs) % LEFT_OUT == LEFT_OUT - 1
        return self.data.some(np.flatnonzero(~left_out)[::every]), self.data.some(np.flatnonzero(left_out)[::every])

    @cached_property
    def reduced(self) -> ReducedRuns:
        """The reduced model, on a grid over the data."""
        points = self._points
        lower, upper = points.min(axis=0), points.max(axis=0)
        width, cells = np.maximum(upper - lower, 1e-3), CELLS[len(self.domain)]
        corner, spacing = lower - BORDER * width, width * (1 + 2 * BORDER) / cells
        grid = HermiteGrid(tuple(corner.tolist()), tuple(spacing.tolist()), (cells + 1,) * len(self.domain))
        return ReducedRuns(grid, self.model, self.network, self.domain, self.dt)

    @cached_property
    def _guess(self) -> np.ndarray:
        """Correlations of the runs that are learned from, by running means of pairs, (runs, times, K)."""
        unit = HermiteGrid((0.0,), (1.0,), (2,))
        numbers, pairs, _ = self.parts[0]
        independent = ReducedRuns(unit, self.model, self.network, (0,), self.dt).independent(numbers)
        known = np.stack([pairs + PSEUDO, independent + PSEUDO])
        for n in range(1, known.shape[2]):
            known[:, :, n] = MEMORY * known[:, :, n - 1] + (1 - MEMORY) * known[:, :, n]
        return np.log(known[0] / known[1])

    @cached_property
    def _points(self) -> np.ndarray:
        """About where these runs are in the domain, (n, d)."""
        numbers, names = self.parts[0].numbers / self.model.lattice.size, self.model.parameters
        values = {name: numbers[..., a] for a, name in enumerate(self.model.species)}
        values |= {name: self._guess[..., k] for k, name in enumerate(name for name in names if len(name) == 2)}
        return np.stack([values[names[place]].ravel() for place in self.domain], axis=-1)

    @cached_property
    def span(self) -> np.ndarray:
        """Coefficients of the elements of M functions, (size, M)."""
        points = self._points
        chosen = self.generator.choice(len(points), min(POINTS, len(points)), replace=False)
        return np.ascontiguousarray(spanning_functions(self.reduced.grid, points[chosen])[:, -FUNCTIONS:])

    @cached_property
    def groups(self) -> list[list[int]]:
        """Functions that are learned together: each pair in the domain, the other pairs, the reactions."""
        tables = self.reduced.reactions
        reactions = len(tables.change)
        pairs = {reactions + k: int(place) in self.domain for k, place in enumerate(tables.couplings)}
        inside, others = ([k for k in pairs if pairs[k] == wanted] for wanted in (True, False))
        return [*([k] for k in inside), *([others] if others else []), list(range(reactions))]

    def learned(self, state: State) -> Learned:
        """What a state holds of the reduced model."""
        return self._at(state["point"], state["ratio"])

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after each group of functions, from the beginning or after `kept`.

        Candidates of the roughness follow each other; each goes on from the one before.
        """
        state = kept if kept is not None else self._start()
        phases = len(self.groups) * len(self.roughness)
        while int(state["phase"]) < phases:
            candidate, turn = divmod(int(state["phase"]), len(self.groups))
            state = self._group(state, self.groups[turn], self.roughness[candidate])
            if turn == len(self.groups) - 1:
                state = self._compared(state, self.roughness[candidate])
                if candidate == len(self.roughness) - 1:
                    state = self._finished(state)
            yield state

    def _start(self) -> State:
        tables, functions = self.reduced.reactions, len(self.reduced.functions)
        point = np.zeros((functions, self.span.shape[1] + 1))
        point[len(tables.change) :, -1] = 1 - RELAXATION
        drive = self._guess[:, 1:] - (1 - RELAXATION) * self._guess[:, :-1]
        design = self._design(self.parts[0], self._guess)[:, :-1].reshape(-1, self.span.shape[1])
        curvature = design.T @ design + RIDGE * np.eye(len(self.span.T))
        point[len(tables.change) :, :-1] = np.linalg.solve(curvature, design.T @ drive.reshape(len(design), -1)).T
        return {
            "point": point,
            "ratio": np.ones(len(tables.change)),
            "roughness": np.array(self.roughness[0], float),
            "best": point,
            "scores": np.empty(0),
            "phase": np.array(0),
            "action": np.empty(0),
            "gradient_norm": np.empty(0),
        }

    def _group(self, state: State, functions: Sequence[int], roughness: float) -> State:
        """The state after functions of a group are learned, one after the other."""
        point = state["point"].copy()
        data, reactions, action, gradient = self.parts[0], len(self.network.reactions), [], []
        correlations = self.reduced.follow(self._at(point), data.numbers)
        design = self._design(data, correlations)
        for function in functions:
            if function < reactions:
                problem = _Events(self, data, correlations, design, function, roughness)
                start = point[function, :-1]
            else:
                problem = _Drive(self, data, design, point, function - reactions, roughness)
                start = point[function]
            minimum = minimise(problem.value, problem.expand, start, 1.0, STEPS, fraction=GAIN)
            point[function, : len(start)] = minimum.point
            action.append(minimum.expansion.value)
            gradient.append(np.linalg.norm(minimum.expansion.gradient))
        return {
            **state,
            "point": point,
            "phase": state["phase"] + 1,
            "action": np.append(state["action"], action),
            "gradient_norm": np.append(state["gradient_norm"], gradient),
        }

    def _compared(self, state: State, roughness: float) -> State:
        """The state with the deviance of the runs that are left out, and the best one so far."""
        data, learned = self.parts[1], self._at(state["point"])
        correlations, mean = self._means(learned, data)
        pairs = self.reduced.independent(data.numbers) * np.exp(correlations)
        score = deviance(pairs, data.pairs).sum() + deviance(mean, data.events).sum()
        state = {**state, "scores": np.append(state["scores"], score)}
        if score == state["scores"].min():
            state |= {"best": state["point"], "roughness": np.array(roughness)}
        return state

    def _finished(self, state: State) -> State:
        """The best state, with the variance of events around their means."""
        _, mean = self._means(self._at(state["best"]), self.data)
        square, total = ((self.data.events - mean) ** 2).sum(axis=(0, 1)), mean.sum(axis=(0, 1))
        ratio = np.where(total > 1, np.maximum(square / np.maximum(total, 1), LEAST), 1.0)
        return {**state, "point": state["best"], "ratio": ratio}

    def _at(self, point: np.ndarray, ratio: np.ndarray | None = None) -> Learned:
        reactions = len(self.network.reactions)
        keep, ratio = point[reactions:, -1].copy(), np.ones(reactions) if ratio is None else ratio
        return Learned(np.ascontiguousarray(point[:, :-1] @ self.span.T), keep, ratio)

    def _means(self, learned: Learned, data: Runs) -> tuple[np.ndarray, np.ndarray]:
        """Correlations of runs and mean events of their steps."""
        correlations = self.reduced.follow(learned, data.numbers)
        before, numbers = correlations[:, :-1], data.numbers[:, :-1]
        u = np.ascontiguousarray(learned.u[: len(self.network.reactions)].T)
        factors = np.exp(self._along(u, numbers, before))
        return correlations, self.reduced.meetings(numbers, before, data.events) * factors

    def _design(self, data: Runs, correlations: np.ndarray) -> np.ndarray:
        """Values of the functions of the span along runs, (runs, times, M)."""
        return self._along(self.span, data.numbers, correlations)

    def _along(self, coefficients: np.ndarray, numbers: np.ndarray, correlations: np.ndarray) -> np.ndarray:
        """Values of functions with coefficients (size, M) along runs, (runs, times, M)."""
        values = np.empty((*correlations.shape[:2], coefficients.shape[1]))
        values_along(*self.reduced.arguments, coefficients, numbers.astype(float), correlations, values)
        return values


def deviance(mean: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Half the deviance of counts from Poisson laws, element by element; zero where the mean is next to nothing."""
    known = mean > FEWEST
    mean, counts = np.where(known, mean, 1.0), np.where(known, counts, 1.0)
    return mean - counts + counts * np.log(np.where(counts > 0, counts, 1.0) / mean)


@dataclass
class _Events:
    """Deviance of the events of a reaction, as a function of its factor."""

    recipe: ReducedRunsRecipe
    data: Runs
    correlations: np.ndarray
    design: np.ndarray
    reaction: int
    roughness: float

    def __post_init__(self):
        meetings = self.recipe.reduced.meetings(self.data.numbers[:, :-1], self.correlations[:, :-1], self.data.events)
        meeting = meetings[..., self.reaction].ravel()
        self.known = meeting > FEWEST
        self.offset, self.counts = meeting[self.known], self.data.events[..., self.reaction].ravel()[self.known]
        self.rows = self.design[:, :-1].reshape(-1, self.design.shape[2])[self.known]

    def value(self, point: np.ndarray) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            found = deviance(self.offset * np.exp(self.rows @ point), self.counts)
        return float(found.sum() + self.roughness / 2 * point @ point)

    def expand(self, point: np.ndarray) -> Expansion:
        mean = self.offset * np.exp(self.rows @ point)
        gradient = self.rows.T @ (mean - self.counts) + self.roughness * point
        curvature = (self.rows * mean[:, None]).T @ self.rows + self.roughness * np.eye(len(point))
        return Expansion(self.value(point), gradient, curvature)


@dataclass
class _Drive:
    """Deviance of the numbers of a pair, as a function of its drive and of what is left of it after a step."""

    recipe: ReducedRunsRecipe
    data: Runs
    design: np.ndarray
    points: np.ndarray
    pair: int
    roughness: float

    def __post_init__(self):
        reduced = self.recipe.reduced
        self.function = len(self.recipe.network.reactions) + self.pair
        place = int(reduced.reactions.couplings[self.pair])
        self.axis = self.recipe.domain.index(place) if place in self.recipe.domain else -1
        self.independent = reduced.independent(self.data.numbers[:, 1:])[..., self.pair]
        self.counts = self.data.pairs[:, 1:, self.pair]
        self.weight = np.append(np.full(self.design.shape[2], self.roughness), 0.0)

    def value(self, point: np.ndarray) -> float:
        if not 0 <= point[-1] <= LARGEST:
            return np.inf
        with np.errstate(over="ignore", invalid="ignore"):
            mean = self.independent * np.exp(self._correlations(point)[:, 1:, self.pair])
            return float(deviance(mean, self.counts).sum() + self.weight @ point**2 / 2)

    def expand(self, point: np.ndarray) -> Expansion:
        correlations = self._correlations(point)
        own, reduced = correlations[..., self.pair], self.recipe.reduced
        design, slope = self.design, np.zeros(own.shape)
        if self.axis >= 0:
            design = self.recipe._design(self.data, correlations)
            u = self.recipe.span @ point[:-1]
            slopes_along(*reduced.arguments, u, self.axis, self.data.numbers.astype(float), correlations, slope)
        rows = np.zeros((*own.shape, len(point)))
        for n in range(1, own.shape[1]):
            rows[:, n, :-1], rows[:, n, -1] = design[:, n - 1], own[:, n - 1]
            rows[:, n] += (point[-1] + slope[:, n - 1, None]) * rows[:, n - 1]
        mean = self.independent * np.exp(own[:, 1:])
        known = mean > FEWEST
        rows, mean, counts = rows[:, 1:][known], mean[known], self.counts[known]
        gradient = rows.T @ (mean - counts) + self.weight * point
        curvature = (rows * mean[:, None]).T @ rows + np.diag(self.weight)
        if self.axis >= 0:  # what is left after a step is then part of the drive
            gradient[-1], curvature[-1], curvature[:, -1], curvature[-1, -1] = 0.0, 0.0, 0.0, 1.0
        return Expansion(self.value(point), gradient, curvature)

    def _correlations(self, point: np.ndarray) -> np.ndarray:
        points = self.points.copy()
        points[self.function] = point
        return self.recipe.reduced.follow(self.recipe._at(points), self.data.numbers)
