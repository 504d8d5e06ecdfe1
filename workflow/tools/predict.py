"""Predict with a learned model: print a table, draw a figure.

    python workflow/tools/predict.py epidemic pairs --counts "A=25 S=170 R=20" --steps 30 --rates "A -> R = 0.25"

The figure is ``results/<study>/predictions/<model>.png``: mean counts and their standard deviation between runs, and
darker, where it is known how sure the model is, a band that holds the mean with a chance of 90 %.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.study.imports import kernel_cache  # noqa: E402

os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_cache(ROOT / "workflow" / "scripts")))

import pandas as pd  # noqa: E402
import xarray as xr  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

from dbd.closure.model import load  # noqa: E402
from dbd.files.netcdf import StoreError  # noqa: E402
from dbd.messages import mismatch  # noqa: E402
from dbd.plotting import LIKELY, PALETTE, band, save, small_multiples  # noqa: E402

ROWS = 11  # of the printed table


def numbers(what: str, text: str, separator: str | None = None) -> dict[str, float]:
    """Read ``A=300 B=100``, or with a comma as separator ``A -> 2A = 25, B -> 0 = 5``; ValueError if it is not that."""
    found = {}
    for part in filter(None, map(str.strip, text.split(separator))):
        name, equals, value = part.rpartition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not (equals and name.strip()):
            raise ValueError(f"{what}: {mismatch(repr(part), 'a name, = and a number')}")
    return found


def table(predicted: xr.Dataset) -> pd.DataFrame:
    """Mean counts and their standard deviations between runs, at up to `ROWS` times."""
    some = predicted.isel(time=sorted({round(k * (predicted.sizes["time"] - 1) / (ROWS - 1)) for k in range(ROWS)}))
    frames = {"mean": some["mean"].to_pandas(), "std": some["std"].to_pandas()}
    both = pd.concat(frames, axis=1).swaplevel(axis=1)
    return both[[(name, kind) for name in predicted.observable.values for kind in frames]]


def draw(predicted: xr.Dataset) -> Figure:
    """Figure of all observables over time."""
    figure, (panels,) = small_multiples(predicted.sizes["observable"], xlabel="time")
    for axes, name in zip(panels, predicted.observable.values, strict=True):
        one = predicted.sel(observable=name)
        band(axes, one.time, one["mean"], one["std"], PALETTE[0], alpha=0.25)
        if "mean_error" in one:
            band(axes, one.time, one["mean"], LIKELY * one.mean_error, PALETTE[0], alpha=0.5)
        axes.plot(one.time, one["mean"], color=PALETTE[0])
        axes.set_title(name)
    return figure


def main(arguments: list[str]) -> None:
    """Print the table and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study")
    parser.add_argument("model")
    parser.add_argument("--counts", required=True, help='molecules at the start, "A=300 B=100"')
    parser.add_argument("--rates", default="", help='other rates by equation, "A -> 2A = 25, B -> 0 = 5"')
    parser.add_argument("--steps", help="time steps, by default as many as were learned from")
    options = parser.parse_args(arguments)
    folder = Path("results", options.study)
    steps = options.steps or None
    if steps and not steps.lstrip("-").isdigit():
        raise ValueError(f"steps: {mismatch(steps, 'a whole number, 1 or more')}")
    closure = load(folder / "models" / options.model)
    predicted = closure.predict(
        counts=numbers("counts", options.counts) or None,
        rates=numbers("rates", options.rates, ","),
        steps=steps and int(steps),
    )
    print(table(predicted).to_string(float_format="{:.1f}".format))
    if closure.system.species and not closure.section["spread"]:
        print("In this model all runs have the mean numbers of molecules: std is that at fixed composition.")
    outside = predicted.excess.values > 0
    if outside.any():
        print(f"From step {outside.argmax()} on outside the grid, where the model knows nothing of the data.")
    file = folder / "predictions" / f"{options.model}.png"
    save(draw(predicted), [file])
    print(file)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, StoreError) as error:
        sys.exit(f"Error: {error}")
