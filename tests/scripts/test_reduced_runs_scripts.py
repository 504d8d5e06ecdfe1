"""Scripts of reduced runs, on a small box: runs in several files, what is learned of them, predictions."""

import numpy as np
import pytest
import xarray as xr
import yaml

from combine_moments import combine_moments, merge_sums
from conftest import ROOT
from count_moments import count_moments
from dbd.build.reduced_runs import merge_runs
from dbd.build.system import build_network
from dbd.study.reading import load_study
from learn_reduced_runs import dataset_of, learn_reduced_runs
from predict_reduced_runs import predict_reduced_runs
from simulate_ensemble import simulate_ensemble

RUNS = 12


@pytest.fixture(scope="module")
def settings():
    smoke = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["overrides"]["rossler_uniform"]
    study = load_study(ROOT / "config" / "studies" / "rossler_uniform.yaml", smoke)
    return study.model_dump(mode="json") | {"seed": 1}


@pytest.fixture(scope="module")
def parts(settings):
    """Two initial conditions, runs in two files of different size."""
    cuts = range(0, 5), range(5, RUNS)
    ensembles = [simulate_ensemble(settings, "small", "train", range(2), runs, 1) for runs in cuts]
    return [count_moments(settings, ensemble) for ensemble in ensembles]


def test_runs_do_not_depend_on_files_and_numbers_follow_from_events(settings, parts):
    merged = merge_runs(parts, 20)
    xr.testing.assert_identical(merged, merge_runs(parts[::-1], 20))
    assert merged["counts"].shape == (2 * RUNS, 21, 9) and merged["events"].shape == (2 * RUNS, 20, 7)
    numbers = merged["counts"].sel(observable=["A", "B", "C"]).values
    np.testing.assert_array_equal(
        np.diff(numbers, axis=1), merged["events"].values @ build_network(settings).stoichiometry.T
    )
    xr.testing.assert_identical(merge_runs(parts, 7)["counts"], merged["counts"].isel(time=slice(8)))
    means = combine_moments(merge_sums(parts))["mean"].values
    np.testing.assert_allclose(merged["counts"].values.reshape(2, RUNS, 21, 9).mean(axis=1), means)


@pytest.mark.slow
def test_predictions_start_at_the_numbers_and_keep_their_moments(settings, parts):
    recipe = learn_reduced_runs(settings, "small", "reduced_runs", merge_runs(parts, 12))
    *_, last = recipe.states(None)
    learned = dataset_of(recipe, last)
    assert learned.u.dims == ("function", "coefficient") and learned.sizes["function"] == 7 + 6
    initial = np.array([[12, 12, 12, 0, 0, 0, 0, 0, 0], [5, 0, 30, 0, 0, 0, 0, 0, 0]]) / 64
    found = predict_reduced_runs(settings, "small", "test", "reduced_runs", learned, initial, 1)
    assert found["mean"].shape == (2, 21, 9)
    np.testing.assert_array_equal(found["mean"].sel(observable=["A", "B", "C"])[:, 0], [[12, 12, 12], [5, 0, 30]])
    np.testing.assert_allclose(found["std"] ** 2, np.diagonal(found["covariance"], axis1=-2, axis2=-1))
    assert found["std"][:, 0].max() < 1e-9 and found["std"][0, -1].min() > 0.01
    assert (found["extinct"].sel(species="B")[1] == 1).all()
    np.testing.assert_allclose(found.theta.sel(parameter="A") * 64, found["mean"].sel(observable="A"))
    threaded = predict_reduced_runs(settings, "small", "test", "reduced_runs", learned, initial, 2)
    xr.testing.assert_identical(threaded, found)
