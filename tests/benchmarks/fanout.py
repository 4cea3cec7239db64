"""How many deliveries of webhooks there are in a second, to a receiver on this machine, with one subscription and with a
hundred; and how many events readers of the stream get. Beside each the plain loop that does the same without the guarantees."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from services.notify.models import FeedFact, Webhook
from shared import clock
from shared.events import Fact, json_format
from shared.identifiers import new_id
from shared.messaging import entries
from shared.messaging.streams import stream_of
from tests.benchmarks.ground import ROOT, Ground, cpu_seconds, databases, engine_of, environment_of
from tests.benchmarks.measure import Row
from tests.benchmarks.town import free_port
from tests.feedback.given import organization_registered

DELIVERIES = {1: 3000, 100: 60}
"""Facts that are sent, by how many subscriptions get each."""
FEWEST = 30
"""Facts of the shortest run: whoever prepares eight requests a subscription before the first arrives would look fast."""
READERS, EVENTS = 200, 500
SECRET = "whsec_" + "ab" * 16
COMMUNITY = new_id()
Measured = tuple[float, float]
"""So many a second, and the processor time of one, in microseconds."""


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: deliveries or events a second, and processor time of each in microseconds; ratios to the plain loop."""
    kinds = databases()
    measured: dict[tuple[str, str], list[Measured]] = {}
    with Ground() as ground:
        for _ in range(runs):
            for kind in kinds:
                for subscriptions, facts in DELIVERIES.items():
                    count = max(FEWEST, round(facts * scale))
                    what = f"{kind}: {subscriptions} subscription{'s' * (subscriptions > 1)}"
                    for by_hand in (True, False):
                        found = _deliver(ground, kind, subscriptions, count, by_hand)
                        measured.setdefault((what, "by hand" if by_hand else "webhooks"), []).append(found)
            events = max(20, round(EVENTS * scale))
            what = f"{READERS} readers of the stream"
            measured.setdefault((what, "by hand"), []).append(_read_by_hand(ground, events))
            measured.setdefault((what, "stream"), []).append(_read(ground, events))
    rows: dict[str, list[Row]] = {}
    for (what, way), values in measured.items():
        unit = "events/s" if "stream" in what else "deliveries/s"
        beside = rows.get(what, [None, None])
        pair = [
            Row.of(f"{what}, {way}", unit, [rate for rate, _ in values], beside[0]),
            Row.of(f"{what}, {way}: processor time", "µs each", [cpu for _, cpu in values], beside[1]),
        ]
        rows.setdefault(what, pair)
        yield from pair


def _facts(count: int) -> list[dict[str, str]]:
    """Facts about as many organizations, as they stand on a stream."""
    facts: list[Fact] = [organization_registered(COMMUNITY, new_id()) for _ in range(count)]
    return [
        {
            "id": new_id(),
            "source": fact.source(),
            "type": fact.type,
            "subject": fact.subject,
            "sequence": "0000000001",
            "community": COMMUNITY,
            "time": "2026-11-22T09:30:00Z",
            "traceparent": "",
            "dataschema": fact.schema_path(),
            "data": fact.model_dump_json(),
        }
        for fact in facts
    ]


@contextmanager
def _receiver(ground: Ground) -> Iterator[int]:
    port = free_port()
    with ground.process(["-m", "tests.benchmarks.outsiders", "receiver", str(port)]) as process:
        ground.until("the receiver answers", lambda: _received(port) is not None, process)
        yield port


def _received(port: int) -> dict[str, Any] | None:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        told: dict[str, Any] = json.loads(connection.getresponse().read())
        return told
    except OSError:
        return None


