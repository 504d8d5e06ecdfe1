"""Learn a model's right-hand sides as published: stochastic gradient descent in a sliding window of sampled moments.

The file is that of `dbd.build.learning_run`; its action is the mean square difference of the moments in the window.
"""

from dbd.boltzmann.contrastive_divergence import Contrast
from dbd.boltzmann.gibbs import Sampler
from dbd.build.learning_run import LearningRun
from dbd.files.netcdf import read_lattices
from dbd.job import job
from dbd.learning.recipes.contrastive import Contrastive
from dbd.learning.sliding_window import SlidingWindow


def learn_contrastive(run, lattices):
    """Return the recipe of a run; `lattices` are the occupancies of the data, one array per initial condition."""
    learning = run.section["learning"]
    contrast = Contrast(Sampler(run.model), learning["sweeps"], learning["start"])
    rates = [learning["rate"][name] for name in run.model.parameters]
    options = [learning[key] for key in ("window", "steps_per_shift", "batch", "adjoint")]
    window = SlidingWindow(run.dynamics, contrast, rates, *options)
    return Contrastive(window, run.initial, lattices, run.generator, learning["steps"])


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        names, given = snakemake.wildcards, snakemake.input
        run = LearningRun.read(snakemake.params.settings, names.study, names.model, given.moments, given.initial)
        recipe = learn_contrastive(run, read_lattices(snakemake.input.lattices))
        run.learn(recipe, run.steps, snakemake.output[0], snakemake.threads, log)
