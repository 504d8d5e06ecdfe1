"""Integrate a learned model from the initial parameters of a split and compute its moments."""

from dbd.build.model import build_dynamics, build_family, build_moment_map
from dbd.closure.draws import draws_of
from dbd.closure.prediction import predicted
from dbd.files.netcdf import provenance, read, write
from dbd.job import job
from dbd.learning.reaction_dynamics import ReactionDynamics
from dbd.numerics.random_streams import stream


def predict_moments(settings, study, split, model, learned, initial, rates, threads):
    """Return the dataset of a split, from learned dynamics, initial parameters and rates of reactions, if known."""
    section = settings["models"][model]
    family = build_family(settings, section)
    dynamics = build_dynamics(settings, section, family, learned)
    return predicted(
        family,
        dynamics,
        build_moment_map(family, settings["observables"], section["sampling"]),
        learned.u.values,
        initial,
        settings["evaluation"]["extrapolate_to"],
        rates if isinstance(dynamics, ReactionDynamics) and rates.size else None,
        lambda *point: stream(settings["seed"], "predict", study, split, model, *point),
        threads,
        draws_of(learned),
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, names, given = snakemake.params.settings, snakemake.wildcards, snakemake.input
        learned, initial = read(given.dynamics), read(given.initial, "theta", "rates")
        key, start = (names.study, names.split, names.model), (initial.theta.values, initial.rates.values)
        dataset = predict_moments(settings, *key, learned, *start, snakemake.threads)
        outside = (dataset.excess > 0).any("time").values
        log.info("%d of %d trajectories leave the grid", outside.sum(), outside.size)
        write(dataset, snakemake.output[0], provenance(settings, [given.dynamics, given.initial]))
