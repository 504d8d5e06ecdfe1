"""Draw what correlations are made of: spread of numbers between runs, and structure at a run's own numbers.

For each species the mean number of pairs is that of independent molecules with the mean number, times a global factor,
<N (N - 1)> / (n (n - 1)), that comes from the spread of N between runs, times a local factor, which is what couplings
at fixed composition have to explain. Natural parameters have to answer to both with one coupling.
"""

from dbd.build.system import build_lattice
from dbd.files.netcdf import read, read_models
from dbd.job import job
from dbd.plotting import SIMULATION, legend_below, model_colors, parameter_symbol, save, small_multiples


def factors(moments, species, lattice):
    """Return the global and the local factor of the pairs of a species over time, of the first initial condition."""
    first = moments.isel(initial_condition=0)
    number, pairs = (first["mean"].sel(observable=word).values for word in (species, 2 * species))
    square = first["covariance"].sel(observable=species, other_observable=species).values + number**2 - number
    independent = len(lattice.bonds) * square / (lattice.size * (lattice.size - 1))
    return square / (number * (number - 1)), pairs / independent


def plot_global_and_local(settings, moments, learned):
    """Return the figure: the two factors of each species, and below its coupling to itself in every model."""
    lattice, models, species = build_lattice(settings), settings["models"], settings["species"]
    colors = model_colors(list(models), settings["figures"]["colors"])
    paths = {name: dynamics for name, dynamics in learned.items() if "matched" in dynamics}
    moments = moments.isel(time=slice(max(path.sizes["time"] for path in paths.values())))
    time = moments.time.values
    figure, [above, below] = small_multiples(len(species), len(species), xlabel="time", height=1.7, sharex=True)
    for letter, axes in zip(species, above, strict=True):
        wide, near = factors(moments, letter, lattice)
        axes.plot(time, wide, color=SIMULATION, linestyle="--", label="global factor, by numbers of molecules")
        axes.plot(time, near, color=SIMULATION, label="local factor, at a run's own numbers")
        axes.set(title=f"pairs {letter}{letter}", ylim=(0, None))
    for letter, axes in zip(species, below, strict=True):
        for name, dynamics in paths.items():
            if 2 * letter in dynamics.parameter:
                path = dynamics.isel(initial_condition=0).sel(parameter=2 * letter)
                shown = time[: path.sizes["time"]]
                axes.fill_between(
                    shown, path.matched - path.error, path.matched + path.error, color=colors[name], alpha=0.3, lw=0
                )
                axes.plot(shown, path.matched, color=colors[name], linewidth=0.9, label=models[name]["title"])
        axes.set_ylabel(parameter_symbol(2 * letter))
    above[0].set_ylabel("factor")
    legend_below(figure, columns=2)
    return figure


if __name__ == "__main__":
    with job(snakemake.log[0]):
        given = snakemake.input
        figure = plot_global_and_local(snakemake.params.settings, read(given.moments), read_models(given.dynamics))
        save(figure, snakemake.output)
