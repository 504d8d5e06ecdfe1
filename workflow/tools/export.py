"""Write a learned model to a file that other programs run without this project.

    python workflow/tools/export.py epidemic pairs python --counts "A=25 S=170 R=20"

The file is ``results/<study>/exports/<model>`` with the suffix of the format. Without counts it starts as the first
training initial condition.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from dbd.study.imports import kernel_cache  # noqa: E402

os.environ.setdefault("NUMBA_CACHE_DIR", str(kernel_cache(ROOT / "workflow" / "scripts")))
sys.path.append(str(ROOT / ".venv" / "export"))  # antimony, if it is installed

from predict import numbers  # noqa: E402

from dbd.closure.export import FORMATS, export, step_error  # noqa: E402
from dbd.closure.model import load  # noqa: E402
from dbd.files.netcdf import StoreError, replacing  # noqa: E402


def main(arguments: list[str]) -> None:
    """Write the file and print its name."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study")
    parser.add_argument("model")
    parser.add_argument("format", help=", ".join(FORMATS))
    parser.add_argument("--counts", default="", help='molecules at the start, "A=300 B=100"')
    options = parser.parse_args(arguments)
    folder = Path("results", options.study)
    closure, counts = load(folder / "models" / options.model), numbers("counts", options.counts) or None
    text = export(closure, options.format, counts)
    file = folder / "exports" / f"{options.model}{FORMATS[options.format].suffix}"
    with replacing(file) as partial:
        partial.write_text(text, encoding="utf-8")
    print(f"With steps half as long its trajectory differs by {step_error(closure, counts):.0e} of its range.")
    print(file)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (ValueError, StoreError) as error:
        sys.exit(f"Error: {error}")
