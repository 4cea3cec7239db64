"""At 100 requests a second: how long until a fact is in its stream, and until somebody who submitted a request is matched; and
beside it the floor, which is two commits and the hops over the stream, written by hand, with no HTTP and nothing decided."""

from __future__ import annotations

import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import redis
import sqlalchemy as sa

from shared.events.matching import RequestMatched, RequestSubmitted
from shared.identifiers import new_id
from shared.messaging.streams import stream_of
from shared.messaging.tables import outbox
from tests.benchmarks.ground import Ground, cpu_seconds, databases, engine_of, family
from tests.benchmarks.http_load import at_rate, background
from tests.benchmarks.measure import Row
from tests.benchmarks.town import bodies, replicas
from tests.matching.given import REQUESTS, Town

RATE = 100.0
REQUESTS_A_RUN, WARM = 1000, 200
STREAM = stream_of("matching")
FIRST, SECOND = "bench:asked", "bench:answered"


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows, in milliseconds: p50 and p99 of each, over the runs."""
    measured: dict[tuple[str, str], list[list[float]]] = {}
    costs: dict[tuple[str, str], list[float]] = {}
    kinds = databases()
    # SQLite has one writer: there a second worker would wait for the first.
    contestants = [(kind, kind, 1) for kind in kinds] + [(f"{kind}, two workers", kind, 2) for kind in kinds[1:]]
    with Ground() as ground:
        for _ in range(runs):
            for kind in kinds:
                measured.setdefault((kind, "floor"), []).append(sorted(_floor(ground, kind, scale)))
            for name, kind, workers in contestants:
                told, matched, (own, others) = _measure(ground, kind, workers, scale)
                costs.setdefault((name, "matching"), []).append(own)
                costs.setdefault((name, "sending and reading"), []).append(others)
                for what, values in (("told", told), ("matched", matched)):
                    measured.setdefault((name, what), []).append(sorted(values))
    floors = {}
    for kind in kinds:
        floors[kind] = _row(f"{kind}: the floor, two commits and the hops by hand, p50", measured[kind, "floor"], 50)
        yield floors[kind]
        yield _row(f"{kind}: the floor, p99", measured[kind, "floor"], 99)
    for kind, database, _ in contestants:
        rows, floor = {what: measured[kind, what] for what in ("told", "matched")}, floors[database]
        yield _row(f"{kind}: from right before a fact's commit until it is in the stream, p50 (aim: 5)", rows["told"], 50)
        yield _row(f"{kind}: from right before a fact's commit until it is in the stream, p99", rows["told"], 99)
        yield _row(f"{kind}: from POST /requests until a reader has request.matched, p50 (aim: 15)", rows["matched"], 50, floor)
        yield _row(f"{kind}: from POST /requests until a reader has request.matched, p99 (aim: 60)", rows["matched"], 99)
        for who in ("matching", "sending and reading"):
            yield Row.of(f"{kind}: processor time of a request, {who}", "ms", costs[kind, who])


def _row(what: str, rounds: list[list[float]], percentile: int, beside: Row | None = None) -> Row:
    return Row.of(what, "ms", [statistics.quantiles(values, n=100)[percentile - 1] for values in rounds], beside)


def _measure(ground: Ground, kind: str, workers: int, scale: float) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds of each request until it was told, and until it was matched; and of a request, the processor time of
    matching and of whoever sends and reads."""
    seen: dict[str, float] = {}
    warm, requests = (round(number * max(scale, 0.2)) for number in (WARM, REQUESTS_A_RUN))
    town = Town()
    text = bodies(town)
    with ground.database(kind) as url, replicas(ground, url, town, 1, workers) as ((port, pid),):

        def read(ended: threading.Event) -> None:
            for now, _, fields in _follow(ground.redis_url, STREAM, ended):
                if fields[b"type"].decode() == RequestMatched.type:
                    seen[fields[b"subject"].decode()] = now

        with background(read):
            # The first request makes it learn to read; that is done once and not what is measured.
            first = at_rate(port, REQUESTS, text, RATE, 1)
            ground.until("the first request is matched", lambda: set(first) <= set(seen))
            spent = [sum(map(cpu_seconds, family(pid))), time.process_time()]
            sent = at_rate(port, REQUESTS, lambda n: text(n + 1), RATE, requests)
            ground.until("every request is matched", lambda: set(sent) <= set(seen))
            spent = [sum(map(cpu_seconds, family(pid))) - spent[0], time.process_time() - spent[1]]
        told = _until_in_the_stream(ground, url)
    in_order = sorted(sent, key=lambda id: sent[id])[warm:]
    return told[warm:], [(seen[id] - sent[id]) * 1000 for id in in_order], [seconds * 1000 / requests for seconds in spent]


