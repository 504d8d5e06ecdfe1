"""The progress bar shows how far Snakemake is, and what goes wrong in full."""

import subprocess
import sys

import pytest

from conftest import ROOT

RIGHT = """
Building DAG of jobs...
Job 3: Simulate annihilation, split train
Reason: Missing output files: results/a.nc; Input files updated by another job: results/b.nc
1 of 2 steps (50%) done
Job 1: Draw errors, none of which failed
2 of 2 steps (100%) done
"""
WRONG = """
Job 3: Simulate annihilation, split train
Error in rule simulate_ensemble:
    message: Simulate
Exiting because a job execution failed. Look below for error messages
"""


@pytest.fixture
def show(tmp_path):
    """Show what the progress bar makes of a command that says a text and ends with a code."""

    def show(text, code):
        command = [sys.executable, "-c", f"print({text!r}); raise SystemExit({code})"]
        progress = [sys.executable, ROOT / "workflow" / "tools" / "progress.py", *command]
        return subprocess.run(progress, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    return show


def test_plain_lines_without_a_terminal(show):
    done = show(RIGHT, 0)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "Simulate annihilation, split train",
        "1 of 2 steps (50%) done",
        "Draw errors, none of which failed",
        "2 of 2 steps (100%) done",
    ]
    assert done.stderr == ""


def test_errors_are_shown_in_full_and_the_code_is_passed_on(show):
    done = show(WRONG, 3)
    assert done.returncode == 3
    assert done.stderr.splitlines()[:3] == WRONG.splitlines()[2:]
