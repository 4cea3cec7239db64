"""The same as `allocate` at a million needs and twenty million arcs: by name alone, for it takes many minutes and gigabytes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks.allocate import measured
from tests.benchmarks.measure import Row


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """The rows of a million needs, or of so much of it."""
    yield from measured(round(1_000_000 * scale), runs)
