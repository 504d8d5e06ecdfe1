"""Simulators of others agree with ours, in fewer runs than ``make witness``, and errors of ten per cent are seen.

All comparisons of a test together have a false-alarm probability of 1e-6 (`comparison.largest`).
"""

import sys

import numpy as np
import pytest

from conftest import ROOT

OUTSIDE = ROOT / ".venv" / "outside"
sys.path += [str(ROOT / "workflow" / "witness"), str(OUTSIDE)]

import comparison  # noqa: E402

from dbd.kinetics.reactions import ReactionNetwork  # noqa: E402

pytestmark = pytest.mark.slow
installed = pytest.mark.skipif(not (OUTSIDE / "installed").exists(), reason="make .venv/outside/installed")


def agree(table):
    """Whether all comparisons are within the limit."""
    _, score, limit = comparison.largest(table)
    return score < limit


def test_comparison_finds_means_and_variances():
    rng, times = np.random.default_rng(1), np.arange(9.0)
    normal = rng.normal(size=(2, 500, 9))
    assert agree(comparison.compare(*normal, times))
    for wrong in (normal[0] + 0.5, 1.5 * normal[0]):
        assert not agree(comparison.compare(wrong, normal[1], times))


def test_errors_of_means_and_variances_are_those_of_many_samples():
    samples = np.random.default_rng(2).exponential(size=(2, 200, 2000))
    table = comparison.compare(*samples, np.arange(2000.0))
    for statistic in ("mean", "variance"):
        rows = table[table.statistic == statistic]
        # of 2000 independent scores, with a standard error of 0.03; the errors are estimates themselves
        assert abs(rows.z.var() - 1) < 0.3


@installed
def test_smoldyn_annihilation():
    import smoldyn_annihilation as witness

    assert agree(witness.witness(runs=60, spacings=(0.4, 0.2)))
    slower = witness.by_particles(0.4, 200, diffusion=0.9)
    assert not agree(comparison.compare(slower, witness.by_smoldyn(0.4, 200), witness.TIMES))


@installed
def test_lattice_of_small_spacing_has_the_density_of_points():
    import smoldyn_annihilation as witness

    times = witness.TIMES[1:]
    coarse, fine = (
        abs(witness.of_lattice(spacing, times) - witness.of_points(times)).max() for spacing in (0.02, 0.01)
    )
    assert fine < 0.001 and coarse / fine == pytest.approx(2, abs=0.1)


@installed
def test_readdy_binding():
    import readdy_binding as witness

    step, runs = witness.STEPS[0], 100
    table = witness.witness(runs, steps=(step,))
    assert agree(table)
    assert comparison.draw(table, witness.PROGRAM, witness.UNIT).axes
    slower = witness.by_particles(step, runs, witness.layer_radius(step), 0.9 * witness.BINDING)
    assert not agree(comparison.compare(slower[..., 0], witness.by_readdy(step, runs)[..., 0], witness.TIMES))


@installed
@pytest.mark.parametrize("name", ["0 -> A -> B -> 0", "A + B -> C -> B", "0 -> A, A + A -> 0"])
def test_gillespy2_networks(name):
    import gillespy2_networks as witness

    dt, runs = witness.STEPS[0], 4000 if witness.PAIR in witness.NETWORKS[name][1].values() else 400
    assert agree(witness.witness(runs, steps=(dt,), networks=(name,)))
    exact = witness.by_gillespy2(name, 1 / (1 + witness.returns() * dt), runs)
    faster = witness.by_hops(name, dt, runs, faster=1.1)
    assert not agree(comparison.compare(faster[..., 0], exact[..., 0], witness.TIMES))


@installed
def test_returns_of_the_infinite_lattice():
    import gillespy2_networks as witness

    # Watson's integral less 1, and the leading correction of a periodic box, 2.837297 * 3 / (2 pi L)
    assert witness.returns() == pytest.approx(0.516386 - 2.837297 * 3 / (2 * np.pi * 10), abs=2e-3)


@installed
def test_a_pair_that_has_collided_meets_again():
    import gillespy2_networks as witness
    import ours

    network, runs, sweeps = ReactionNetwork.from_equations(("A",), [("A + A -> 0", {"probability": 1.0})]), 10000, 200
    numbers = ours.on_lattice(network, witness.LATTICE, [2], np.array([0, sweeps]), sweeps, runs, "pair")
    reacted = (numbers[:, 1, 0] == 0).sum()
    for rate, right in ((witness.PAIR / (1 + witness.returns()), True), (witness.PAIR, False)):
        expected = 1 - np.exp(-rate * sweeps)
        z = (reacted - runs * expected) / np.sqrt(runs * expected * (1 - expected))
        assert (abs(z) < 5.5) == right
