"""Names of parts of an ensemble, there and back, and the grid that they are cut by."""

import re

import pytest

from dbd.study.part import Part


def test_name_there_and_back():
    part = Part(range(10, 20), range(0, 100))
    assert str(part) == f"{part}" == "ic10-20_run0-100"
    assert Part.parse(str(part)) == part
    assert re.fullmatch(Part.PATTERN, str(part))


@pytest.mark.parametrize("name", ["", "ic0-3", "ic0-3_run0", "ic0-3_run0-5x", "ic-1-3_run0-5"])
def test_no_part(name):
    with pytest.raises(ValueError, match=r"part: got .*, expected one like"):
        Part.parse(name)


def test_parts_cover_an_ensemble_once():
    parts = Part.all(7, 5, 3, 2)
    runs = [(condition, run) for part in parts for condition in part.conditions for run in part.runs]
    assert sorted(runs) == [(condition, run) for condition in range(7) for run in range(5)]
    assert [str(part) for part in parts][:3] == ["ic0-3_run0-2", "ic0-3_run2-4", "ic0-3_run4-5"]


def test_more_runs_leave_full_parts_as_they_are():
    assert {*Part.all(6, 4, 3, 2)} < {*Part.all(6, 7, 3, 2)}
