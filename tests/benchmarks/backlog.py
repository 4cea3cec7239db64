"""A listener that comes late: how fast it works off 100,000 facts, and how much memory that takes beyond what it has idle."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import by_hand
from tests.benchmarks.consume import fill, told_rate
from tests.benchmarks.ground import Ground, databases, memory
from tests.benchmarks.listener import Table
from tests.benchmarks.measure import Row

FACTS = 100_000


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: facts/s, and megabytes idle and at the peak, on each database."""
    facts = round(FACTS * scale)
    measured: dict[tuple[str, str], list[float]] = {}
    kinds = databases()
    with Ground() as ground:
        for _ in range(runs):
            for kind in kinds:
                for what, value in _work_off(ground, kind, facts).items():
                    measured.setdefault((kind, what), []).append(value)
    for kind in kinds:
        yield Row.of(f"{kind}: {facts} facts worked off", "facts/s", measured[kind, "rate"])
        idle = Row.of(f"{kind}: memory, idle", "MB", measured[kind, "idle"])
        yield idle
        yield Row.of(f"{kind}: memory, at the peak", "MB", measured[kind, "peak"], idle)


def _work_off(ground: Ground, kind: str, facts: int) -> dict[str, float]:
    ground.redis.flushall()
    fill(ground, 1)
    with ground.database(kind, Table.metadata) as url:
        command = ["-m", "tests.benchmarks.listener", ground.settings("feedback", url).model_dump_json()]
        with ground.process(command) as process:
            ground.until("the first fact is told", lambda: ground.redis.xlen(by_hand.TOLD) == 1, process)
            idle, _ = memory(process.pid)
        fill(ground, facts)
        with ground.process(command) as process:
            ground.until("every fact is told", lambda: ground.redis.xlen(by_hand.TOLD) > facts, process)
            _, peak = memory(process.pid)
    return {"rate": told_rate(ground, facts), "idle": idle, "peak": peak}
