"""One run at a time in a folder, and no lock left behind by a killed one.

Snakemake locks its working folder, and a killed Snakemake leaves the lock there. It is taken away if the run that left
it was on this machine and no Snakemake is at work in the folder any more; never under one that is.
"""

import fcntl
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


class Locked(RuntimeError):
    """The folder is taken, in one line."""


@contextmanager
def only_run(folder: Path, unlock: Callable[[], object]) -> Iterator[None]:
    """Hold a folder for a run; call `unlock` first if a killed run has left it locked.

    Raises
    ------
    Locked
        If another run is at work in the folder, or may be, on another machine.
    """
    state = folder / ".snakemake"
    state.mkdir(exist_ok=True)
    with (state / "run").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # gone with this process, however it ends
        except BlockingIOError:
            raise Locked(f"{folder}: another run is at work here; wait until it has ended") from None
        if any((state / "locks").glob("*.lock")):
            file.seek(0)
            machine = file.read() or "an unknown machine"
            if holders := holding(folder):
                raise Locked(f"{folder}: Snakemake is at work here (process {holders[0]}); wait until it has ended")
            if machine != socket.gethostname():
                raise Locked(f"{folder}: locked by a run on {machine}; if it has ended: .venv/bin/snakemake --unlock")
            unlock()
        file.truncate(0)
        file.write(socket.gethostname())
        file.flush()
        yield


def holding(folder: Path) -> list[int]:
    """Processes on this machine that may hold the lock of a folder: each Snakemake at work there but for its jobs.

    A Snakemake of which the system does not tell where it is at work counts too.
    """
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if not _locks(command) or process.status() == psutil.STATUS_ZOMBIE:
                continue
            elsewhere = Path(process.cwd()) != folder.resolve()
        except psutil.AccessDenied:
            elsewhere = False
        except psutil.NoSuchProcess:
            continue
        if not elsewhere:
            found.append(process.pid)
    return found


def _locks(command: list[str]) -> bool:
    """Whether a command line is that of a Snakemake that takes the lock, which its jobs do not."""
    program = command[1:2] if command[1:2] != ["-m"] else command[2:3]
    return [Path(word).name for word in program] == ["snakemake"] and "--nolock" not in command
