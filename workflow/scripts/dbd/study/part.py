"""A part of an ensemble: what one job simulates."""

import re
from itertools import product
from typing import NamedTuple

from dbd.messages import mismatch


class Part(NamedTuple):
    """Initial conditions and runs of one job, as ranges; as text it is ``ic0-10_run0-100``, ends excluded."""

    conditions: range
    runs: range

    PATTERN = r"ic\d+-\d+_run\d+-\d+"

    @classmethod
    def parse(cls, name: str) -> "Part":
        """Return the part of a name; ValueError if it is none."""
        if not re.fullmatch(cls.PATTERN, name):
            raise ValueError(f"part: {mismatch(name, 'one like ic0-10_run0-100')}")
        first, last, first_run, last_run = map(int, re.findall(r"\d+", name))
        return cls(range(first, last), range(first_run, last_run))

    @classmethod
    def all(cls, conditions: int, runs: int, most_conditions: int, most_runs: int) -> list["Part"]:
        """Parts of an ensemble on a fixed grid: `most` of each in a part, fewer in the last ones."""

        def cut(number: int, most: int) -> list[range]:
            return [range(first, min(first + most, number)) for first in range(0, number, most)]

        return [cls(*part) for part in product(cut(conditions, most_conditions), cut(runs, most_runs))]

    def __str__(self) -> str:
        conditions, runs = self
        return f"ic{conditions.start}-{conditions.stop}_run{runs.start}-{runs.stop}"
