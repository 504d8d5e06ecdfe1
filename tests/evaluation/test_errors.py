"""Errors against numbers worked out by hand."""

import numpy as np
import pytest

from dbd.evaluation.errors import errors_per_step, summarise

# Two initial conditions, three steps, two observables.
SIMULATED = np.array([[[10.0, 1.0], [8.0, 1.0], [6.0, 1.0]], [[4.0, 3.0], [4.0, 3.0], [2.0, 3.0]]])
PREDICTED = SIMULATED + np.array([[[0.0, 1.0], [3.0, 1.0], [-6.0, 1.0]], [[0.0, -1.0], [4.0, -1.0], [8.0, -1.0]]])
STD = np.array([[[1.0, 3.0]] * 3] * 2), np.array([[[0.8, 2.0]] * 3] * 2)  # predicted and simulated
SEM = np.array([[[1.0, 0.5]] * 3, [[7.0, 0.5]] * 3])


def test_errors_per_step():
    frame = errors_per_step(PREDICTED, SIMULATED, SEM, ["A", "AA"])
    assert list(frame.columns) == ["observable", "step", "rmse", "noise", "range"]
    assert frame.observable.tolist() == ["A"] * 3 + ["AA"] * 3
    assert frame.step.tolist() == [0, 1, 2] * 2
    np.testing.assert_allclose(frame.rmse, [0, np.sqrt(12.5), np.sqrt(50), 1, 1, 1])
    np.testing.assert_allclose(frame.noise, [5, 5, 5, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(frame.range, [8, 8, 8, 2, 2, 2])


@pytest.mark.parametrize(
    ("average", "rmse", "each"),
    [
        ("mean", (np.sqrt(12.5) + np.sqrt(50)) / 3, (3.0, 4.0)),
        ("root_mean_square", np.sqrt(62.5 / 3), (np.sqrt(15), np.sqrt(80 / 3))),
    ],
)
def test_summary(average, rmse, each):
    frame = summarise(PREDICTED, SIMULATED, SEM, ["A", "AA"], average, STD).set_index("observable")
    assert list(frame.columns) == [
        "rmse",
        "relative_rmse",
        "relative_each",
        "median",
        "worst",
        "noise",
        "relative_noise",
        "relative_std",
    ]
    assert frame.rmse["A"] == pytest.approx(rmse)
    assert frame.relative_rmse["A"] == pytest.approx(rmse / 8)
    assert frame.relative_each["A"] == pytest.approx(np.mean(np.divide(each, [4, 2])))
    assert np.isnan(frame.relative_each["AA"])  # it does not change
    assert frame["median"]["A"] == pytest.approx(np.mean(each))
    assert frame.worst["A"] == pytest.approx(max(each))
    assert frame.loc["AA"].tolist() == pytest.approx([1, 0.5, np.nan, 1, 1, 0.5, 0.25, 0.5], nan_ok=True)
    assert frame.relative_std["A"] == pytest.approx(0.25)
    assert frame.relative_rmse["mean"] == pytest.approx((rmse / 8 + 0.5) / 2)
    assert np.isnan(summarise(PREDICTED, SIMULATED, SEM, ["A", "AA"], average).relative_std).all()


def test_perfect_prediction():
    frame = summarise(SIMULATED, SIMULATED, SEM, ["A", "AA"], "mean").set_index("observable")
    assert frame.relative_each["A"] == 0
    assert (frame[["rmse", "relative_rmse", "median", "worst"]] == 0).all(axis=None)


def test_unknown_average():
    with pytest.raises(KeyError):
        summarise(SIMULATED, SIMULATED, SEM, ["A", "AA"], "median")
