"""The misfit between the moments of a Boltzmann model and those of the data, for `dbd.learning.descent`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dbd.boltzmann.chain import Chain
from dbd.learning.misfit import Misfit
from dbd.learning.pieces import segments
from dbd.learning.static_matching import match, objective


@dataclass(frozen=True)
class Divergence:
    """Kullback-Leibler divergence of the data from an exactly solvable chain, hidden units summed out: the paper's.

    It is that of all runs, so that a difference of one is what chance makes of it, includes the weak prior that fixes
    the gauge of a hidden layer, and is counted from the best that the family can do at the same time.

    Parameters
    ----------
    chain
        The model.
    mean
        Mean counts over the runs, (R, times, observable).
    observables
        Their names; those that `dbd.learning.static_matching.match` needs are looked at.
    runs
        Number of runs that were averaged.
    matched
        Parameters of least divergence, (R, times, P).
    """

    chain: Chain
    mean: np.ndarray
    observables: tuple[str, ...]
    runs: int
    matched: np.ndarray

    @classmethod
    def of(cls, chain: Chain, mean: np.ndarray, observables: Sequence[str], runs: int) -> "Divergence":
        """Divergence from these data; matches them at every time."""
        return cls(chain, mean, tuple(observables), runs, match(chain, mean, observables))

    def pieces(self, length: int) -> "Divergence":
        """The same for pieces of trajectories of `length` steps, as `segments` cuts them."""
        mean, matched = segments(self.mean, length), segments(self.matched, length)
        return Divergence(self.chain, mean, self.observables, self.runs, matched)

    @cached_property
    def _least(self) -> np.ndarray:
        """Least value of the family, (R, times)."""
        return objective(self.chain, self.matched, self.mean, self.observables).value

    def __call__(self, states: np.ndarray) -> Misfit:
        """Misfit of trajectories (R, times, P)."""
        times = states.shape[1]
        point = objective(self.chain, states, self.mean[:, :times], self.observables)
        return Misfit(
            self.runs * (point.value - self._least[:, :times]), self.runs * point.gradient, self.runs * point.curvature
        )
