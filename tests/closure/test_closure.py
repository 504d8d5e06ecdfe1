"""A learned model in use, against the plainest integration, exact moments and what must hold whatever was learned."""

import json
from functools import partial

import numpy as np
import pytest

from dbd.closure.model import load
from dbd.files.netcdf import StoreError, read, write
from learned_models import MODELS, STEPS, settings_of, write_model
from predict_moments import predict_moments


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Folders of the models by name."""
    results = tmp_path_factory.mktemp("results")
    return {which: write_model(results, which) for which in MODELS}


@pytest.fixture(params=["visible", "pairs"])
def closure(request, folders):
    """Each model."""
    return load(folders[request.param])


@pytest.fixture
def epidemic(folders):
    """The model in mixed coordinates."""
    return load(folders["pairs"])


def start_of(closure):
    """Numbers of molecules at the start."""
    return {"A": 300} if len(closure.family.model.species) == 1 else MODELS["pairs"][2]


def plain(closure, theta, steps):
    """Trajectory by the classical Runge-Kutta scheme, from right-hand sides alone."""
    rows, dt, slope = [theta], closure.dynamics.dt, closure.right_hand_side
    for _ in range(steps):
        first = slope(theta)
        second = slope(theta + dt / 2 * first)
        third = slope(theta + dt / 2 * second)
        fourth = slope(theta + dt * third)
        theta = theta + dt / 6 * (first + 2 * second + 2 * third + fourth)
        rows.append(theta)
    return np.array(rows)


def test_right_hand_side_is_what_is_integrated(closure):
    """The form that is printed and exported, evaluated in plain numpy, against the kernels."""
    predicted = closure.predict(counts=start_of(closure))
    assert predicted.sizes["time"] == STEPS + 1
    np.testing.assert_allclose(
        predicted.theta, plain(closure, predicted.theta.values[0], STEPS), rtol=1e-12, atol=1e-14
    )
    assert abs(predicted.theta[-1] - predicted.theta[0]).max() > 1e-3


def test_file_conventions(closure):
    predicted = closure.predict(counts=start_of(closure), steps=3)
    assert predicted.attrs["Conventions"] == "CF-1.11"
    np.testing.assert_allclose(predicted.time, closure.dynamics.dt * predicted.step)
    assert all({"units", "long_name"} <= set(one.attrs) for one in predicted.data_vars.values())
    variance = np.diagonal(predicted["covariance"], axis1=1, axis2=2)
    np.testing.assert_allclose(predicted["std"] ** 2, variance, atol=1e-12)


def test_the_study_predicts_by_the_same_code(folders):
    closure, settings = load(folders["visible"]), settings_of("annihilation")
    learned = read(folders["visible"] / "dynamics.nc")
    settings["evaluation"]["extrapolate_to"] = STEPS
    whole = predict_moments(settings, "annihilation", "test", "visible", learned, learned.theta.values[:, 0], None, 1)
    assert whole.isel(initial_condition=0).drop_attrs().equals(closure.predict(counts={"A": 300}).drop_attrs())


def test_starts(folders, epidemic):
    """Counts are molecules at random sites; parameters are themselves."""
    chain = load(folders["visible"])
    independent = chain.predict(counts={"A": 300}, steps=1).isel(time=0)
    np.testing.assert_allclose(independent["mean"], [300, 999 * 0.09, 998 * 0.027, 997 * 0.0081], rtol=1e-10)
    np.testing.assert_allclose(independent["std"][0], np.sqrt(1000 * 0.3 * 0.7), rtol=1e-10)
    theta = dict(zip(chain.parameters, independent.theta.values.tolist(), strict=True))
    assert chain.predict(parameters=theta, steps=1).isel(time=0).equals(independent)
    start = epidemic.start({"A": 20, "S": 100})
    np.testing.assert_allclose(start[:3], [0.05, 0.25, 0])
    assert not start[3:].any()


def test_rates_scale_fluxes(epidemic):
    """Those of a reaction alone, in proportion; couplings go as before."""
    theta = epidemic.start(MODELS["pairs"][2])
    change = epidemic.right_hand_side(theta)
    other = epidemic.at(rates={"A -> R": 0.4}).right_hand_side(theta)
    names = list(epidemic.parameters)
    for name, factor in {"R": 2, "S": 1, "AA": 1}.items():
        np.testing.assert_allclose(other[names.index(name)], factor * change[names.index(name)], rtol=1e-12)
    assert epidemic.at(rates={"A + S -> 2A": 0.5, "A -> R": 0.2}).right_hand_side(theta) == pytest.approx(
        change, rel=1e-12
    )


def test_another_box(closure):
    """Densities and couplings are those of the study's lattice; counts grow with the sites."""
    counts, shape = start_of(closure), closure.family.model.lattice.shape
    larger = tuple(3 * sites for sites in shape)
    factor = 3 ** len(shape)
    small = closure.predict(counts=counts, steps=4)
    large = closure.predict(counts={name: factor * n for name, n in counts.items()}, steps=4, lattice=larger)
    np.testing.assert_allclose(large.theta, small.theta, rtol=1e-12)
    np.testing.assert_allclose(large["mean"][:, 0], factor * small["mean"][:, 0], rtol=2e-3)


