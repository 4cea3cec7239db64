"""Requests read, ranked and referred a second, by one, two and three replicas of matching, by the all-in-one, and by a plain
loop that decides the same on the same database and keeps none of the promises.

Whoever is measured is running and warm. The requests are submitted while Redis lets nobody write (CLIENT PAUSE), so that nobody
begins; then it does, and it is measured by the clock of Redis how long it takes until the last `request.matched` is told.
What commands tell takes no effect at once here (`shared/messaging/at_once.py`), but by way of the stream, as what is told by
other services does: it is the sharing of a stream that is measured.
`python -m tests.benchmarks.scale DATABASE_URL REDIS_URL COMMUNITY` is the plain loop."""

from __future__ import annotations

import http.client
import itertools
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import redis
from sqlmodel import col, select

from services.matching import pairing
from services.matching.models import Request
from shared.database import Database
from shared.events import Fact
from shared.messaging.entries import fields_of
from shared.messaging.streams import stream_of
from shared.messaging.transaction import Transaction
from tests.benchmarks.ground import Ground, databases
from tests.benchmarks.http_load import Bodies, post
from tests.benchmarks.measure import Row
from tests.benchmarks.town import bodies, free_port, quiet, replicas, tell
from tests.matching.given import REQUESTS, Town

REQUESTS_A_RUN = 1200
REPLICAS = (1, 2, 3)
BATCH = 100
STREAM = stream_of("matching")
MATCHED = b"fenghe.request.matched.v1"
HELD = 60_000
"""Milliseconds for which Redis lets nobody write, at most."""
BY_STREAM = """
import sys
from deploy.cli import app
from services.matching.app import service
service.dispatch.at_once = frozenset()
app(sys.argv[1:])
"""
"""The command `fenghe`, with a matching that hears what it tells itself by way of the stream alone."""
_numbers = itertools.count()


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: requests/s of each, and the ratios to one replica and to the plain loop, round by round."""
    requests = max(60, round(REQUESTS_A_RUN * scale))
    rates: dict[str, list[float]] = {}
    kinds = databases()
    with Ground() as ground:
        contestants: dict[str, Callable[[], float]] = {}
        for kind in kinds:
            contestants[f"{kind}: the plain loop"] = partial(_plain, ground, kind, requests)
            for count in REPLICAS if kind == "PostgreSQL" or len(kinds) == 1 else (1,):
                contestants[f"{kind}: matching × {count}"] = partial(_replicas, ground, kind, count, requests)
        contestants["the all-in-one, with all that the others make of it"] = partial(_all_in_one, ground, requests)
        for _ in range(runs):
            for name, contestant in contestants.items():
                rates.setdefault(name, []).append(contestant())
    for name, values in rates.items():
        yield Row.of(name, "requests/s", values)
    for name, values in rates.items():
        kind, _, what = name.partition(": ")
        if what.startswith("matching") and what != "matching × 1":
            yield Row.ratios(f"{name} to matching × 1", values, rates[f"{kind}: matching × 1"])
        if what == "matching × 1":
            yield Row.ratios(f"{name} to the plain loop", values, rates[f"{kind}: the plain loop"])


def _replicas(ground: Ground, kind: str, count: int, requests: int) -> float:
    town = Town()
    with ground.database(kind) as url, replicas(ground, url, town, count, fenghe=("-c", BY_STREAM)) as found:
        ports = [port for port, _ in found]
        body = bodies(town)
        ground.until("every replica has handled a request", lambda: _warm(body, ports))
        ground.until("it is quiet", lambda: quiet(ports[0]))
        return _measured(ground, ground.redis, ports, body, requests)


def _all_in_one(ground: Ground, requests: int) -> float:
    town, port = Town(), free_port()
    data = ground.folder / f"all-{port}"
    with ground.process(["-c", BY_STREAM, "up", "--data", str(data), "--port", str(port)]) as process:
        ground.until("the all-in-one is quiet", lambda: quiet(port), process)
        with redis.Redis.from_url(f"unix://{data / 'valkey' / 'valkey.sock'}") as client:
            tell(client, town)
            ground.until("what it heard has taken effect", lambda: quiet(port))
            body = bodies(town)
            ground.until("it has handled a request", lambda: _warm(body, [port]))
            ground.until("it is quiet", lambda: quiet(port))
            rate = _measured(ground, client, [port], body, requests)
        process.terminate()  # it ends its Valkey itself
        process.wait()
    return rate


def _plain(ground: Ground, kind: str, requests: int) -> float:
    """The requests are taken in by a service that then ends; the loop finds them as it left them."""
    town = Town()
    with ground.database(kind) as url:
        with replicas(ground, url, town, 1, fenghe=("-c", BY_STREAM)) as ((port, _),):
            body = bodies(town)
            ground.until("it has handled a request", lambda: _warm(body, [port]))
            ground.until("it is quiet", lambda: quiet(port))
            ground.redis.execute_command("CLIENT", "PAUSE", HELD, "WRITE")
            _submit([port], body, requests)
        ground.redis.execute_command("CLIENT", "UNPAUSE")
        before = len(_matched(ground.redis))
        with ground.process(["-m", "tests.benchmarks.scale", url, ground.redis_url, town.community]) as process:
            ground.until("all are matched", lambda: len(_matched(ground.redis)) >= before + requests, process)
    # From its first portion on: to start and to learn to read is not what is measured.
    moments = _matched(ground.redis)[before:]
    first = moments[: min(BATCH, len(moments) // 2)]
    return (len(moments) - len(first)) * 1000 / max(1, moments[-1] - first[-1])


def _measured(ground: Ground, client: Any, ports: list[int], body: Bodies, requests: int) -> float:
    before = len(_matched(client))
    client.execute_command("CLIENT", "PAUSE", HELD, "WRITE")
    try:
        _submit(ports, body, requests)
    finally:
        client.execute_command("CLIENT", "UNPAUSE")
    seconds, microseconds = client.time()
    ground.until("all are matched", lambda: len(_matched(client)) >= before + requests)
    return requests * 1000 / max(1.0, _matched(client)[-1] - (seconds * 1000 + microseconds / 1000))


def _matched(client: Any) -> list[int]:
    """When each request was told to be matched: milliseconds of the clock of Redis."""
    return [int(id.split(b"-")[0]) for id, fields in client.xrange(STREAM) if fields[b"type"] == MATCHED]


def _submit(ports: list[int], body: Bodies, requests: int) -> None:
    """Submit requests, to each of the replicas its share."""
    for n, port in enumerate(ports):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for _ in range(n, requests, len(ports)):
            post(connection, REQUESTS, body(next(_numbers)))
        connection.close()


def _warm(body: Bodies, ports: list[int]) -> bool:
    """Send some requests; whether every replica has handled one by now."""
    _submit(ports, body, 2 * len(ports))
    time.sleep(0.05)  # so that one does not take them all
    counters = []
    for port in ports:
        asking = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        asking.request("GET", "/api/matching/metrics")
        counters.append(b'fenghe_facts_handled_total{type="fenghe.request.submitted.v1"}' in asking.getresponse().read())
        asking.close()
    return all(counters)


class Untold(Transaction):
    """A transaction that writes its rows and nothing else: facts are only remembered."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.facts: list[Fact] = []

    def tell(self, fact: Fact) -> None:
        """Remember it."""
        self.facts.append(fact)


