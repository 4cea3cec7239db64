"""What was handled long ago costs nothing: the listener's rate with 1, 10 and 100 times as many rows in inbox and outbox."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from subprocess import Popen

import sqlalchemy as sa

from tests.benchmarks import by_hand
from tests.benchmarks.consume import fill, told_rate
from tests.benchmarks.ground import Ground, cpu_seconds, databases, engine_of
from tests.benchmarks.listener import Table
from tests.benchmarks.measure import Row

ROWS, TIMES, FACTS = 10_000, (1, 10, 100), 40_000
NUMBERS = {
    "sqlite": "(WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) SELECT n FROM n) AS n",
    "postgresql": "generate_series(1, {rows}) AS n (n)",
}
PADDED = {"sqlite": "printf('%012d', n)", "postgresql": "lpad(n::text, 12, '0')"}
INBOX = (
    "INSERT INTO inbox (consumer, source, id, handled_at)"
    " SELECT 'listener', '/fenghe/registry', '0190a000-0000-7000-8000-' || {padded}, '2026-01-01 00:00:00+00' FROM {numbers}"
)
OUTBOX = (
    "INSERT INTO outbox (stream, id, source, type, subject, sequence, community, time, traceparent, dataschema, data,"
    " created_at, entry_id) SELECT 'fenghe:feedback', '0190a000-0000-7000-8000-' || {padded}, '/fenghe/feedback',"
    " 'fenghe.evaluation.recorded.v1', 'old-' || {padded}, 1, 'c', '2026-01-01T00:00:00Z', '', '', '{{}}',"
    " '2026-01-01 00:00:00+00', '1000000000000-' || n FROM {numbers}"
)
TRIMMED = "INSERT INTO trimmed (stream, before) VALUES ('fenghe:feedback', '1000000000001-0')"
"""Their entries were trimmed long ago: healing has nothing to look for."""


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: facts/s with so many rows before; ratio to the fewest."""
    kinds = databases()
    rates: dict[tuple[str, int], list[float]] = {}
    costs: dict[tuple[str, int], list[float]] = {}
    facts = round(FACTS * scale)
    with Ground() as ground:
        for kind in kinds:
            with ExitStack() as stack:
                urls = {times: stack.enter_context(_grown(ground, kind, round(ROWS * scale) * times)) for times in TIMES}
                for turn in range(runs):
                    # There and back: what the machine does meanwhile falls on none of them in particular.
                    for times, url in list(urls.items())[:: -1 if turn % 2 else 1]:
                        rate, cost = _measure(ground, url, facts)
                        rates.setdefault((kind, times), []).append(rate)
                        costs.setdefault((kind, times), []).append(cost)
    for kind in kinds:
        for times in TIMES:
            rows = round(ROWS * scale) * times
            yield Row.of(f"{kind}: {rows:,} rows each in inbox and outbox", "facts/s", rates[kind, times])
        for times in TIMES:
            yield Row.of(f"{kind}: {times}× the rows, processor time", "µs a fact", costs[kind, times])
        for times in TIMES[1:]:
            yield Row.ratios(f"{kind}: {times}× the rows to 1× (aim: 0.9 to 1.1)", rates[kind, times], rates[kind, 1])
            what = f"{kind}: {times}× the rows to 1×, processor time (aim: 0.9 to 1.1)"
            yield Row.ratios(what, costs[kind, times], costs[kind, 1])


@contextmanager
def _grown(ground: Ground, kind: str, rows: int) -> Iterator[str]:
    with ground.database(kind, Table.metadata) as url:
        engine = engine_of(url)
        dialect = engine.dialect.name
        with engine.begin() as connection:
            numbers = NUMBERS[dialect].format(rows=rows)
            for statement in (INBOX, OUTBOX, TRIMMED):
                connection.execute(sa.text(statement.format(padded=PADDED[dialect], numbers=numbers).replace(":", r"\:")))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))
        yield url


def _measure(ground: Ground, url: str, facts: int) -> tuple[float, float]:
    ground.redis.flushall()
    fill(ground, 1)
    command = ["-m", "tests.benchmarks.listener", ground.settings("feedback", url).model_dump_json()]
    with ground.process(command) as process:
        ground.until("the first fact is told", lambda: ground.redis.xlen(by_hand.TOLD) >= 1, process)
        ground.until("it is idle", lambda: _idle(process), process)  # its look for what Redis may have lost is over
        before = ground.redis.xlen(by_hand.TOLD)
        os.kill(process.pid, signal.SIGSTOP)
        fill(ground, facts)
        spent = cpu_seconds(process.pid)
        os.kill(process.pid, signal.SIGCONT)
        ground.until("every fact is told", lambda: ground.redis.xlen(by_hand.TOLD) >= before + facts, process)
        spent = cpu_seconds(process.pid) - spent
    return told_rate(ground, facts), spent * 1e6 / facts


def _idle(process: Popen[bytes]) -> bool:
    before = cpu_seconds(process.pid)
    time.sleep(1)
    return cpu_seconds(process.pid) - before < 0.1
