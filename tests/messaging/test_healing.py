"""Redis loses what it had; the outbox sends it again, under the same ids, and every listener is made whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from redis.crc import key_slot

from shared.messaging import entries, tables
from shared.messaging.healing import forget, republish
from shared.messaging.streams import epoch_of, stream_of
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from tests.messaging.child import apply, service
from tests.messaging.lending import LoanChanged
from tests.messaging.test_supervision import ready, until

STREAM = stream_of(service.name)


def on_stream(client: Any) -> list[str]:
    return sorted(entries.read(fields).id for _, fields in client.xrange(STREAM))


def in_outbox(running: Harness) -> list[str]:
    with running.session() as session:
        return sorted(session.execute(sa.select(tables.outbox.c.id)).scalars())


def tell(running: Harness, first: int, count: int) -> None:
    for n in range(first, first + count):
        running.host.run(apply, f"loan-{n:04d}", timed=False)


def test_after_flushall_everything_told_is_there_again_and_took_effect_once(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 30)
    running.drain()
    before = in_outbox(running)
    running.redis.flushall()
    tell(running, 30, 5)
    until(lambda: set(on_stream(running.redis)) == set(in_outbox(running)) and len(in_outbox(running)) == 70)
    running.drain()
    assert set(before) <= set(on_stream(running.redis))
    assert running.dead_letters() == []


def test_a_redis_set_back_to_an_older_copy_gets_what_it_has_forgotten(settings: Callable[[Any], Any], tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "own")
    server.start()
    try:
        with Harness(service, settings(service).model_copy(update={"redis_url": server.url})) as running:
            tell(running, 0, 10)
            running.drain()
            copy = {path: path.read_bytes() for path in (server.folder / "appendonlydir").iterdir()}
            tell(running, 10, 10)
            running.drain()
            server.stop()
            for path, content in copy.items():
                path.write_bytes(content)
            server.start()
            until(lambda: ready(running))
            until(lambda: set(on_stream(running.redis)) == set(in_outbox(running)))
            running.drain()
            assert len(in_outbox(running)) == 40
    finally:
        server.stop()


def test_what_was_trimmed_on_purpose_is_not_sent_again(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 10)
    running.drain()
    told = running.redis.xrange(STREAM)
    horizon = told[8][0].decode()
    running.redis.xtrim(STREAM, minid=horizon, approximate=False)
    running.host.database.transact(
        lambda session: session.execute(sa.insert(tables.trimmed), {"stream": STREAM, "before": horizon})
    )
    lost = told[15][0]
    running.redis.xdel(STREAM, lost)
    running.redis.delete(epoch_of(STREAM))

    until(lambda: len(on_stream(running.redis)) == 12)
    running.drain()
    assert len(on_stream(running.redis)) == 12


def test_the_last_fact_of_every_subject_is_republished_under_its_own_id(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 5)
    running.drain()
    ids = set(on_stream(running.redis))
    assert running.host.database.transact(republish) == 5
    until(lambda: len(on_stream(running.redis)) == 15)
    running.drain()
    assert set(on_stream(running.redis)) == ids
    changed = [fields for _, fields in running.redis.xrange(STREAM)][10:]
    assert {fields[b"type"] for fields in changed} == {LoanChanged.type.encode()}


def test_old_facts_are_forgotten_but_the_last_of_every_subject_is_kept(harness: Callable[[Any], Harness]) -> None:
    running = harness(service)
    tell(running, 0, 5)
    running.drain()
    assert running.host.database.transact(lambda session: forget(session, datetime.now(UTC) - timedelta(days=1))) == 0
    assert running.host.database.transact(lambda session: forget(session, datetime.now(UTC) + timedelta(days=1))) == 5
    with running.session() as session:
        kept = list(session.execute(sa.select(tables.outbox.c.type)).scalars())
    assert kept == [LoanChanged.type] * 5


def test_an_epoch_key_stands_in_its_streams_slot() -> None:

    assert key_slot(epoch_of(STREAM).encode()) == key_slot(STREAM.encode())
