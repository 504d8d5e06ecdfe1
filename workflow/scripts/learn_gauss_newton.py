"""Learn a model's right-hand sides by second-order steps on whole trajectories, with exact moments.

The file is that of `dbd.build.learning_run`.
"""

from functools import partial

from dbd.boltzmann.chain import build_chain
from dbd.build.learning_run import LearningRun
from dbd.job import job
from dbd.learning.divergence import Divergence
from dbd.learning.recipes.gauss_newton import GaussNewton


def learn_gauss_newton(run, threads):
    """Return the recipe of a run."""
    learning, moments = run.section["learning"], run.moments
    data = Divergence.of(build_chain(run.model), run.means, moments.observable.values, int(moments.runs[0]))
    # Every tenth point of a Sobol sequence lies in the same slab of the box: folds in the order of the points leave
    # whole regions out.
    fold = run.generator("folds").permutation(len(run.initial)) % learning["folds"]
    steps, tolerance = learning["steps"], learning["tolerance"]
    return GaussNewton(data, run.dynamics, run.initial, learning["roughness"], fold, steps, tolerance, threads)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        names, given = snakemake.wildcards, snakemake.input
        run = LearningRun.read(snakemake.params.settings, names.study, names.model, given.moments, given.initial)
        recipe = learn_gauss_newton(run, snakemake.threads)
        draws = partial(recipe.draws, generator=run.generator("draws"))
        run.learn(recipe, run.steps, snakemake.output[0], snakemake.threads, log, draws)
