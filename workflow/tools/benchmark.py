"""Measure the kernels on one core, and show what the last run took in time and storage: ``make benchmark``.

Absolute figures depend on the machine; each also stands as a ratio to a reference measured in the same run, the time of
one random number drawn in a compiled loop.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numba import njit

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.boltzmann.chain import Chain  # noqa: E402
from dbd.boltzmann.energy import EnergyModel, Layer  # noqa: E402
from dbd.boltzmann.gibbs import Sampler  # noqa: E402
from dbd.files.benchmarks import costs_of_rules, read_runtimes  # noqa: E402
from dbd.kinetics.reactions import ReactionNetwork  # noqa: E402
from dbd.lattice.geometry import Lattice  # noqa: E402
from dbd.learning.dynamics import Dynamics  # noqa: E402
from dbd.numerics.hermite import HermiteGrid  # noqa: E402
from dbd.numerics.random_streams import stream  # noqa: E402
from dbd.simulation.initial_conditions import place_counts  # noqa: E402
from dbd.simulation.lattice_simulation import simulate_runs  # noqa: E402

REPEATS = 5

CHAIN = Lattice((1000,))
CUBE = Lattice((10, 10, 10))
PAIRS = ("A", "B", "C", "AA", "AB", "AC", "BB", "BC", "CC")
ANNIHILATION = ReactionNetwork.from_equations(["A"], [("A + A -> 0", {"probability": 0.01})])
ROSSLER = ReactionNetwork.from_equations(
    ["A", "B", "C"],
    [
        ("A -> 2A", {"rate": 30.0}),
        ("B -> 0", {"rate": 10.0}),
        ("C -> 2C", {"rate": 16.5}),
        ("A + A -> A", {"probability": 0.10}),
        ("A + B -> 2B", {"probability": 0.40}),
        ("A + C -> 0", {"probability": 0.24}),
        ("C + C -> C", {"probability": 0.36}),
    ],
)


@njit
def _draw(generator, count):
    """Draw random numbers and do nothing else."""
    total = 0.0
    for _ in range(count):
        total += generator.random()
    return total


def random_numbers() -> int:
    """Reference: random numbers."""
    _draw(stream(0, "benchmark"), 10**7)
    return 10**7


def hops(network: ReactionNetwork, lattice: Lattice, counts: tuple[int, ...], selection: str) -> int:
    """Hop attempts of twenty runs of 200 steps."""
    generators = [stream(0, "benchmark", run) for run in range(20)]
    initial = np.stack([place_counts(counts, lattice, selection, generator) for generator in generators])
    return int(simulate_runs(initial, network, lattice, selection, 0.01, 200, generators)[1].sum())


def gibbs(model: EnergyModel, sweeps: int = 200) -> int:
    """Unit updates of ten chains."""
    sampler = Sampler(model)
    theta = np.linspace(-0.5, 0.5, len(model.parameters))
    generators = [stream(0, "benchmark", chain) for chain in range(10)]
    sampler.sample(theta, sampler.empty(10), generators, sweeps)
    return 10 * sweeps * sum(model.units)


def solves(parameters: tuple[str, ...]) -> int:
    """Exact solutions of the chain of 1000 sites with means and covariances."""
    theta = stream(0, "benchmark").uniform(-1, 1, (2000, len(parameters)))
    Chain(1000, parameters).cumulants(theta)
    return len(theta)


def adjoint_steps() -> int:
    """Time steps of the adjoint of RK4, 50 trajectories of 200 steps in three dimensions."""
    grid = HermiteGrid.covering((-4.0,) * 3, (4.0,) * 3, (0.5,) * 3)
    dynamics = Dynamics(grid, 3, (0, 1, 2), 0.01)
    generator = stream(0, "benchmark")
    coefficients = generator.normal(size=(3, grid.size))
    states = dynamics.integrate(coefficients, generator.uniform(-1, 1, (50, 3)), 200)
    dynamics.adjoint(coefficients, states, np.ones_like(states))
    return 50 * 200


HIDDEN_CHAIN = EnergyModel(CHAIN, ("A",), ("A",), (Layer(("X",), ("AX",), ((0,), (1,))),))
CASES: dict[str, Callable[[], int]] = {
    "random numbers": random_numbers,
    "hop attempts, chain of 1000, annihilation": lambda: hops(ANNIHILATION, CHAIN, (500,), "uniform"),
    "hop attempts, 10x10x10, Rossler, uniform": lambda: hops(ROSSLER, CUBE, (200, 200, 200), "uniform"),
    "hop attempts, 10x10x10, Rossler, axis scan": lambda: hops(ROSSLER, CUBE, (200, 200, 200), "axis_scan"),
    "Gibbs updates, chain, A AA AAA": lambda: gibbs(EnergyModel(CHAIN, ("A",), ("A", "AA", "AAA"))),
    "Gibbs updates, chain with hidden layer": lambda: gibbs(HIDDEN_CHAIN),
    "Gibbs updates, 10x10x10, three species, all pairs": lambda: gibbs(EnergyModel(CUBE, ("A", "B", "C"), PAIRS)),
    "exact solutions, chain of 1000, A AA AAA": lambda: solves(("A", "AA", "AAA")),
    "exact solutions, chain of 1000 with hidden layer": lambda: solves(("A", "AX", "X")),
    "integration and adjoint, time steps in three dimensions": adjoint_steps,
}


def rate(case: Callable[[], int]) -> float:
    """Median number of operations per second of processor time, after a warm-up that compiles."""
    case()
    rates = []
    for _ in range(REPEATS):
        start = time.process_time()
        count = case()
        rates.append(count / (time.process_time() - start))
    return float(np.median(rates))


def storage(results: Path) -> pd.Series:
    """Megabytes by kind of file: the lattices of each study, and everything else."""
    sizes = {}
    for path in results.rglob("*"):
        if path.is_file():
            study = path.relative_to(results).parts[0]
            kind = f"{study}, lattices" if path.parent.name == "ensemble" else f"{study}, all else"
            sizes[kind] = sizes.get(kind, 0) + path.stat().st_size / 1e6
    return pd.Series(sizes, dtype=float).round(1)


if __name__ == "__main__":
    rates = {name: rate(case) for name, case in CASES.items()}
    reference = rates["random numbers"]
    print(f"{'kernel, one core':58}{'million a second':>18}{'random numbers each':>21}")
    for name, value in rates.items():
        print(f"{name:58}{value / 1e6:18.4g}{reference / value:21.3g}")
    jobs = read_runtimes(ROOT / "results" / "benchmarks")
    print("\nSeconds per rule of the last run of each job, all jobs together; memory in MB")
    print(costs_of_rules(jobs).to_string())
    sizes = storage(ROOT / "results")
    print(f"\nStorage in MB, {sizes.sum():.1f} in all")
    print(sizes.to_string())