def _loop(database_url: str, redis_url: str, community: str) -> None:
    """Match what stands as submitted, so many at a time: a commit, then what was decided to Redis. No inbox, no outbox, no
    acknowledgement, no retry: what breaks off in between is lost or told twice."""
    database, client = Database(database_url), redis.Redis.from_url(redis_url)
    while True:
        told: list[Fact] = []

        def match(session: Any, told: list[Fact] = told) -> int:
            waiting = select(Request.id).where(Request.status == "submitted").order_by(col(Request.id)).limit(BATCH)
            ids = set(session.execute(waiting).scalars())
            tx = Untold(session, "matching", "http://127.0.0.1:8080")
            if ids:
                pairing.pair_submitted(tx, {community}, ids)
            told[:] = tx.facts
            return len(ids)

        if not database.transact(match):
            return
        with client.pipeline(transaction=False) as pipeline:
            for fact in told:
                row = dict.fromkeys(("id", "time", "traceparent", "dataschema"), "-") | {
                    "source": fact.source(),
                    "type": fact.type,
                    "subject": fact.subject,
                    "sequence": 1,
                    "community": fact.community,
                    "data": fact.model_dump_json(),
                }
                pipeline.xadd(STREAM, fields_of(row))  # type: ignore[arg-type]
            pipeline.execute()


if __name__ == "__main__":
    _loop(*sys.argv[1:])
