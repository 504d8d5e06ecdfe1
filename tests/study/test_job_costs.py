"""What jobs ask for grows with what they have to do, and covers what they were measured to need."""

import copy

import pytest
import yaml

from conftest import ROOT, STUDY
from dbd.study.job_costs import MOST_CORES, WORK, cores, estimate
from dbd.study.lattice_study import Study

NEEDS = yaml.safe_load((ROOT / "workflow" / "resources.yaml").read_text())
NAMES = {"part": "ic0-2_run0-3", "split": "train", "model": "hidden"}
PART = 2 * 3 * 11 * 20 / 1e6  # two initial conditions, three runs, eleven time steps, twenty sites
SPLIT = 4 * 6 * 11 * 20 / 1e6
POINTS = 4 * 11 / 1e3


@pytest.mark.parametrize(
    ("rule", "work"),
    [
        ("simulate_ensemble", {"lattices": PART, "packed": PART / 8}),
        ("import_ensemble", {"lattices": PART, "packed": PART / 8}),
        ("count_moments", {"lattices": PART, "packed": PART / 8}),
        ("combine_moments", {"points": POINTS}),
        ("initial_parameters", {"points": POINTS, "lattices": SPLIT}),
        ("learn_contrastive", {"points": POINTS, "lattices": SPLIT}),
        ("predict_moments", {"points": POINTS, "updates": 4 * 11 * 4 * 10 * 20 / 1e6}),
        ("match_oracle", {"points": POINTS}),
    ],
)
def test_work(rule, work):
    """Counted by hand for the small study, whose hidden model learns from lattices and samples its predictions."""
    assert WORK[rule](Study.model_validate(STUDY), NAMES) == pytest.approx(work)


def test_models_that_need_no_lattices():
    study, names = Study.model_validate(STUDY), NAMES | {"model": "visible"}
    for rule in ("initial_parameters", "learn_gauss_newton", "predict_moments"):
        assert WORK[rule](study, names) == pytest.approx({"points": POINTS})


def test_reduced_runs_cost_their_steps():
    """Fifty runs of four conditions and eleven times."""
    tree = copy.deepcopy(STUDY)
    tree["models"]["visible"]["runs"] = 50
    names = NAMES | {"model": "visible"}
    found = WORK["predict_reduced_runs"](Study.model_validate(tree), names)
    assert found == pytest.approx({"points": POINTS, "jumps": 50 * 4 * 11 / 1e6})


@pytest.mark.parametrize("rule", WORK)
def test_larger_studies_ask_for_more(rule):
    """Never for less, and for more where the work grows: ten times the runs, sites and initial conditions."""
    tree = copy.deepcopy(STUDY)
    tree["lattice"]["shape"] = [200]
    tree["ensemble"]["splits"]["train"] = {"initial_conditions": 40, "runs": 60}
    small, large = Study.model_validate(STUDY), Study.model_validate(tree)
    for what in ("memory", "processor"):
        asked = [estimate(NEEDS[rule][what], WORK[rule](study, NAMES)) for study in (small, large)]
        assert 0 < asked[0] <= asked[1]
    assert set(NEEDS) == set(WORK)


def test_long_jobs_ask_for_cores():
    assert [cores(seconds) for seconds in (10, 1200, 1201, 1e6)] == [1, 1, 2, MOST_CORES]
