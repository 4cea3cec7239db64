"""What has served its time goes; what a group still needs stays, and is not taken for lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared.messaging import tables
from shared.messaging.healing import republish
from shared.messaging.housekeeping import Housekeeper
from shared.messaging.outbox import mark_sent
from shared.messaging.streams import FEED, epoch_of
from shared.messaging.testing import Harness
from tests.messaging.child import service
from tests.messaging.test_healing import STREAM, on_stream, tell
from tests.messaging.test_supervision import until

NOTHING = timedelta(0)


def housekeeper(running: Harness, retention: timedelta, stream_age: timedelta) -> Housekeeper:
    return Housekeeper(running.host.database, running.redis, [STREAM], retention, stream_age)


def rows(running: Harness, table: sa.Table) -> int:
    with running.session() as session:
        return session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_what_has_served_its_time_goes(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 6)
    running.drain()
    housekeeper(running, timedelta(days=1), timedelta(days=1)).clean()
    assert (rows(running, tables.outbox), running.redis.xlen(STREAM)) == (12, 12)
    housekeeper(running, -timedelta(days=30), -timedelta(seconds=5)).clean()
    assert rows(running, tables.outbox) == 6
    assert rows(running, tables.inbox) == 0
    assert running.redis.xlen(STREAM) == 0


def test_a_stream_is_not_trimmed_past_a_group_that_stands_still(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    running.redis.xgroup_create(STREAM, "stands-still", id="0", mkstream=True)
    tell(running, 0, 6)
    running.drain()
    running.redis.xreadgroup("stands-still", "reader", {STREAM: ">"}, count=4)
    running.redis.xack(STREAM, "stands-still", *[id for id, _ in running.redis.xrange(STREAM, count=3)])
    housekeeper(running, timedelta(days=1), -timedelta(seconds=5)).clean()
    assert running.redis.xlen(STREAM) == 9
    running.redis.xgroup_destroy(STREAM, "stands-still")
    housekeeper(running, timedelta(days=1), -timedelta(seconds=5)).clean()
    assert running.redis.xlen(STREAM) == 0


def test_what_was_trimmed_is_not_taken_for_lost(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 6)
    running.drain()
    horizon = running.redis.xrange(STREAM)[8][0].decode()
    seconds = running.redis.time()[0] - int(horizon.partition("-")[0]) / 1000
    housekeeper(running, timedelta(days=1), timedelta(seconds=seconds - 5)).clean()
    assert running.redis.xlen(STREAM) == 0
    running.redis.delete(epoch_of(STREAM))
    until(lambda: running.redis.exists(epoch_of(STREAM)) == 1)
    running.drain()
    assert on_stream(running.redis) == []


def test_the_feed_waits_for_no_outsider_and_keeps_its_last_entry(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    running.redis.xgroup_create(FEED, "an-outsider-who-never-came-back", id="0", mkstream=True)
    entries = [running.redis.xadd(FEED, {"a": "b"}) for _ in range(3)]
    running.redis.xreadgroup("an-outsider-who-never-came-back", "reader", {FEED: ">"}, count=1)
    for age in (timedelta(days=1), -timedelta(seconds=5), -timedelta(seconds=5)):
        Housekeeper(running.host.database, running.redis, [FEED], timedelta(days=1), age).clean()
        left = entries if age > NOTHING else entries[-1:]
        assert [id for id, _ in running.redis.xrange(FEED)] == left


def test_what_was_trimmed_before_it_was_marked_is_sent_again(
    harness: Callable[[Any], Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = harness(service)
    tell(running, 0, 1)
    running.drain()
    relay: Any = running.host._relay
    passed_over, sweep = threading.Event(), relay._sweep

    def look_away(before: datetime) -> None:
        relay._sweep_due = time.monotonic() + 0.1
        passed_over.set()

    monkeypatch.setattr(relay, "_sweep", look_away)
    assert passed_over.wait(60)  # or, on a slow machine, it would send them again before they are looked at
    with running.session() as session:
        sent = [
            tuple(row) for row in session.execute(sa.select(*(tables.outbox.c[name] for name in ("stream", "id", "entry_id"))))
        ]
    # As if the relay had sent them and not come to mark them, when a listener lost everything and the stream its past.
    running.host.database.transact(lambda session: session.execute(sa.update(tables.outbox).values(entry_id=None)))
    housekeeper(running, timedelta(days=1), NOTHING).clean()
    assert running.host.database.transact(republish) == 0
    running.host.database.transact(lambda session: mark_sent(session, sent))
    monkeypatch.setattr(relay, "_sweep", sweep)
    until(lambda: running.redis.xlen(STREAM) == len(sent))
    assert {fields[b"id"].decode() for _, fields in running.redis.xrange(STREAM)} == {id for _, id, _ in sent}
