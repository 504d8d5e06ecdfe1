"""Packages that are installed beside the environment, by ``make .venv/outside/installed``: few need them."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

from dbd.files.netcdf import StoreError

FOLDER = Path(__file__).parents[4] / ".venv" / "outside"


def outside(name: str) -> ModuleType:
    """Import a package from the environment or from beside it; StoreError that says how to install it."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    try:
        return importlib.import_module(name)
    except ImportError:
        raise StoreError(f"the package {name} is missing; `make .venv/outside/installed` installs it") from None
