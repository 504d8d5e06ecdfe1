"""A job logs, tells expected errors in one line, and keeps the traceback of defects."""

import pytest
from threadpoolctl import threadpool_info

from dbd.files.netcdf import StoreError
from dbd.job import job, progress


def test_log_and_single_blas_thread(tmp_path):
    with job(tmp_path / "logs" / "a.log") as log:
        log.info("%d of %d", 1, 2)
        assert all(pool["num_threads"] == 1 for pool in threadpool_info() if pool["user_api"] == "blas")
    assert (tmp_path / "logs" / "a.log").read_text() == "1 of 2\n"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (StoreError("a.nc: no such file"), "a.nc: no such file"),
        (OSError(28, "No space left on device", "a.csv"), "[Errno 28] No space left on device: 'a.csv'"),
        (MemoryError(), "out of memory"),
    ],
)
def test_expected_error_is_one_line(tmp_path, error, line):
    with pytest.raises(SystemExit) as exit_, job(tmp_path / "a.log"):
        raise error
    assert exit_.value.code == f"Error: {line}"
    assert (tmp_path / "a.log").read_text() == f"{line}\n"


def test_defect_keeps_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError), job(tmp_path / "a.log"):
        1 / 0  # noqa: B018
    assert "ZeroDivisionError" in (tmp_path / "a.log").read_text()


@pytest.mark.parametrize("total", [1, 3, 10, 1000])
def test_progress_passes_on_and_logs_up_to_ten_lines(tmp_path, total):
    with job(tmp_path / "a.log"):
        assert list(progress(range(total), total, "runs")) == list(range(total))
    lines = (tmp_path / "a.log").read_text().splitlines()
    assert lines[-1] == f"runs: {total} of {total}"
    assert len(lines) == min(total, 10)
