"""Which statistics a Boltzmann distribution needs: proposed one after the other by the score test.

At a point, an initial condition and a time, let the law with the statistics so far be matched to R runs. A candidate c,
of one or more columns, differs from the data by d, and its covariance that the statistics o of the law do not explain
is S, the residual Fisher matrix:

    d = (<c>_data - <c>) - B (<o>_data - <o>),      S = Cov(c) - B Cov(o, c),      B = Cov(c, o) Cov(o)^-1

With c in the law the Kullback-Leibler divergence of a run falls by d^T S^-1 d / 2, to second order, and R d^T S^-1 d is
chi-square if c is not needed (Rao's score test). B also takes out what static matching has left to do. Every run is
looked at once, at one time, so the points are independent and their chi-squares add up.

Numbers of molecules are free at first, each species with its bias. The products of the numbers are one candidate: once
they are in the law it may have any law of the numbers, and all else is looked at given the numbers of each run.

A statistic is taken if its p value, times the number of candidates, is small, and if it gains at points that are held
out. Their runs are halved, one half says where c goes and the other what this gains: d1^T S^-1 d2 / 2, which is zero on
average if c is not needed. One that is not needed any more with later ones (Wald test) is dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations_with_replacement, count

import numpy as np
from scipy.stats import chi2

from dbd.boltzmann.patterns import Pattern, PatternModel, all_patterns
from dbd.lattice.geometry import Lattice
from dbd.numerics.threads import parallel

NUMBERS = Pattern("products of the numbers")
LEVEL = 0.01  # largest p value, after the number of candidates, of a statistic that is taken
MOST = 8  # statistics that are taken
CHAINS = 64  # at least, at a point: a multiple of the runs
STEPS = 5  # Newton steps of static matching, at least
MOST_STEPS = 60
SWEEPS = 5  # before each step and each count
REACH = 2.0  # largest step in the Fisher metric of a run: beyond it the law is not what its covariances say
LONGEST = 0.5  # largest change of a parameter in one step
COUNTS = 8  # of all chains, after matching
PRIOR = 0.5  # precision of the prior of a parameter, zero on average, for a run
AGAIN = 1000  # more than the number of any round
FEWEST = 5.0  # variance of the total of a candidate over all runs below which chi-square is no good (Cochran's rule)


@dataclass
class Point:
    """Runs of one initial condition at one time: occupancies (R, sites), R even; and where its law stands."""

    lattices: np.ndarray
    held_out: bool = False
    theta: dict[Pattern, float] = field(default_factory=dict)
    chains: np.ndarray | None = None  # states, (copies * R, sites + 1)


@dataclass(frozen=True)
class Score:
    """A law at a point: differences of all candidates' columns, with (2, columns) for the halves of the runs."""

    theta: np.ndarray  # of the statistics, (K,)
    information: np.ndarray  # (K, K), of a run
    difference: np.ndarray  # (2, columns)
    residual: np.ndarray  # S, (columns, columns)
    variance: float  # of d, in units of S: by runs and by sampling
    runs: int


@dataclass(frozen=True)
class Proposal:
    """One row of the result."""

    statistic: Pattern
    gain: float  # nats for a run, its average if the statistic is not needed taken off
    chi_square: float
    degrees: int
    p_value: float  # after the number of candidates looked at
    held_out_gain: float  # nats for a run
    chosen: bool


