"""What every benchmark shares: a row of figures, medians with their range, and a line about the machine."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Row:
    """One measured thing: the median of some runs and their range, in `unit`; `ratio` to the row it stands beside."""

    what: str
    unit: str
    runs: int
    median: float
    low: float
    high: float
    ratio: float | None = None
    beside: str | None = None

    @classmethod
    def of(cls, what: str, unit: str, values: Sequence[float], beside: Row | None = None) -> Row:
        """The row of some runs' values."""
        median = statistics.median(values)
        ratio = round(median / beside.median, 3) if beside and beside.median else None
        return cls(what, unit, len(values), *map(_rounded, (median, min(values), max(values))), ratio, beside and beside.what)

    @classmethod
    def ratios(cls, what: str, values: Sequence[float], beside: Sequence[float]) -> Row:
        """How many times as much as what was measured beside it, round by round."""
        return cls.of(what, "×", [value / other for value, other in zip(values, beside, strict=True)])

    def as_dict(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def machine() -> str:
    """A line about the machine: what it is, and how busy."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load:.1f}"
    )


def _rounded(value: float) -> float:
    return round(value, 3) if value < 100 else round(value, 1)