def _until_in_the_stream(ground: Ground, url: str) -> list[float]:
    """Milliseconds from the writing of a transaction's outbox rows, the last before its commit, until a submitted request had
    its entry."""
    submitted = outbox.c.type == RequestSubmitted.type
    unmarked = sa.select(sa.func.count()).where(submitted, outbox.c.entry_id.is_(None))
    told = sa.select(outbox.c.created_at, outbox.c.entry_id).where(submitted).order_by(outbox.c.id)
    engine = engine_of(url)

    def marked() -> bool:
        with engine.connect() as connection:
            return connection.scalar(unmarked) == 0

    try:
        ground.until("every fact is marked as sent", marked)
        with engine.connect() as connection:
            # An entry's id has whole milliseconds.
            return [int(entry.split("-")[0]) + 0.5 - at.timestamp() * 1000 for at, entry in connection.execute(told)]
    finally:
        engine.dispose()


def _floor(ground: Ground, kind: str, scale: float) -> list[float]:
    """A row and an entry; whoever reads it writes a row and an entry; whoever reads that takes the time."""
    warm, requests = (round(number * max(scale, 0.2)) for number in (WARM, REQUESTS_A_RUN))
    ground.redis.flushall()
    seen: dict[bytes, float] = {}
    sent: dict[bytes, float] = {}
    with ground.database(kind) as url:
        asking, answering = _commits(url), _commits(url)
        asking("CREATE TABLE plain (id TEXT PRIMARY KEY, words TEXT NOT NULL)")

        def answer(ended: threading.Event) -> None:
            client: Any = redis.Redis.from_url(ground.redis_url)
            for _, _, fields in _follow(ground.redis_url, FIRST, ended):
                answering(f"INSERT INTO plain VALUES ('answer {fields[b'id'].decode()}', 'x')")
                client.xadd(SECOND, fields)

        def read(ended: threading.Event) -> None:
            for now, _, fields in _follow(ground.redis_url, SECOND, ended):
                seen[fields[b"id"]] = now

        with background(answer), background(read):
            began = time.time() + 0.2
            for n in range(requests):
                moment = began + n / RATE
                time.sleep(max(0.0, moment - time.time()))
                id = new_id()
                sent[id.encode()] = moment
                asking(f"INSERT INTO plain VALUES ('{id}', 'x')")
                ground.redis.xadd(FIRST, {"id": id})
            ground.until("every answer is there", lambda: set(sent) <= set(seen))
    return [(seen[id] - moment) * 1000 for id, moment in list(sent.items())[warm:]]


def _commits(url: str) -> Any:
    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
    else:
        connection = psycopg.connect(url, autocommit=True)
    return connection.execute


def _follow(redis_url: str, stream: str, ended: threading.Event) -> Iterator[tuple[float, bytes, dict[bytes, bytes]]]:
    """The entries of a stream from now on, each with the moment at which it was seen."""
    last: Any = "0"
    with redis.Redis.from_url(redis_url) as client:
        while not ended.is_set():
            for _, told in client.xread({stream: last}, block=100) or []:
                now = time.time()
                last = told[-1][0]
                for id, fields in told:
                    yield now, id, fields
