"""Compare simulated means and variances of the numbers of molecules with the exact ones of networks without pairs.

``control.csv`` has a row per initial condition, species and step: exact mean and variance, and the standard scores of
the simulated ones.
"""

import pandas as pd

from dbd.build.system import build_lattice, build_network
from dbd.files.netcdf import read
from dbd.files.tables import write_table
from dbd.job import job
from dbd.kinetics.first_order import LIMITS, exact_numbers, standard_scores


def compare_exact(settings, moments):
    """Return the table, from the moments of a split whose runs start from given numbers of molecules."""
    network, sites, rows = build_network(settings), build_lattice(settings).size, []
    for index in range(moments.sizes["initial_condition"]):
        case = moments.isel(initial_condition=index)
        exact = exact_numbers(network, sites, case.initial_numbers.values, case.time.values)
        for column, name in enumerate(settings["species"]):
            sample, mean = case.sel(observable=name), exact.mean[:, column]
            variance = exact.covariance[:, column, column]
            simulated = sample["mean"].values, sample["std"].values ** 2, int(case.runs)
            mean_score, variance_score = standard_scores(*simulated, mean, variance)
            columns = {"step": case.step, "time": case.time, "mean": mean, "mean_score": mean_score}
            columns |= {"variance": variance, "variance_score": variance_score}
            rows.append(pd.DataFrame({"initial_condition": index, "species": name, **columns}))
    return pd.concat(rows)


if __name__ == "__main__":
    with job(snakemake.log[0]) as log:
        table = compare_exact(snakemake.params.settings, read(snakemake.input.moments))
        write_table(table, snakemake.output[0])
        scores = table[list(LIMITS)].abs()
        for name, limit in LIMITS.items():
            outside = int((scores[name] > limit).sum())
            log.info("%s: largest %.2f, %d of %d outside %g", name, scores[name].max(), outside, len(scores), limit)