def test_lattices(closure):
    """As many as asked for, of the right shape; numbers of molecules are those that are predicted."""
    counts, dt = start_of(closure), closure.dynamics.dt
    drawn = closure.sample(2 * dt, 41, counts=counts)
    assert drawn.dtype == np.uint8 and drawn.shape == (41, *closure.family.model.lattice.shape)
    predicted = closure.predict(counts=counts, steps=2).isel(time=-1)
    molecules = (drawn.reshape(41, -1) == 1).sum(axis=1)
    error = 6 * float(predicted["std"][0]) / np.sqrt(41) + 0.5  # false alarm 2e-9; compositions are next to the mean
    assert abs(molecules.mean() - float(predicted["mean"][0])) < error


def test_equations(folders, epidemic):
    text = epidemic.equations()
    assert "d n_A/dt = a_1 - a_2\n" in text and "d n_S/dt = - a_1\n" in text
    assert "a_2 = 0.2 n_A exp(g_2(n_A, n_S, J_AA, J_AS))    A -> R" in text
    assert "d J_RR/dt = F_RR(n_A, n_S, J_AA, J_AS) - 0.3 J_RR" in text
    assert "  n_A from -0.01 to 0.39 in 4 cells" in text
    chain = load(folders["visible"])
    assert "d theta_AA/dt = F_AA(theta_A, theta_AA, theta_AAA)\n" in chain.equations("text")
    latex = epidemic.equations("latex")
    assert r"a_{1} &= 1.0\,n_\mathrm{A}\,n_\mathrm{S}\,\mathrm{e}^{g_{1}(" in latex
    for form in (latex, chain.equations("latex")):
        assert form.count("{") == form.count("}") and r"\begin{align*}" in form


def test_leaving_the_grid_is_said(epidemic):
    inside = epidemic.predict(counts=MODELS["pairs"][2], steps=3)
    assert not inside.excess.any()
    outside = epidemic.predict(counts={"A": 200, "S": 180}, steps=3)
    assert (outside.excess > 0).any()


