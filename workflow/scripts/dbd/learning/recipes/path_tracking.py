"""Learning recipe for models whose moments are sampled: static matching along time, then tracking of the matched paths.

Adjoint and sensitivities of a trajectory need moments that depend on the parameters smoothly and without noise. Sampled
ones do not, and where the model comes close to the ordered phases a trajectory that strays a little finds no way back.
So sampling and differential equations are kept apart. First every initial condition gets a smooth path of parameters
whose moments match the data (`dbd.learning.path_matching`). Then the right-hand sides are made to track these paths
(`dbd.learning.kernel_span`), a deterministic problem: short pieces of trajectories first, each from a point of the
path, then longer ones, and whole ones last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dbd.files.checkpoints import State
from dbd.learning.descent import Position
from dbd.learning.dynamics import Dynamics
from dbd.learning.kernel_span import Distance, SpanProblem, kernel_functions, tube
from dbd.learning.path_matching import PathMatch, smooth
from dbd.learning.pieces import overlapping
from dbd.learning.recipes.base import Recipe, run_phase
from dbd.numerics.threads import parallel

PIECES = (10, 15, 22, 33, 45, 66)  # time steps in the pieces of trajectories before whole ones
CLOSE = 0.01  # distance of a trajectory from its path, in every parameter, that counts as one
MOST_STEPS = (8, 25)  # optimisation steps on pieces of a length, and on whole trajectories
GAIN = 1e-2  # relative fall of the action at which the last of them is taken
POINTS = 700  # about the most points that carry kernels


@dataclass(frozen=True)
class PathTracking(Recipe):
    """Static matching along time, then tracking.

    A state's action is first the mean square difference of the moments, relative to their ranges, over initial
    conditions, times and observables, with the norm of the gradient of the matching objective; then the action of the
    distance from the paths, and of the misfit of the moments.

    Parameters
    ----------
    matches
        The static problem of each initial condition; their laws and lengths agree.
    dynamics
        The model's differential equations.
    iterations
        Steps of every path; the paths that are tracked are averages over the later half of them (stochastic
        approximation), smoothed in time.
    roughness
        Weight of the energy of the right-hand sides.
    generator_of
        Stream of a name and numbers.
    """

    matches: Sequence[PathMatch]
    dynamics: Dynamics
    iterations: int
    roughness: float
    generator_of: Callable[..., np.random.Generator]

    @property
    def threads(self) -> int:
        """Size of the thread pool."""
        return self.matches[0].threads

    def states(self, kept: State | None) -> Iterator[State]:
        """Yield the state after each step, from the beginning or after `kept`."""
        state = dict(kept) if kept is not None else self._begin()
        while len(state["action"]) < self.iterations:
            state = self._refine(state)
            yield state
        yield from self._track(state)

    def _begin(self) -> dict[str, np.ndarray]:
        """State before the first step: paths that were followed from time to time."""

        def follow(index: int) -> np.ndarray:
            return self.matches[index].follow(lambda *place: self.generator_of("follow", index, *place))

        paths = np.stack(parallel(follow, range(len(self.matches)), self.threads))
        return {
            "u": np.zeros((self.dynamics.parameters, self.dynamics.grid.size)),
            "action": np.empty(0),
            "gradient_norm": np.empty(0),
            "paths": paths,
            "total": np.zeros_like(paths),
        }

    def _refine(self, state: State) -> dict[str, np.ndarray]:
        """State after one more step of all paths."""
        turn = len(state["action"])
        steps = [
            match.step(path, lambda time, index=index: self.generator_of("refine", turn, index, time))
            for index, (match, path) in enumerate(zip(self.matches, state["paths"], strict=True))
        ]
        paths = np.stack([step.path for step in steps])
        return state | {
            "action": np.append(state["action"], np.mean([step.difference**2 for step in steps])),
            "gradient_norm": np.append(state["gradient_norm"], np.linalg.norm([step.gradient for step in steps])),
            "paths": paths,
            "total": state["total"] + (paths if turn >= self.iterations // 2 else 0.0),
        }

    def _track(self, state: State) -> Iterator[dict[str, np.ndarray]]:
        """Yield the states of tracking, from its beginning or from `state`."""
        averages = state["total"] / (self.iterations - self.iterations // 2)
        paths = np.stack([smooth(path) for path in averages])
        done, position, past = int(state.get("phase", 0)), None, (state["action"], state["gradient_norm"])
        if "splines" in state:
            position, past = Position.of_arrays(state)
        for phase, (problem, most) in list(enumerate(self._problems(paths)))[done:]:
            start = position or problem.collocation(paths)
            position, past = yield from run_phase(
                problem, start, past, most, GAIN, phase=np.array(phase), paths=state["paths"], total=state["total"]
            )
            position = Position(position.splines)

    def _problems(self, paths: np.ndarray) -> list[tuple[SpanProblem, int]]:
        """Problems that are solved one after the other, each with the most steps it takes."""
        last = paths.shape[1] - 1
        lengths = [length for length in PIECES if length < last] + [last]
        points, _ = tube(paths[..., list(self.dynamics.domain)].reshape(-1, len(self.dynamics.domain)))
        functions = kernel_functions(self.dynamics.grid, points[:: -(-len(points) // POINTS)])

        problems = []
        for length in lengths:
            pieces = overlapping(paths, length)
            problem = SpanProblem(
                self.dynamics,
                np.ascontiguousarray(pieces[:, 0]),
                Distance(pieces, CLOSE),
                length,
                self.roughness,
                self.threads,
                functions=functions,
            )
            problems.append((problem, MOST_STEPS[length == last]))
        return problems
