"""Exported models: run where they can be, else evaluated from their text, against our own integration."""

import importlib.util
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from conftest import ROOT
from dbd.closure.export import FORMATS, export
from dbd.closure.export_sbml import antimony_text, polynomials
from dbd.closure.model import load
from dbd.files.netcdf import StoreError
from learned_models import MODELS, STEPS, write_model

EXPORT = ROOT / ".venv" / "export"
START = {"visible": {"A": 310}, "pairs": {"A": 30, "S": 160, "R": 10}, "driven": {"A": 190}}


@pytest.fixture(scope="module")
def closures(tmp_path_factory):
    """The models by name."""
    results = tmp_path_factory.mktemp("results")
    return {which: load(write_model(results, which)) for which in MODELS}


@pytest.fixture(params=START)
def case(request, closures):
    """A model and where it starts."""
    return closures[request.param], START[request.param]


def ours(closure, counts, **changes):
    """Our trajectory."""
    dynamics = replace(closure.dynamics, **changes)
    return dynamics.integrate(closure.coefficients, closure.start(counts)[None], STEPS)[0]


def module_of(path):
    """A file as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_python(case, tmp_path):
    """To 1e-10 by import and as a program that sees numpy alone; mean counts too where they are not sampled."""
    closure, counts = case
    file = tmp_path / "model.py"
    file.write_text(export(closure, "python", counts))
    assert set(re.findall(r"^(?:import|from) (\w+)", file.read_text(), re.MULTILINE)) == {"sys", "numpy"}
    module, trajectory = module_of(file), ours(closure, counts)
    np.testing.assert_allclose(module.integrate(), trajectory, rtol=0, atol=1e-10)
    predicted = closure.predict(counts=counts)["mean"].sel(observable=module.COUNTED)
    if module.COUNTED == ["A", "AA", "AAA", "AAAA"]:
        np.testing.assert_allclose(module.counts(trajectory), predicted, rtol=1e-10)
    else:
        np.testing.assert_allclose(module.counts(trajectory), predicted, atol=0.03)  # sampled at whole compositions
    said = subprocess.run([sys.executable, "-I", file], capture_output=True, text=True, check=True).stdout.splitlines()
    assert said[0].split(",")[: 1 + len(module.NAMES)] == [
        "time",
        *(f"parameter {name}" for name in closure.parameters),
    ]
    table = np.array([line.split(",") for line in said[1:]], float)
    np.testing.assert_allclose(table[:, 1 : 1 + trajectory.shape[1]], trajectory, rtol=0, atol=1e-10)


def test_python_off_the_grid(case, tmp_path):
    """Outside the grid functions go on as ours do."""
    closure, counts = case
    (tmp_path / "model.py").write_text(export(closure, "python", counts))
    module = module_of(tmp_path / "model.py")
    for theta in closure.start(counts) + np.random.default_rng(1).normal(size=(20, len(closure.parameters))) * 3:
        np.testing.assert_allclose(
            module.right_hand_side(theta), closure.right_hand_side(theta), rtol=1e-10, atol=1e-12
        )


def test_hidden_layers_are_summed_out(closures, tmp_path):
    """Counts of a chain with hidden units, by the exported transfer matrix."""
    closure = closures["hidden"]
    (tmp_path / "model.py").write_text(export(closure, "python"))
    module = module_of(tmp_path / "model.py")
    start = dict(zip(closure.parameters, module.START, strict=True))
    predicted = closure.predict(parameters=start)
    np.testing.assert_allclose(module.counts(module.integrate()), predicted["mean"], rtol=1e-10)


def test_julia_has_the_same_numbers(case):
    """No Julia is needed: what is in the text are the coefficients, and every other array."""
    closure, counts = case
    text, system = export(closure, "julia", counts), closure.system
    words = text.partition('split("""')[2].partition('"""')[0].split()
    np.testing.assert_array_equal(np.array(words, float).reshape(system.coefficients.shape), system.coefficients)

    def array(names):
        line = re.search(rf"^const {names} = (.+)$", text, re.MULTILINE)[1]
        return eval(line.replace("Int[]", "[]").replace("true", "True").replace("false", "False"))

    np.testing.assert_array_equal(array("START"), closure.start(counts))
    np.testing.assert_array_equal(array("CHANGE"), system.rates.change)
    np.testing.assert_array_equal(array("RELAXATION"), system.rates.relaxation)
    assert array("DOMAIN") == [k + 1 for k in system.domain]
    lower, spacing, shape = array("LOWER, SPACING, SHAPE")
    assert (tuple(lower), tuple(spacing), tuple(shape)) == (system.grid.lower, system.grid.spacing, system.grid.shape)
    for names in (("CONSTANT", "FLUX"), ("POWER", "ROOM")):
        for got, name in zip(array(", ".join(names)), names, strict=True):
            np.testing.assert_array_equal(got, getattr(system.rates, name.lower()))
    assert text.count("(") == text.count(")") and text.count("[") == text.count("]")
    blocks = re.findall(r"^ *(?:function|if|for)\b", text, re.MULTILINE)
    assert len(blocks) == len(re.findall(r"^ *end$", text, re.MULTILINE)) > 10


def test_polynomials_are_the_functions(case):
    """On a cell, in its own units."""
    closure, _ = case
    system, x = closure.system, np.full(closure.system.grid.dimension, 0.3)
    value = polynomials(system, (1,) * len(x))
    for one in x:
        value = np.tensordot(value, one ** np.arange(4), axes=(1, 0))
    point = np.array(system.grid.lower) + (1 + x) * system.grid.spacing
    np.testing.assert_allclose(value, system.grid.value(system.coefficients, point[None])[0], rtol=1e-12)


def evaluate(text, values):
    """Assignment rules and rates of an Antimony text at values of its variables, in Python."""
    known = {"exp": np.exp, "piecewise": piecewise, **values}
    rates = {}
    for name, prime, right in re.findall(r"^  (\w+)(:|') ?:?= ?(.+?);", text.replace(" :=", ":="), re.MULTILINE):
        value = eval(right.replace("^", "**").replace("&&", " and "), known)
        (known if prime == ":" else rates)[name] = value
    return known, rates


def piecewise(*parts):
    """First value whose condition holds, else the last."""
    return next((value for value, holds in zip(parts[:-1:2], parts[1::2], strict=True) if holds), parts[-1])


def test_antimony(case):
    """Right-hand sides from the text along the trajectory: the same to rounding."""
    closure, counts = case
    text = antimony_text(closure, closure.start(counts), STEPS)
    symbols = closure.system.symbols
    for theta in ours(closure, counts)[::4]:
        known, rates = evaluate(text, dict(zip(symbols, theta.tolist(), strict=True)))
        assert known["inside"] == 1
        found = [rates[symbol] for symbol in symbols]
        np.testing.assert_allclose(found, closure.right_hand_side(theta), rtol=1e-10, atol=1e-12)
    far = dict.fromkeys(symbols, 1e3)
    assert evaluate(text, far)[0]["inside"] == 0


@pytest.mark.slow
@pytest.mark.skipif(not (EXPORT / "installed").exists(), reason="make .venv/export/installed")
def test_sbml(case, monkeypatch):
    """It loads in libRoadRunner, whose trajectory is ours to 1e-6; our own steps are made small for that."""
    monkeypatch.syspath_prepend(EXPORT)
    import roadrunner

    closure, counts = case
    model = roadrunner.RoadRunner(export(closure, "sbml", counts))
    model.integrator.absolute_tolerance, model.integrator.relative_tolerance = 1e-12, 1e-10
    model.timeCourseSelections = [*closure.system.symbols, "inside"]
    found = np.array(model.simulate(0, STEPS * closure.dynamics.dt, STEPS + 1))
    np.testing.assert_allclose(found[:, :-1], ours(closure, counts, substeps=50), rtol=0, atol=1e-6)
    assert (found[:, -1] == 1).all()


def test_wrong_format(closures, monkeypatch):
    with pytest.raises(ValueError, match="format: got matlab, expected one of python, sbml, julia"):
        export(closures["pairs"], "matlab")
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(StoreError, match="sbml: the package antimony is missing"):
        export(closures["pairs"], "sbml")
    for form in FORMATS:
        with pytest.raises(ValueError, match="counts: got X, expected one of A, S, R"):
            export(closures["pairs"], form, {"X": 1})
