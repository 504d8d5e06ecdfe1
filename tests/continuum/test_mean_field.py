"""Mean-field theory of the density equation."""

import numpy as np
import pytest

from dbd.continuum import mean_field
from dbd.continuum.box import Box
from dbd.continuum.brownian import BrownianSystem
from dbd.continuum.density_equation import DensityModel
from dbd.continuum.density_learning import DensityData
from dbd.kinetics.reactions import ReactionNetwork
from dbd.numerics.hermite import HermiteGrid

GRID = HermiteGrid.covering((-4.0,), (-1.0,), (0.25,))


def system(*reactions):
    equations = [(equation, {"rate": rate}) for equation, rate in reactions]
    network = ReactionNetwork.from_equations("A", equations, pairs="rate")
    return BrownianSystem(Box((1.0,)), network, (0.01,), 0.02)


@pytest.mark.parametrize(
    ("reactions", "rates"),
    [
        ([("A -> 0", 0.5)], (0.5, 0)),
        ([("A -> 2A", 3.0)], (-3, 0)),
        ([("A + A -> 0", 100.0)], (0, 4)),
        ([("A + A -> A", 100.0)], (0, 2)),
        ([("A -> 2A", 3.0), ("A -> 0", 1.0), ("A + A -> 0", 100.0), ("A + A -> A", 50.0)], (-2, 5)),
    ],
)
def test_rates(reactions, rates):
    """Particles lost per particle: pairs within the radius number density^2 radius per length."""
    assert mean_field.rates(system(*reactions)) == pytest.approx(rates)


def test_elements_follow_the_functions():
    """Cubic elements: an error of the fourth order in the spacing."""
    one = system(("A -> 2A", 3.0), ("A + A -> 0", 100.0))
    model = DensityModel(Box((1.0,)), 16, GRID, 0.1, 1)
    nu = np.linspace(-4, -1, 61)
    found = model.functions(mean_field.coefficients(one, GRID, 0.5), nu)
    np.testing.assert_allclose(found, mean_field.functions(one, nu, 0.5), rtol=3e-4)


@pytest.mark.parametrize("factor", [0.2, 1.0, 7.0])
def test_fitted_factor_is_found_again(factor):
    """Densities that follow the rate law exactly give its constant, whether pairs are rarer or more frequent."""
    one = system(("A + A -> 0", 10.0))
    model = DensityModel(Box((1.0,)), 16, GRID, 0.1, 4)
    start = -np.log(20 + 10 * np.cos(np.pi * (np.arange(16) + 0.5) / 16))[None]
    density = model.density(model.integrate(mean_field.coefficients(one, GRID, factor), start, 4))
    data = DensityData(start, density, np.ones((1, 5)))
    assert mean_field.fitted_factor(one, model, data) == pytest.approx(factor, rel=1e-3)
