"""Redis or the database goes wrong under a running service; the service goes on by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import redis

from shared import database
from shared.messaging.entries import fields_of
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from tests.messaging import lending
from tests.messaging.listener import Offer, offer, service


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until the condition holds; fail at the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the deadline has passed"
        time.sleep(0.01)


def ready(listener: Harness) -> bool:
    return bool(listener.client.get(f"/api/{listener.service.name}/health/ready").status_code == 200)


def stands(listener: Harness, stream: str) -> bool:
    """Whether the listener's group is there."""
    try:
        return listener.service.group in [one["name"].decode() for one in listener.redis.xinfo_groups(stream)]
    except redis.ResponseError:  # not even the stream is
        return False


def test_a_stream_and_its_group_that_vanish_are_made_again_and_read_again(harness: Callable[[Any], Harness]) -> None:
    listener = harness(service)
    listener.hear(offer(1, "before"))
    listener.redis.flushall()
    until(lambda: stands(listener, "fenghe:registry"))
    until(lambda: ready(listener))
    listener.hear(offer(2, "after"))
    assert {row.title for row in listener.rows(Offer)} == {"before", "after"}


def test_who_waits_for_a_turn_to_write_in_vain_is_told_to_come_again(
    harness: Callable[[Any], Harness], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = harness(lending.service)
    monkeypatch.setattr(database, "LONGEST_WAIT", 0.1)
    line = running.host.database._line
    turns = 1 if running.host.database.sqlite else database.WRITERS
    ask = "/api/lending/communities/c/loans/saw?days=3"
    for _ in range(turns):
        assert line.acquire(timeout=60)
    try:
        answer = running.client.put(ask)
    finally:
        line.release(turns)
    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "1")
    assert answer.json()["type"] == "urn:fenghe:problem:unavailable"
    assert running.client.put(ask).status_code == 201


def test_a_redis_that_ends_is_waited_for_and_the_service_says_so(
    harness: Callable[[Any], Harness], valkey: EmbeddedValkey
) -> None:
    listener = harness(service)
    listener.hear(offer(1, "before"))
    valkey.stop()
    until(lambda: not ready(listener))
    answer = listener.client.get("/api/listener/health/ready")
    assert answer.status_code == 503
    assert "Redis cannot be reached" in answer.json()["missing"][0]
    valkey.start()
    until(lambda: ready(listener))
    listener.hear(offer(2, "after"))
    assert {row.title for row in listener.rows(Offer)} == {"before", "after"}


def test_what_a_dead_consumer_left_pending_is_claimed(settings: Callable[[Any], Any]) -> None:
    given = settings(service).model_copy(update={"sole": False, "claim_idle": 0.2})
    with Harness(service, given) as listener:
        client = listener.redis
        client.xgroup_create("fenghe:registry", "another-group", id="0", mkstream=True)
    # Somebody reads, and dies before anything took effect.
    with Harness(service, given) as listener:
        told = [listener.event(offer(n, "left behind")) for n in range(250)]
        listener.client.portal.call(listener.host._broker._broker.stop)  # type: ignore[union-attr]
        for event in told:
            row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
            listener.redis.xadd("fenghe:registry", fields_of(row))
        listener.redis.xreadgroup("listener", "dead", {"fenghe:registry": ">"}, count=1000)
        until(lambda: len(listener.rows(Offer)) == 250)
        until(lambda: listener.redis.xpending("fenghe:registry", "listener")["pending"] == 0)


def test_a_handled_entry_whose_acknowledgement_was_lost_again_and_again_is_no_dead_letter(
    settings: Callable[[Any], Any],
) -> None:
    given = settings(service).model_copy(update={"sole": False, "claim_idle": 0.2})
    with Harness(service, given) as listener:
        listener.hear(offer(1, "handled"))
        ((entry_id, _),) = listener.redis.xrange("fenghe:registry")
        listener.redis.execute_command(
            *("XCLAIM", "fenghe:registry", "listener", "another", 0, entry_id, "RETRYCOUNT", 50, "FORCE")
        )
        until(lambda: listener.redis.xpending("fenghe:registry", "listener")["pending"] == 0)
        assert listener.dead_letters() == []
