"""Learn a model's right-hand sides by static matching along time with sampled moments, and tracking of the paths.

The file is that of `dbd.build.learning_run`; its action is that of static matching first, and of tracking then.
"""

from dbd.build.learning_run import LearningRun
from dbd.build.path_matching import build_matches
from dbd.job import job
from dbd.learning.recipes.path_tracking import PathTracking


def learn_path_tracking(run, threads):
    """Return the recipe of a run."""
    learning, observables = run.section["learning"], list(run.moments.observable.values)
    matches = build_matches(learning, run.model, run.initial, run.means, observables, threads)
    options = {key: learning[key] for key in ("iterations", "roughness")}
    return PathTracking(matches, run.dynamics, **options, generator_of=run.generator)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        names, given = snakemake.wildcards, snakemake.input
        run = LearningRun.read(snakemake.params.settings, names.study, names.model, given.moments, given.initial)
        recipe = learn_path_tracking(run, snakemake.threads)
        run.learn(recipe, run.section["learning"]["last_step"], snakemake.output[0], snakemake.threads, log)
