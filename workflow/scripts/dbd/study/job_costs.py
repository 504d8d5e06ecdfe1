"""What a job asks for: memory, time and cores, from how much it has to do.

How much there is to do is counted in five ways: *lattices*, the size in MB (one byte a site) of the simulated
lattices that a job makes or reads; *packed*, their size as jobs of an ensemble's parts hold them; *points*, thousands
of points of trajectories, one per initial condition and time step; *updates*, millions of Gibbs updates of sampled
moments; and *jumps*, millions of steps of reduced runs. Memory and time are linear in them, with coefficients fitted
per rule to measured jobs.
"""

import math
from collections.abc import Callable, Mapping

from dbd.lattice.packing import times_per_byte
from dbd.study.lattice_study import Study
from dbd.study.model import SamplingSection
from dbd.study.part import Part
from dbd.study.reading import initial_conditions

SECONDS_PER_CORE = 1200
"""A job that would take longer than this on one core asks for more cores."""
MOST_CORES = 16

Work = dict[str, float]


def part_work(study: Study, names: Mapping[str, str]) -> Work:
    """Lattices of one part of an ensemble, packed and unpacked a few runs at a time."""
    part = Part.parse(names["part"])
    work = _lattices(study, len(part.conditions), len(part.runs))
    return work | {"packed": work["lattices"] / times_per_byte(len(study.species) + 1)}


def trajectory_work(study: Study, names: Mapping[str, str]) -> Work:
    """Trajectories of a split."""
    return {"points": initial_conditions(study, names["split"]) * (study.ensemble.steps + 1) / 1e3}


def initial_work(study: Study, names: Mapping[str, str]) -> Work:
    """Trajectories of a split, and its lattices if a model's initial parameters are found from them."""
    contrastive = study.models[names["model"]].initial.method == "contrastive"
    return trajectory_work(study, names) | (_of_split(study, names["split"]) if contrastive else {})


def learning_work(study: Study, names: Mapping[str, str]) -> Work:
    """Trajectories of the training split, and its lattices if a model learns from them."""
    contrastive = study.models[names["model"]].learning.recipe == "contrastive"
    return trajectory_work(study, names | {"split": "train"}) | (_of_split(study, "train") if contrastive else {})


def prediction_work(study: Study, names: Mapping[str, str]) -> Work:
    """Trajectories of a split, and the Gibbs updates of a model whose moments are sampled."""
    work, sampling = trajectory_work(study, names), study.models[names["model"]].sampling
    if sampling:
        work["updates"] = _updates(study, work["points"], sampling)
    return work


def jumping_work(study: Study, names: Mapping[str, str]) -> Work:
    """Trajectories of a split, and the steps of reduced runs along them."""
    work = trajectory_work(study, names)
    return work | {"jumps": work["points"] * (study.models[names["model"]].runs or 0) / 1e3}


WORK: dict[str, Callable[[Study, Mapping[str, str]], Work]] = {
    "simulate_ensemble": part_work,
    "import_ensemble": part_work,
    "count_moments": part_work,
    "combine_moments": trajectory_work,
    "initial_parameters": initial_work,
    "learn_gauss_newton": learning_work,
    "learn_matched_trajectories": learning_work,
    "learn_contrastive": learning_work,
    "learn_reduced_runs": learning_work,
    "predict_moments": prediction_work,
    "predict_reduced_runs": jumping_work,
    "match_oracle": trajectory_work,
}
"""Work of a job of each rule, from the study and the job's wildcards."""


def estimate(coefficients: Mapping[str, float], work: Work) -> float:
    """Linear estimate: a base and so much for each kind of work."""
    return coefficients["base"] + sum(coefficients.get(kind, 0) * amount for kind, amount in work.items())


def cores(seconds: float) -> int:
    """Cores for a job that would take `seconds` on one."""
    return min(math.ceil(seconds / SECONDS_PER_CORE), MOST_CORES)


def _lattices(study: Study, conditions: int, runs: int) -> Work:
    return {"lattices": conditions * runs * (study.ensemble.steps + 1) * math.prod(study.lattice.shape) / 1e6}


def _updates(study: Study, points: float, sampling: SamplingSection) -> float:
    return points / 1e3 * sampling.lattices * sampling.sweeps * math.prod(study.lattice.shape)


def _of_split(study: Study, split: str) -> Work:
    return _lattices(study, initial_conditions(study, split), study.ensemble.splits[split].runs)
