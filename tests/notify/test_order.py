"""The stream of the feed stands in the order of its list, whatever replica sends: who has read as far as a fact, and asks the
list for what comes after it, misses nothing. On SQLite there is one process, with one relay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa

from services.notify import handlers
from services.notify.app import service
from services.notify.models import FeedFact
from shared.messaging import feeding
from shared.messaging.testing import Harness
from shared.service import Service
from shared.settings import Settings
from tests.messaging.test_supervision import until
from tests.notify.given import Neighbourhood

FEED = "fenghe:feed"


@pytest.fixture
def replicas(settings: Callable[[Service], Settings]) -> Iterator[list[Harness]]:
    given = settings(service).model_copy(update={"sole": False, "sweep_age": 2.0})
    with ExitStack() as stack:
        yield [stack.enter_context(Harness(service, given)) for _ in range(3)]


def retell(replica: Harness, fenghe: Neighbourhood) -> str:
    """A fact comes into the feed by this replica; its id."""
    event = replica.event(fenghe.registered())
    replica.host.run(handlers.feed_public_facts, [event])
    return event.id


def stream(replica: Harness) -> list[str]:
    """The facts of the stream, each where it stands first."""
    return list(dict.fromkeys(fields[b"id"].decode() for _, fields in replica.redis.xrange(FEED)))


def listed(replica: Harness) -> list[str]:
    return [row.fact for row in sorted(replica.rows(FeedFact), key=lambda row: row.position)]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_many_replicas_tell_at_once_stands_in_one_order(replicas: list[Harness]) -> None:
    fenghe = Neighbourhood()
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda number: retell(replicas[number % 3], fenghe), range(300)))
    until(lambda: len(stream(replicas[0])) == 300)
    assert stream(replicas[0]) == listed(replicas[0])
    assert sorted(told) == sorted(stream(replicas[0]))


def test_what_a_replica_left_unsent_is_sent_before_what_came_after_it(
    replicas: list[Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if it had died, or had been cut off, between commit and sending."""
    fenghe = Neighbourhood()
    dead, alive, _ = replicas
    relay: Any = dead.host._relay
    monkeypatch.setattr(relay, "offer", lambda rows: None)
    first, second = retell(dead, fenghe), retell(dead, fenghe)
    third = retell(alive, fenghe)
    until(lambda: third in stream(alive))
    assert stream(alive) == [first, second, third]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_replica_that_stands_still_in_its_turn_loses_it(replicas: list[Harness], monkeypatch: pytest.MonkeyPatch) -> None:
    fenghe = Neighbourhood()
    host = replicas[0].host
    with host.database.engine.connect() as hanging:
        assert hanging.execute(sa.select(sa.func.pg_try_advisory_xact_lock(feeding.LOCK))).scalar()
        told = [retell(replica, fenghe) for replica in replicas]
        assert stream(replicas[0]) == []
        hanging.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = '500ms'"))
        until(lambda: stream(replicas[0]) == told)
        hanging.invalidate()


def test_what_redis_lost_is_sent_again_in_its_order(replicas: list[Harness]) -> None:
    fenghe = Neighbourhood()
    told = [retell(replicas[number % 2], fenghe) for number in range(30)]
    until(lambda: len(stream(replicas[0])) == 30)
    replicas[0].redis.flushall()
    until(lambda: len(stream(replicas[0])) == 30)
    assert stream(replicas[0]) == told == listed(replicas[0])
