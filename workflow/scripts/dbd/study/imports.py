"""What a file imports: the walk that tells which library files a job depends on. Nothing is run.

A package is a folder whose ``__init__.py`` holds a docstring only, so that importing from it runs its modules and
nothing else. Relative imports are refused. With these two rules no dependency can go unseen.
"""

import ast
import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from dbd.messages import mismatch


class HiddenImport(ImportError):
    """An import whose dependency cannot be told from the text."""


class Imports(NamedTuple):
    """Files of the library, and names of packages from elsewhere that are not in the standard library."""

    files: frozenset[Path]
    packages: frozenset[str]


def _names(file: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Modules that a file imports, each with what is imported from it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise HiddenImport(f"{file}, line {node.lineno}: {mismatch('a relative import', 'an absolute one')}")
            yield node.module, tuple(alias.name for alias in node.names)


def _check_package(folder: Path) -> None:
    """Raise HiddenImport unless a package's ``__init__.py`` holds a docstring and nothing else."""
    file = folder / "__init__.py"
    body = ast.parse(file.read_text(encoding="utf-8")).body if file.exists() else []
    if len(body) != 1 or not isinstance(body[0], ast.Expr) or not isinstance(body[0].value, ast.Constant):
        raise HiddenImport(f"{file}: {mismatch('code or nothing', 'a docstring only')}")


@cache
def imports(file: Path, root: Path) -> Imports:
    """What one file imports; library modules are those below `root`.

    Raises
    ------
    HiddenImport
        For a relative import, a package that holds code, a star, or a module of the library that does not exist.
    """
    files, packages = set(), set()
    for module, names in _names(file):
        top, *folders = module.split(".")
        if not (root / top).is_dir() and not (root / f"{top}.py").exists():
            if top not in sys.stdlib_module_names:
                packages.add(top)
            continue
        place = root.joinpath(top, *folders)
        for package in (place, *place.parents[: len(folders)]):
            if package.is_dir():
                _check_package(package)
        wanted = [place / name for name in names] if place.is_dir() else [place]
        for path in (path.with_suffix(".py") for path in wanted):
            if not path.exists():
                raise HiddenImport(f"{file}: {module}: {mismatch(path.stem, 'a module of the library')}")
            files.add(path)
    return Imports(frozenset(files), frozenset(packages))


def walk(file: Path, root: Path) -> Imports:
    """What a file imports, directly or through the library, and the file itself."""
    files, packages, ahead = {file}, set(), [file]
    while ahead:
        found = imports(ahead.pop(), root)
        packages |= found.packages
        ahead += found.files - files
        files |= found.files
    return Imports(frozenset(files), frozenset(packages))


def library_files(script: Path) -> frozenset[Path]:
    """A script and all library files that it needs; the library is in its folder."""
    return walk(script, script.parent).files


def kernel_cache(scripts: Path) -> Path:
    """Folder of compiled kernels below the current one, another for every state of the library in `scripts`.

    A compiled kernel does not notice a change in a callee of another module.
    """
    sources = b"".join(map(Path.read_bytes, sorted(scripts.glob("dbd/**/*.py"))))
    return Path(".snakemake", "numba", hashlib.sha256(sources).hexdigest()[:16]).resolve()