WRONG = {
    "neither": ({}, "start: got neither, expected either counts or parameters"),
    "both": ({"counts": {"A": 1}, "parameters": {}}, "start: got both, expected either counts or parameters"),
    "species": ({"counts": {"X": 1}}, "counts: got X, expected one of A, S, R"),
    "negative": ({"counts": {"A": -1}}, "counts: got {'A': -1}, expected 0 or more, at most 400 in all"),
    "too many": ({"counts": {"A": 300, "S": 101}}, "expected 0 or more, at most 400 in all"),
    "no number": ({"counts": {"A": "many"}}, "counts: A: got many, expected a finite number"),
    "parameter": ({"parameters": {"Q": 1}}, "parameters: got Q, expected one of A, S, R, AA"),
    "missing": ({"parameters": {"A": 0.1}}, "parameters: got none for S, expected a number for each of A, S"),
    "steps": ({"counts": {"A": 1}, "steps": 0}, "steps: got 0, expected a whole number, 1 or more"),
    "reaction": (
        {"counts": {"A": 1}, "rates": {"A -> 2A": 1}},
        "rates: got A -> 2A, expected one of A + S -> 2A, A -> R",
    ),
    "probability": (
        {"counts": {"A": 1}, "rates": {"A + S -> 2A": 2}},
        "got probability 2.0, expected probability from 0",
    ),
    "axes": ({"counts": {"A": 1}, "lattice": [100]}, "lattice: got (100,), expected 2 whole numbers of sites"),
    "box": ({"counts": {"A": 1}, "lattice": [2, 2]}, "periodic lattice shape: got (2, 2), expected three sites"),
}


@pytest.mark.parametrize(("given", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_one_line(epidemic, given, message):
    with pytest.raises(ValueError) as raised:
        epidemic.predict(**given)
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_model_without_reactions(folders):
    """It has no rates; numbers that it drives out of bounds are at the bound."""
    driven = load(folders["driven"])
    assert "d n_A/dt = F_A(n_A, J_AA)" in driven.equations()
    with pytest.raises(ValueError, match="rates: got some for a model without reactions"):
        driven.predict(counts={"A": 200}, rates={"A + A -> 0": 0.02})
    counted = [driven.family.numbers(np.array([density, 0.0]))[0].tolist() for density in (-0.1, 0.25, 1.2)]
    assert counted == [[0.0], [256.0], [1024.0]]


def test_what_natural_parameters_cannot_do(folders):
    chain = load(folders["visible"])
    with pytest.raises(ValueError, match="rates: got some for a model in natural parameters"):
        chain.predict(counts={"A": 300}, rates={"A + A -> 0": 0.02})
    with pytest.raises(ValueError, match="mean counts: got"):
        chain.predict(counts={"A": 0})


def test_wrong_use(epidemic, tmp_path, folders):
    draw = partial(epidemic.sample, counts=MODELS["pairs"][2])
    for call, message in {
        (lambda: draw(1.5, 3), r"time: got 1.5, expected a multiple of 1.0, 0 or more"),
        (lambda: draw(1, 0), "runs: got 0, expected a whole number, 1 or more"),
        (lambda: epidemic.equations("html"), "form: got html, expected one of text, latex"),
        (lambda: epidemic.predict(parameters=dict.fromkeys(epidemic.parameters, 0.5)), "parameters: got densities"),
    }:
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(StoreError, match="no such file"):
        load(tmp_path)
    (tmp_path / "dynamics.nc").write_bytes((folders["pairs"] / "dynamics.nc").read_bytes())
    with pytest.raises(StoreError, match="got no predictions, expected those that the study makes"):
        load(tmp_path)


def test_reduced_runs_are_no_closure(folders, tmp_path):
    learned = read(folders["pairs"] / "dynamics.nc")
    settings = json.loads(learned.attrs["configuration"])
    (section,) = settings["models"].values()
    section["learning"]["recipe"] = "reduced_runs"
    write(learned.drop_attrs(deep=False), tmp_path / "dynamics.nc", {"configuration": json.dumps(settings)})
    with pytest.raises(StoreError, match="recipe: got reduced_runs, expected a model with differential equations"):
        load(tmp_path)


def test_predictions_repeat(epidemic):
    """The same numbers again, by any number of threads."""
    one, other = (epidemic.predict(counts=MODELS["pairs"][2], steps=2, threads=n) for n in (1, 2))
    assert one.equals(other)
