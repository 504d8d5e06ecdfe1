"""Entropic matching on a chain: the reactions alone drive a Boltzmann distribution, and nothing is learned.

The master equation is projected onto the tangent space of the exponential family of some statistics phi, words of
neighbouring sites (Bronstein and Koeppl 2018, J. Phys. A 51, 394001; Ramalho et al. 2013, Phys. Rev. E 87, 022719):

    d theta / dt = G(theta)^-1 E_theta[L phi],        G = d <phi> / d theta

L is the generator: its action on the statistics is the moment hierarchy (`dbd.kinetics.moment_hierarchy`), expected
values are exact on a chain without ends, by its transfer matrix. Words of up to two sites give the pair approximation.
Second products that find no room are tried again as in `dbd.kinetics.closures`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.integrate import solve_ivp

from dbd.kinetics.moment_hierarchy import EventGroup, Pattern, drift, event_groups
from dbd.kinetics.reactions import ReactionNetwork, drawn_reactants

STEP = 1e-4  # of the differences that give the Fisher matrix
RIDGE = 1e-7  # added to its diagonal: where a statistic no longer varies its parameter stays
_TINY = 1e-300  # stands for zero in a denominator
_ACCURACY = 1e-5  # of integrated parameters, relative and absolute

Word = tuple[int, ...]
"""Occupancies of neighbouring sites, read in either direction."""


@dataclass(frozen=True)
class ChainMatching:
    """Entropic matching of a network on a chain without ends.

    Parameters
    ----------
    network
        The reactions.
    dt
        Time step: every molecule has a turn in each.
    words
        The statistics, K of them: words of molecules.
    """

    network: ReactionNetwork
    dt: float
    words: tuple[Word, ...]

    def probabilities(self, theta: np.ndarray) -> np.ndarray:
        """Probability of all states of `sites` neighbours at parameters (R, K); (R, states), last site fastest."""
        length, states, points = self._length, len(self.network.species) + 1, len(theta)
        exponent = theta @ self._counted.T
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        window = np.arange(states**length)  # from the states of length - 1 sites to those one site on
        transfer = np.zeros((points, states ** (length - 1), states ** (length - 1)))
        transfer[:, window // states, window % states ** (length - 1)] = weight
        right, chance = _leading(transfer), _leading(np.swapaxes(transfer, 1, 2))
        for _ in range(length - 1, self.sites):
            chance = chance.reshape(points, -1, states ** (length - 1), 1) * weight.reshape(points, 1, -1, states)
        chance = chance.reshape(points, -1, states ** (length - 1)) * right[:, None]
        chance = chance.reshape(points, -1)
        return chance / chance.sum(axis=1, keepdims=True)

    def moments(self, theta: np.ndarray, words: Sequence[Word]) -> np.ndarray:
        """Chance that words, or these read backwards, begin at a site; (R, word). They have at most `sites` letters."""
        chance = self.probabilities(theta).reshape(len(theta), *(len(self.network.species) + 1,) * self.sites)
        columns = []
        for word in words:
            of_word = [chance[:, *one].reshape(len(theta), -1).sum(axis=1) for one in {word, word[::-1]}]
            columns.append(sum(of_word))
        return np.stack(columns, axis=1)

    def slope(self, theta: np.ndarray) -> np.ndarray:
        """Return d theta / dt at parameters (R, K)."""
        chance = self.probabilities(theta)
        change = np.zeros(theta.shape)
        for slope, room, reactant in self._groups:
            tries = np.ones(len(theta))
            if room is not None:
                empty = np.clip(chance @ room / np.maximum(chance @ reactant, _TINY), 0.0, 1.0)
                tries = drawn_reactants(empty)
            change += tries[:, None] * (chance @ slope.T)
        steps = STEP * np.concatenate([np.eye(theta.shape[1]), -np.eye(theta.shape[1])])
        moments = self.moments((theta + steps[:, None]).reshape(-1, theta.shape[1]), self.words)
        after, before = moments.reshape(2, theta.shape[1], *theta.shape)
        fisher = np.moveaxis(after - before, 0, 1) / (2 * STEP)
        fisher = (fisher + np.swapaxes(fisher, 1, 2)) / 2 + RIDGE * np.eye(theta.shape[1])
        return np.linalg.solve(fisher, change[..., None])[..., 0]

    def integrate(self, initial: np.ndarray, steps: int) -> np.ndarray:
        """Parameters at steps 0 to `steps`, from those of initial conditions (R, K): (R, time, K)."""
        times, band = self.dt * np.arange(steps + 1), initial.shape[1] - 1  # conditions do not know of each other
        options = dict(t_eval=times, method="LSODA", rtol=_ACCURACY, atol=_ACCURACY, lband=band, uband=band)

        def slope(_: float, state: np.ndarray) -> np.ndarray:
            return self.slope(state.reshape(initial.shape)).ravel()

        path = solve_ivp(slope, (0.0, times[-1]), initial.ravel(), **options).y
        return np.moveaxis(path.reshape(*initial.shape, -1), 2, 1)

    @cached_property
    def _length(self) -> int:
        """Sites of the longest interaction, at least two."""
        return max(2, *map(len, self.words))

    @cached_property
    def _counted(self) -> np.ndarray:
        """Which statistics the last site of a window completes, (states of the window, K)."""
        states = np.indices((len(self.network.species) + 1,) * self._length).reshape(self._length, -1).T
        tails = [(states[:, -len(word) :], np.array(word)) for word in self.words]
        return np.stack(
            [(tail == word).all(axis=1) | (tail == word[::-1]).all(axis=1) for tail, word in tails], axis=1
        ).astype(float)

    @cached_property
    def _slopes(self) -> list[tuple[EventGroup, list[dict[Pattern, float]]]]:
        """Groups of events, with the patterns in the change of every statistic by them."""
        found = []
        for group in event_groups(self.network, 1, self.dt):
            rows = []
            for word in self.words:
                total: dict[Pattern, float] = {}
                for read in {word, word[::-1]}:
                    window = {(place,): occupancy for place, occupancy in enumerate(read)}
                    for pattern, rate in drift(group.events, window).items():
                        total[pattern] = total.get(pattern, 0.0) + rate
                rows.append(total)
            found.append((group, rows))
        return found

    @cached_property
    def sites(self) -> int:
        """Sites that the patterns reach over."""
        patterns = [pattern for group, rows in self._slopes for one in (*rows, dict(group.room)) for pattern in one]
        return max([self._length, 4] + [pattern[-1][0][0] - pattern[0][0][0] + 1 for pattern in patterns])

    @cached_property
    def _groups(self) -> list[tuple[np.ndarray, np.ndarray | None, np.ndarray]]:
        """Coefficients of the states of `sites` sites: of changes (K, states), room and reactant (states,)."""
        states = np.indices((len(self.network.species) + 1,) * self.sites).reshape(self.sites, -1)

        def dense(patterns: Iterable[tuple[Pattern, float]]) -> np.ndarray:
            total = np.zeros(states.shape[1])
            for pattern, rate in patterns:
                held = np.all([states[site[0] - pattern[0][0][0]] == occupancy for site, occupancy in pattern], axis=0)
                total += rate * held
            return total

        return [
            (
                np.stack([dense(row.items()) for row in rows]),
                dense(group.room) if group.room else None,
                (states[0] == group.reactant) * 1.0,
            )
            for group, rows in self._slopes
        ]


def _leading(matrix: np.ndarray) -> np.ndarray:
    """Eigenvectors of the largest eigenvalue of non-negative matrices (R, n, n); positive, (R, n)."""
    values, vectors = np.linalg.eig(matrix)
    largest = np.argmax(values.real, axis=1)
    return np.abs(np.take_along_axis(vectors, largest[:, None, None], axis=2)[..., 0].real)
