"""Tables come back as they were, and a damaged one is noticed."""

import subprocess

import pandas as pd
import pytest

from dbd.files.netcdf import StoreError
from dbd.files.tables import read_table, write_table

TABLE = pd.DataFrame({"model": ["visible", "hidden"], "step": [0, 1], "rmse": [1.25, 1 / 3]})


@pytest.fixture
def path(tmp_path):
    write_table(TABLE, tmp_path / "table.csv", digits=6)
    return tmp_path / "table.csv"


def test_comes_back(path):
    pd.testing.assert_frame_equal(read_table(path), TABLE, rtol=1e-6)
    assert path.read_text().splitlines()[2] == "hidden,1,0.333333"


def test_checksum_is_in_the_common_form(path):
    done = subprocess.run(["sha256sum", "--check", "--quiet", "table.csv.sha256"], cwd=path.parent, timeout=60)
    assert done.returncode == 0


def test_every_flipped_bit_and_every_cut_is_noticed(path):
    whole = path.read_bytes()
    damaged = [whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :] for place in range(len(whole))]
    for content in damaged + [whole[:length] for length in range(len(whole))]:
        path.write_bytes(content)
        with pytest.raises(StoreError, match="truncated or corrupt table; delete it and run again"):
            read_table(path)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"0 table.csv\n"])
def test_damaged_checksum_is_noticed(path, content):
    path.with_name("table.csv.sha256").write_bytes(content)
    with pytest.raises(StoreError, match="truncated or corrupt table"):
        read_table(path)


@pytest.mark.parametrize("name", ["table.csv", "table.csv.sha256"])
def test_missing_file_is_reported(path, name):
    path.with_name(name).unlink()
    with pytest.raises(StoreError, match=f"{name}: no such file"):
        read_table(path)
