"""Tables as CSV, each with a second file that holds its checksum, as ``sha256sum --check`` reads it."""

from pathlib import Path

import pandas as pd

from dbd.files.netcdf import StoreError, file_hash, replacing


def write_table(table: pd.DataFrame, path: str | Path, digits: int = 6) -> None:
    """Write a table with `digits` significant digits, and its checksum; raises StoreError if it cannot be written."""
    path = Path(path)
    with replacing(path) as partial:
        table.to_csv(partial, index=False, float_format=f"%.{digits}g")
        checksum = file_hash(partial)
    with replacing(_checksum(path)) as partial:
        partial.write_text(f"{checksum}  {path.name}\n", encoding="ascii")


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table; raises StoreError if it is missing, truncated or corrupt."""
    path = Path(path)
    try:
        sound = _checksum(path).read_text(encoding="ascii").split()[0] == file_hash(path)
    except FileNotFoundError as error:
        raise StoreError(f"{error.filename}: no such file") from None
    except (UnicodeDecodeError, IndexError):
        sound = False
    if not sound:
        raise StoreError(f"{path}: truncated or corrupt table; delete it and run again to restore it")
    return pd.read_csv(path)


def _checksum(path: Path) -> Path:
    """File that holds the checksum of a table."""
    return path.with_name(f"{path.name}.sha256")