@dataclass
class Search:
    """Proposes statistics.

    Parameters
    ----------
    lattice, species
        Of the runs.
    points
        Some of them held out; their laws change.
    generator_of
        Stream of a round and a point.
    threads
        Size of the thread pool; results do not depend on it.
    """

    lattice: Lattice
    species: tuple[str, ...]
    points: Sequence[Point]
    generator_of: Callable[[int, int], np.random.Generator]
    threads: int = 1

    def __post_init__(self):
        self.singles = [Pattern(letter) for letter in self.species]
        self.everything = PatternModel(
            self.lattice, self.species, (*self.singles, *all_patterns(self.lattice, self.species))
        )
        self.patterns = self.everything.patterns[len(self.species) :]

    def proposals(self) -> list[Proposal]:
        """Statistics in the order in which they were taken, then the best of those that are left."""
        taken: list[Proposal] = []
        dropped: set[Pattern] = set()
        for number in count():
            chosen = [row.statistic for row in taken if row.chosen]
            scores = self._scores(chosen, number)
            if (unneeded := self._unneeded(chosen, scores)) is not None:
                dropped.add(unneeded)
                taken = [row for row in taken if row.statistic != unneeded]
                continue
            rows = self._rows(chosen, scores, dropped)
            best = max((row for row in rows if row.chosen), key=lambda row: row.gain, default=None)
            if len(chosen) < MOST and best is not None:
                taken.append(best)
            elif NUMBERS in chosen and len(chosen) > 1 and not self._any_law_needed(chosen, number):
                dropped.add(NUMBERS)
                taken = [row for row in taken if row.statistic != NUMBERS]
            else:
                break
        left = sorted(rows, key=lambda row: -row.gain)
        return taken + [replace(row, chosen=False) for row in left[:5]]

    def _scores(self, chosen: list[Pattern], number: int) -> list[Score]:
        return parallel(lambda k: self._score(chosen, number, k), range(len(self.points)), self.threads)

    def _any_law_needed(self, chosen: list[Pattern], number: int) -> bool:
        """Whether numbers of molecules still need a law of their own with all else that is chosen."""
        rest = [one for one in chosen if one != NUMBERS]
        rows = self._rows(rest, self._scores(rest, number + AGAIN), {*self.patterns})
        return any(row.chosen for row in rows)

    def _columns(self, candidate: Pattern) -> list[int]:
        """Columns of a candidate among those of all patterns and then of products of numbers."""
        if candidate == NUMBERS:
            first = len(self.everything.patterns)
            return list(range(first, first + len(self.species) * (len(self.species) + 1) // 2))
        return [self.everything.patterns.index(candidate)]

    def _count(self, states: np.ndarray) -> np.ndarray:
        counts = self.everything.count(states)
        pairs = combinations_with_replacement(range(len(self.species)), 2)
        return np.concatenate([counts, np.stack([counts[:, a] * counts[:, b] for a, b in pairs], axis=1)], axis=1)

    def _score(self, chosen: list[Pattern], number: int, index: int) -> Score:
        """Match the law of the chosen statistics at a point, and compare all candidates."""
        point, generator = self.points[index], self.generator_of(number, index)
        fixed = NUMBERS in chosen
        patterns = tuple(([] if fixed else self.singles) + [one for one in chosen if one != NUMBERS])
        model = PatternModel(self.lattice, self.species, patterns)
        own = [self.everything.patterns.index(pattern) for pattern in patterns]
        runs, copies = len(point.lattices), max(2, -(-CHAINS // len(point.lattices)))
        data = np.pad(point.lattices, [(0, 0), (0, 1)])
        if point.chains is None or (fixed and chosen[-1] == NUMBERS):
            point.chains = np.tile(data, (copies, 1))
        seen, total = self._count(data), np.zeros((len(own), len(own)))
        density = (seen[:, : len(self.species)].mean(axis=0) + 0.5) / (self.lattice.size + 1)
        biases = dict(zip(self.singles, np.log(density / max(1 - density.sum(), 1e-3)), strict=True))
        theta = np.array([point.theta.get(pattern, biases.get(pattern, 0.0)) for pattern in patterns])
        prior = PRIOR / runs * np.eye(len(own))
        for step in range(MOST_STEPS if own else 0):
            model.advance(theta, point.chains, SWEEPS, fixed, generator)
            counts = model.count(point.chains).reshape(1, copies, runs, -1)
            total = (total + _covariance(counts, fixed)) / 2
            information = total / (1 - 0.5 ** (step + 1)) + prior
            wanted = seen[:, own].mean(axis=0) - counts.mean(axis=(0, 1, 2)) - prior @ theta
            change = np.linalg.solve(information, wanted)
            if step >= STEPS and wanted @ change * len(point.chains) < 2 * len(own) + 2:  # no more than chance
                break
            length = max(np.sqrt(change @ information @ change) / REACH, np.abs(change).max() / LONGEST, 1.0)
            theta = theta + change / length
        point.theta = dict(zip(patterns, theta.tolist(), strict=True))
        counts = []
        for _ in range(COUNTS):
            model.advance(theta, point.chains, SWEEPS, fixed, generator)
            counts.append(self._count(point.chains).reshape(copies, runs, -1))
        counts = np.stack(counts)
        covariance = _covariance(counts, fixed)
        expected = counts.mean(axis=(0, 1)) if fixed else counts.mean(axis=(0, 1, 2))
        information = covariance[np.ix_(own, own)]
        back = np.linalg.solve(information + prior, covariance[own]).T if own else np.zeros((len(covariance), 0))
        difference = seen - expected
        difference = difference - difference[:, own] @ back.T
        halves = np.stack([difference[::2].mean(axis=0), difference[1::2].mean(axis=0)])
        residual = covariance - back @ covariance[own]
        return Score(theta, information, halves, residual, 1 / runs + 1 / counts[..., 0].size, runs)

    def _rows(self, chosen: list[Pattern], scores: list[Score], dropped: set[Pattern]) -> list[Proposal]:
        """All candidates that are not in the law."""
        left = [one for one in (NUMBERS, *self.patterns) if one not in dropped and one not in chosen]
        rows = []
        for candidate in left:
            columns = self._columns(candidate)
            degrees, gain, chi_square, held_out = 0, [], 0.0, []
            for point, score in zip(self.points, scores, strict=True):
                residual = score.residual[np.ix_(columns, columns)]
                if not (np.diagonal(residual) * score.runs >= FEWEST).all():
                    (held_out if point.held_out else gain).append(0.0)
                    continue
                inverse = np.linalg.pinv(residual, rcond=1e-9, hermitian=True)
                one, other = score.difference[:, columns]
                whole = (one + other) / 2
                if point.held_out:
                    held_out.append(one @ inverse @ other / 2)
                    continue
                square, rank = whole @ inverse @ whole, np.linalg.matrix_rank(inverse, hermitian=True)
                gain.append((square - rank * score.variance) / 2)
                chi_square, degrees = chi_square + square / score.variance, degrees + int(rank)
            if degrees:
                p_value = min(1.0, len(left) * chi2.sf(chi_square, degrees))
                taken = bool(p_value < LEVEL and np.mean(held_out) > 0)
                mean = float(np.mean(gain)), float(np.mean(held_out))
                rows.append(Proposal(candidate, mean[0], float(chi_square), degrees, p_value, mean[1], taken))
        return rows

    def _unneeded(self, chosen: list[Pattern], scores: list[Score]) -> Pattern | None:
        """The statistic in the law that is needed least, if its parameters may be zero at all points."""
        patterns = [one for one in chosen if one != NUMBERS]
        if len(patterns) < 2:
            return None
        squares = np.zeros(len(patterns))
        used = [score for point, score in zip(self.points, scores, strict=True) if not point.held_out]
        for score in used:
            prior = PRIOR / score.runs * np.eye(len(score.theta))
            error = np.diagonal(np.linalg.inv(score.information + prior)) * score.variance
            squares += (score.theta**2 / error)[-len(patterns) :]
        least = int(np.argmin(squares))
        return patterns[least] if chi2.sf(squares[least], len(used)) > LEVEL else None


def _covariance(counts: np.ndarray, fixed: bool) -> np.ndarray:
    """Covariance of counts (times, copies, runs, K); for fixed numbers that of the copies of each run."""
    axes = (0, 1) if fixed else (0, 1, 2)
    centred = (counts - counts.mean(axis=axes, keepdims=True)).reshape(-1, counts.shape[-1])
    free = len(centred) - (counts.shape[2] if fixed else 1)
    return centred.T @ centred / free
