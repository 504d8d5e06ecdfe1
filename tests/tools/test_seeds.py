"""The spread over seeds, from summaries made up by hand."""

import sys

import pandas as pd
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "workflow" / "tools"))

import seeds


def summary(error):
    return pd.DataFrame({"model": ["m", "m"], "kind": "model", "observable": ["A", "AA"], "rmse": [error, 2 * error]})


def test_mean_and_spread():
    table = seeds.tabulate([summary(1.0), summary(2.0), summary(6.0)]).set_index("observable")
    assert table.rmse_mean.tolist() == [3, 6]
    assert table.rmse_std["A"] == pytest.approx(7**0.5)
    assert table.rmse_count.tolist() == [3, 3]


def test_results_are_those_of_the_last_file_that_names_them(tmp_path):
    for name, text in {"a": "results: first\n", "b": "seed: 1\n", "c": "results: second\n"}.items():
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in "abc"]
    assert str(seeds.results_of(files[:2])) == "first"
    assert str(seeds.results_of(files)) == "second"
