"""Learning by contrastive divergence, the recipe of the paper: stochastic gradient descent with sampled moments.

The gradient of the divergence of a model from data is the difference of two averages of the sufficient statistics, over
the *asleep* phase (the model) and the *awake* phase (the data, hidden units drawn given them),

    dD/dtheta_k = <phi_k>_asleep - <phi_k>_awake,

and both are estimated from a few lattices, the asleep ones by a few Gibbs sweeps. Units are binary in both phases:
probabilities in one of them only would bias the weights. Here the parameters of a single distribution are learned,
those of a hidden-layer model at time zero; `sliding_window` learns right-hand sides.

This is what was published, not what to use where moments and gradients can be had exactly: estimates from one sweep are
noisy and, away from the data, too small.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numba import njit

from dbd.boltzmann.conditional_laws import accumulate, choose, read_code, tabulate
from dbd.boltzmann.gibbs import Sampler, run_chain
from dbd.messages import mismatch

AWAKE_SWEEPS = 10  # of several hidden layers, which depend on one another given the data


@dataclass(frozen=True)
class Contrast:
    """Estimates the gradient of the divergence of a model from lattices.

    Hidden units of the awake phase are drawn given the data from empty ones: in one sweep, which is exact, where there
    is one layer; in `AWAKE_SWEEPS` where there are several.

    Parameters
    ----------
    sampler
        Sampler of the model.
    sweeps
        Gibbs sweeps of each asleep chain: visible sites given hidden units, then hidden units given visible sites.
    start
        Where asleep chains start: ``data``, at the lattices and hidden units of the awake phase (contrastive
        divergence), or ``random``, at random lattices (see `Sampler.random`).
    """

    sampler: Sampler
    sweeps: int = 1
    start: Literal["data", "random"] = "data"

    def __post_init__(self):
        if self.sweeps < 1:
            raise ValueError(f"sweeps: {mismatch(self.sweeps, '1 or more')}")
        if self.start not in ("data", "random"):
            raise ValueError(f"start: {mismatch(self.start, 'data or random')}")

    def difference(self, theta: np.ndarray, lattices: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Estimate dD/dtheta at several times: asleep minus awake averages of the statistics.

        Parameters
        ----------
        theta
            Parameters at each time, finite; shape (times, parameter).
        lattices
            Occupancies of the data, shape (lattices, times, sites).
        generator
            Stream of everything that is drawn.

        Returns
        -------
        float64, shape (times, parameter).
        """
        lattices = np.ascontiguousarray(lattices, np.uint8)
        starts = lattices
        if self.start == "random":
            states = self.sampler.random([generator] * (lattices.shape[0] * lattices.shape[1]))
            starts = np.ascontiguousarray(self.sampler.visible(states)).reshape(lattices.shape)
        total = np.zeros(theta.shape)
        schedule = self.sampler.schedule
        _contrast(
            self.sampler.blocks,
            schedule[schedule > 0],
            np.concatenate([schedule[schedule % 2 == 0], schedule[schedule % 2 == 1]]),
            theta,
            lattices,
            starts,
            self.start == "random",
            AWAKE_SWEEPS if len(self.sampler.model.layers) > 1 else 1,
            self.sweeps,
            generator,
            total,
        )
        return total / len(lattices)


