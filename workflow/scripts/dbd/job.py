"""What every job does around its work: a log, plain progress lines, and expected errors in one line."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from threadpoolctl import threadpool_limits

from dbd.files.netcdf import StoreError

LOGGER = logging.getLogger("dbd")


@contextmanager
def job(log: str | Path) -> Iterator[logging.Logger]:
    """Run a job's work with a log file, and with one BLAS thread so that results do not depend on cores.

    A file that cannot be read or written and a lack of memory become one line on the error stream and exit code 1;
    anything else is a defect and keeps its traceback, which goes to the log as well.
    """
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=log, filemode="w", format="%(message)s", force=True)
    LOGGER.setLevel(logging.INFO)
    try:
        with threadpool_limits(1):
            yield LOGGER
    except (StoreError, OSError, MemoryError) as error:
        reason = str(error) or "out of memory"
        LOGGER.error("%s", reason)
        sys.exit(f"Error: {reason}")
    except Exception:
        LOGGER.exception("failed")
        raise


def progress(items: Iterable, total: int, what: str) -> Iterator:
    """Pass items on and log the share of the work that is done, ten lines in all."""
    marks = {round(total * tenth / 10) for tenth in range(1, 11)}
    for done, item in enumerate(items, start=1):
        yield item
        if done in marks:
            LOGGER.info("%s: %d of %d", what, done, total)
