"""Score the closures of the pair equation, and the static matching of pairs.

``evaluation.csv`` has a row per model, start and time with the simulated and the predicted density, its relative error,
and ``pair_error``, the root mean square error of the pair density in groups of bins, relative to its root mean square,
with its noise. ``summary.csv`` has a row per model and start: root mean square and largest relative error over all
times after the start, and ``noise``, that of the simulated density, and the same of the pair density.
``matching.csv`` has a row per matched time: relative root mean
square error of the pair density below the mean distance of particles, in groups of bins, with its noise, and the L1
distance of the law of neighbours' distances, which was not matched, from that of the process and from independent
particles, with what the noise of the simulation alone makes of it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from dbd.evaluation.density_errors import coarse, density_error
from dbd.files.netcdf import read, read_models
from dbd.files.tables import write_table
from dbd.job import job

GROUP = 5  # bins of distance that are compared together


def evaluate_pairs(settings, densities, predictions):
    """Return the tables (evaluation, summary) of predictions by model."""
    split, (length,) = settings["evaluation"]["split"], settings["space"]["lengths"]
    simulated, sem = (densities[name].isel(species=0).values / length for name in ("number", "number_sem"))
    evaluation, summary = [], []
    for name, predicted in predictions.items():
        for index, start in enumerate(settings["starts"]):
            row = {"model": name, "split": split, "initial_condition": index}
            columns = {"simulated": simulated[index], "sem": sem[index], "predicted": predicted.density.values[index]}
            table = pd.DataFrame(row | {"step": densities.step, "time": densities.time} | columns)
            table["error"] = table.predicted / table.simulated - 1
            table["pair_error"], table["pair_noise"] = pair_errors(
                densities.isel(initial_condition=index, species=0, other_species=0),
                predicted.pair_density.values[index],
            )
            evaluation.append(table)
            after = table[1:]
            error, noise = (np.sqrt((x**2).mean()) for x in (after.error, after["sem"] / after.simulated))
            scores = {"error": error, "worst": after.error.abs().max(), "noise": noise}
            scores |= {name: np.sqrt((after[name] ** 2).mean()) for name in ("pair_error", "pair_noise")}
            summary.append(row | {"start": title(start)} | scores)
    return pd.concat(evaluation), pd.DataFrame(summary)


def pair_errors(data, predicted):
    """Relative errors and noise of the pair densities (times, distance) of one start, (times,)."""
    groups = predicted.shape[-1] // GROUP
    simulated, model, sem = (
        coarse(values[:, : groups * GROUP], groups)
        for values in (data.pair_density.values, predicted, data.pair_density_sem.values)
    )
    error = density_error(model[None], simulated[None], sem[None] / np.sqrt(GROUP), (0, 2))
    return error.error, error.noise


def title(start):
    """What a start of one species is called: the pattern and its numbers."""
    [(kind, pattern)] = [(kind, pattern) for kind, pattern in next(iter(start.values())).items() if pattern]
    return " ".join([kind, *(f"{value:g}" for value in pattern.values() if value)])


def evaluate_matching(settings, densities, matching):
    """Return the table of the static matching."""
    section, (length,) = settings["matching"], settings["space"]["lengths"]
    rows = []
    for step in section["steps"]:
        data = densities.isel(initial_condition=section["initial_condition"], time=step, species=0, other_species=0)
        model = matching.isel(match=section["steps"].index(step))
        distance = length / float(data.number)
        groups = int((data.distance.values[: model.sizes["distance"]] < distance).sum()) // GROUP
        simulated, matched, sem = (
            coarse(values[: groups * GROUP], groups)
            for values in (data.pair_density.values, model.pair_density.values, data.pair_density_sem.values)
        )
        size = np.sqrt((simulated**2).mean())
        width = densities.gap_distance.values[1] - densities.gap_distance.values[0]
        edge = np.arange(len(data.gap) + 1) * width
        poisson = -np.diff(np.exp(-edge / distance)) / width
        gaps = float(data.number) * int(densities.runs.values[section["initial_condition"]].sum())
        rows.append(
            {
                "step": step,
                "number": float(data.number),
                "number_of_process": float(model.number),
                "mean_distance": distance,
                "pair_error": np.sqrt(((matched - simulated) ** 2).mean()) / size,
                "pair_noise": np.sqrt((sem**2).mean() / GROUP) / size,
                "gap_l1": np.abs(model.gap.values - data.gap.values).sum() * width,
                "gap_noise": np.sqrt(2 / np.pi) * np.sqrt(data.gap.values * width / gaps).sum(),
                "gap_l1_poisson": np.abs(poisson - data.gap.values).sum() * width,
            }
        )
    return pd.DataFrame(rows)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        settings, densities = snakemake.params.settings, read(snakemake.input.densities)
        evaluation, summary = evaluate_pairs(settings, densities, read_models(snakemake.input.predictions))
        matching = evaluate_matching(settings, densities, read(snakemake.input.matching))
        tables = {"evaluation": evaluation, "summary": summary, "matching": matching}
        for path in map(Path, snakemake.output):
            write_table(tables[path.stem], path, digits=5)
            log.info("%s", tables[path.stem].to_string())