def static_parameters(
    contrast: Contrast,
    lattices: np.ndarray,
    generator: np.random.Generator,
    *,
    rate: float,
    steps: int,
    batch: int,
    average: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Learn the parameters of one distribution, those of a hidden-layer model at time zero, from theta = 0.

    Parameters
    ----------
    contrast
        Estimator of the gradient.
    lattices
        Data, one lattice a run; shape (runs, sites).
    generator
        Stream of everything that is drawn.
    rate
        Learning rate.
    steps
        Steps of gradient descent.
    batch
        Lattices per step, drawn at random from the runs without repetition.
    average
        Number of last iterates that are averaged.

    Returns
    -------
    theta, the average, shape (parameter,), and all iterates after each step, shape (steps, parameter).
    """
    if not 1 <= average <= steps:
        raise ValueError(f"average: {mismatch(average, f'1 to {steps}, the number of steps')}")
    theta = np.zeros(len(contrast.sampler.model.parameters))
    iterates = np.empty((steps, len(theta)))
    for step in range(steps):
        chosen = choose_runs(len(lattices), batch, generator)
        theta = theta - rate * contrast.difference(theta[None], lattices[chosen, None], generator)[0]
        iterates[step] = theta
    return iterates[-average:].mean(axis=0), iterates


def choose_runs(runs: int, batch: int, generator: np.random.Generator) -> np.ndarray:
    """Numbers of different runs drawn at random, shape (batch,)."""
    if not 1 <= batch <= runs:
        raise ValueError(f"batch: {mismatch(batch, f'1 to {runs}, the number of runs')}")
    return generator.permutation(runs)[:batch]


@njit(cache=True, nogil=True, inline="always")
def _change(block, balance, state, unit, code, new):
    """Give a unit a new state and book what it leaves and what it becomes."""
    place = block.unit[unit]
    for factor in range(block.start.shape[0]):
        row = block.start[factor] + (code >> block.shift[factor] & block.mask[factor])
        balance[row, state[place]] -= 1
        balance[row, new] += 1
    state[place] = new


@njit(cache=True, nogil=True)
def _sweep(blocks, tables, schedule, balances, state, rng):
    """Draw every unit of the layers in `schedule` once."""
    for number in schedule:
        block, table, balance = blocks[number], tables[number], balances[number]
        below = np.empty(table.shape[1])
        for unit in range(block.unit.shape[0]):
            code = read_code(block, state, unit)
            _change(block, balance, state, unit, code, choose(block, table, code, rng.random(), below))


@njit(cache=True, nogil=True)
def _settle(block, balance, total):
    """Add the change of the statistics that is booked in `balance` to `total` (parameter,), and clear it."""
    for row in range(balance.shape[0]):
        for x in range(1, balance.shape[1]):
            if balance[row, x] != 0:
                for k in range(len(total)):
                    total[k] += balance[row, x] * block.features[row, x - 1, k]
        balance[row] = 0


@njit(cache=True, nogil=True)
def _contrast(blocks, hidden, everything, theta, lattices, starts, restart, awake, sweeps, rng, total):
    """Add asleep minus awake statistics of all lattices (lattice, time, site) to `total` (time, parameter).

    Statistics are never counted: the way from the awake to the asleep configuration is a sequence of changes of single
    units, and each changes the statistics by the features of the row of its neighbourhood. It is enough to book, for
    every row and state of a table, how often units came to it less how often they left it.
    """
    sites = lattices.shape[2]
    units = 1
    for number in range(len(blocks)):
        units += blocks[number].unit.shape[0]
    state = np.empty(units, np.uint8)
    tables = [np.empty((block.features.shape[0], block.features.shape[1] + 1)) for block in blocks]
    balances = [np.zeros(table.shape, np.int64) for table in tables]
    for n in range(theta.shape[0]):
        for number in range(len(blocks)):
            tabulate(blocks[number], theta[n], tables[number])
            accumulate(blocks[number], tables[number])
        for chain in range(lattices.shape[0]):
            state[:sites] = lattices[chain, n]
            state[sites:] = 0
            run_chain(blocks, tables, hidden, state, awake, rng)
            if restart:
                for unit in range(sites):
                    code = read_code(blocks[0], state, unit)
                    _change(blocks[0], balances[0], state, unit, code, starts[chain, n, blocks[0].unit[unit]])
                _sweep(blocks, tables, hidden, balances, state, rng)
            for _ in range(sweeps):
                _sweep(blocks, tables, everything, balances, state, rng)
        for number in range(len(blocks)):
            _settle(blocks[number], balances[number], total[n])
