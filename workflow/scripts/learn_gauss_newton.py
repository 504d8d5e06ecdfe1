"""Learn a model's right-hand sides by second-order steps on whole trajectories, with exact moments.

The file is that of `dbd.build.learning_run`.
"""

from dbd.boltzmann.chain import build_chain
from dbd.build.learning_run import LearningRun
from dbd.job import job
from dbd.learning.divergence import Divergence
from dbd.learning.recipes.gauss_newton import GaussNewton


def learn_gauss_newton(run, threads):
    """Return the recipe of a run."""
    learning, moments = run.section["learning"], run.moments
    return GaussNewton(
        Divergence.of(build_chain(run.model), run.means, moments.observable.values, int(moments.runs[0])),
        run.dynamics,
        run.initial,
        learning["roughness"],
        learning["folds"],
        learning["steps"],
        learning["tolerance"],
        threads,
    )


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        run = LearningRun.read(
            snakemake.params.settings,
            snakemake.wildcards.study,
            snakemake.wildcards.model,
            snakemake.input.moments,
            snakemake.input.initial,
        )
        recipe = learn_gauss_newton(run, snakemake.threads)
        run.learn(recipe, run.steps, snakemake.output[0], snakemake.threads, log)