def _deliver(ground: Ground, kind: str, subscriptions: int, facts: int, by_hand: bool) -> Measured:
    """Facts are in the feed already when sending begins; measured from the first arrival to the last."""
    wanted = facts * subscriptions
    ground.redis.flushall()
    with ground.database(kind) as url, _receiver(ground) as port:
        environment = environment_of(
            ground.settings("notify", url, port=free_port(), webhook_public=False, webhook_allow="127.0.0.1")
        )
        with ground.process(["-m", "deploy.cli", "migrate", "notify"], **environment) as migrating:
            assert migrating.wait() == 0, (ground.folder / "processes.log").read_text()[-3000:]
        _fill(url, facts, subscriptions, port)
        plain = ["-m", "tests.benchmarks.fanout_by_hand", "webhooks", url, str(port), str(subscriptions)]
        with ground.process(plain if by_hand else ["-m", "deploy.cli", "run", "notify"], **environment) as process:
            began: list[float] = []

            def arrived() -> bool:
                told = _received(port)
                if told and told["count"] and not began:
                    began.append(cpu_seconds(process.pid) if process.poll() is None else 0.0)
                    counted.append(told["count"])
                if process.poll() is None:
                    used.append(cpu_seconds(process.pid))
                return bool(told and told["count"] >= wanted)

            counted: list[int] = []
            used: list[float] = [0.0]
            ground.until("every delivery has arrived", arrived)
            told = _received(port)
            assert told is not None and told["count"] == wanted, told
    sent = max(1, wanted - counted[0])
    return wanted / max(told["seconds"], 1e-6), (used[-1] - began[0]) / sent * 1e6


def _fill(url: str, facts: int, subscriptions: int, port: int) -> None:
    rows = [
        {
            "id": new_id(),
            "position": position,
            "fact": fields["id"],
            "event": json_format(fields),
            **{name: fields[name] for name in ("source", "type", "subject", "community")},
        }
        for position, fields in enumerate(_facts(facts), start=1)
    ]
    subscribed = [
        {
            "id": new_id(),
            "community": COMMUNITY,
            "url": f"http://127.0.0.1:{port}/{number}",
            "description": "",
            "types": [],
            "subject": None,
            "everywhere": False,
            "status": "active",
            "secret": SECRET,
            "position": 0,
            "failures": 0,
            "lease": 0,
            "created_at": clock.now(),
        }
        for number in range(subscriptions)
    ]
    with engine_of(url).begin() as connection:
        for model, values in ((FeedFact, rows), (Webhook, subscribed)):
            connection.execute(sa.insert(model.__table__), values)  # type: ignore[attr-defined]


def _read(ground: Ground, events: int) -> Measured:
    ground.redis.flushall()
    with ground.database("SQLite") as url:
        port = free_port()
        environment = environment_of(ground.settings("notify", url, port=port))
        with ground.process(["-m", "deploy.cli", "migrate", "notify"], **environment) as migrating:
            assert migrating.wait() == 0, (ground.folder / "processes.log").read_text()[-3000:]
        with ground.process(["-m", "deploy.cli", "run", "notify"], **environment) as process:
            return _stream(ground, port, events, process)


def _read_by_hand(ground: Ground, events: int) -> Measured:
    ground.redis.flushall()
    port = free_port()
    command = ["-m", "tests.benchmarks.fanout_by_hand", "stream", ground.redis_url, str(port)]
    with ground.process(command) as process:
        return _stream(ground, port, events, process)


def _stream(ground: Ground, port: int, events: int, process: subprocess.Popen[bytes]) -> Measured:
    """Readers are there before the facts are told; measured from the first event any of them gets to the last."""
    ground.until("it listens", lambda: _listens(port), process)
    command = [sys.executable, "-m", "tests.benchmarks.outsiders", "readers", str(port), str(READERS), str(events)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as readers:
        assert readers.stdout is not None
        assert readers.stdout.readline() == "ready\n"
        before = cpu_seconds(process.pid)
        told = _facts(events)
        with ground.redis.pipeline(transaction=False) as pipeline:
            for fields in told:
                pipeline.xadd(stream_of("registry"), entries.fields_of({**fields, "sequence": 1}))
            pipeline.execute()
        seconds = float(readers.stdout.readline())
        used = cpu_seconds(process.pid) - before
    return READERS * events / seconds, used / (READERS * events) * 1e6


def _listens(port: int) -> bool:
    try:
        http.client.HTTPConnection("127.0.0.1", port, timeout=5).connect()
    except OSError:
        return False
    return True
