"""Propose which interactions a model of a study needs: print a table, and lines for its study file.

    python workflow/tools/discover.py rossler_uniform

Statistics are proposed by the score test from the lattices of the training runs, one after the other (see
`dbd.learning.statistics_search`); those of the split ``validation``, or else a quarter of the points, are held out. The
table is ``results/<study>/statistics.csv``.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.study.imports import kernel_cache  # noqa: E402

os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_cache(ROOT / "workflow" / "scripts")))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from dbd.build.system import build_lattice  # noqa: E402
from dbd.files.netcdf import StoreError, configuration_of, read  # noqa: E402
from dbd.lattice.packing import unpack  # noqa: E402
from dbd.learning.statistics_search import NUMBERS, Point, Proposal, Search  # noqa: E402
from dbd.messages import mismatch  # noqa: E402
from dbd.numerics.random_streams import stream  # noqa: E402

POINTS = 12  # at which runs are looked at
RUNS = 64  # at most, of each
LEFT_OUT = 4  # every fourth point is held out where there is no validation split


def points_of(files: list[Path], points: int, generator: np.random.Generator) -> list[Point]:
    """Points of an ensemble: initial conditions, or some of the runs of one, each at a time of its own.

    Times are spread evenly over the runs, and shuffled; runs are cut into as many groups as make up the points.
    """
    lattices: dict[int, list[tuple[int, np.ndarray]]] = {}  # by point: runs with their numbers
    parts = [(path, read(path, "packed", "step")) for path in sorted(files)]
    conditions = sorted({int(index) for _, part in parts for index in part.initial_condition.values})[:points]
    groups = -(-points // len(conditions))
    most = parts[0][1].sizes["time"]
    times = generator.permutation(np.linspace(0, most - 1, len(conditions) * groups).round().astype(int))
    for _, part in parts:
        for index, packed in zip(part.initial_condition.values.tolist(), part.packed.values, strict=True):
            if index in conditions:
                for run, one in zip(part.run.values.tolist(), packed, strict=True):
                    place = conditions.index(index) * groups + run % groups
                    digits = unpack(one, int(part.packed.attrs["states"]), most)
                    lattices.setdefault(place, []).append((run, digits[times[place]]))
    runs = {place: [lattice for _, lattice in sorted(found, key=lambda x: x[0])] for place, found in lattices.items()}
    even = {place: np.stack(found[: min(len(found) // 2 * 2, RUNS)]) for place, found in runs.items() if len(found) > 1}
    return [Point(even[place]) for place in sorted(even)]


def table(proposals: list[Proposal]) -> pd.DataFrame:
    """What is printed and written."""
    rows = [{**vars(row), "statistic": row.statistic.name, "study_file": _writable(row)} for row in proposals]
    return pd.DataFrame(rows).rename(columns={"gain": "gain_per_run", "held_out_gain": "held_out_gain_per_run"})


def _writable(row: Proposal) -> str:
    if row.statistic == NUMBERS:
        return "family: composition"
    return row.statistic.word if row.statistic.plain else "no"


def lines(species: list[str], proposals: list[Proposal]) -> str:
    """Lines for the models of a study file."""
    chosen = [row.statistic for row in proposals if row.chosen]
    words = ", ".join([*species, *(one.word for one in chosen if one.plain and one != NUMBERS)])
    text = f"  discovered:\n    interactions: [{words}]\n"
    text += "    family: composition\n    spread: true\n" if NUMBERS in chosen else "    family: natural\n"
    if far := [one.name for one in chosen if not one.plain]:
        text += f"    # not an interaction of study files: {', '.join(far)}; a hidden layer can stand for it\n"
    return text


def main(arguments: list[str]) -> None:
    """Print the table and the lines, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study")
    parser.add_argument("--results", default="results", type=Path)
    parser.add_argument("--threads", default=os.cpu_count(), type=int)
    options = parser.parse_args(arguments)
    folder = options.results / options.study
    training, validation = (sorted(folder.glob(f"{split}/ensemble/*.nc")) for split in ("train", "validation"))
    if not training:
        raise ValueError(f"{folder}: {mismatch('no training runs', 'those of a study on a lattice; run it first')}")
    settings = configuration_of(training[0])
    generator_of = partial(stream, settings["seed"], "discover", options.study)
    points = points_of(training, POINTS, generator_of("times"))
    held_out = np.repeat([False], len(points))
    if validation:
        more = points_of(validation, POINTS // LEFT_OUT, generator_of("times", "validation"))
        points, held_out = points + more, np.append(held_out, [True] * len(more))
    else:
        held_out = generator_of("held out").permutation(len(points)) < len(points) // LEFT_OUT
    for point, out in zip(points, held_out, strict=True):
        point.held_out = bool(out)
    search = Search(build_lattice(settings), tuple(settings["species"]), points, generator_of, options.threads)
    proposals = search.proposals()
    found = table(proposals)
    found.to_csv(folder / "statistics.csv", index=False, float_format="%.4g")
    print(found.to_string(index=False, float_format="{:.3g}".format))
    print(f"\nmodels:\n{lines(settings['species'], proposals)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, StoreError) as error:
        sys.exit(f"Error: {error}")
