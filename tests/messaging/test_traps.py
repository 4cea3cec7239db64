"""What the parts that the kit stands on do to the unwary, and the test that keeps each from coming back."""

from __future__ import annotations

import ast
import asyncio
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from shared import logs
from shared.database import Database
from shared.messaging import broker, outbox, subscribing
from shared.messaging.entries import fields_of
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from shared.service import Host
from tests.messaging.listener import Offer, offer, service
from tests.messaging.test_watching import STREAM, figures

ROOT = Path(__file__).parent.parent.parent
FAULTS = "tests/faults/strikes.py::"
TRAPS = {
    "a new group begins at $": "tests/messaging/test_promise.py::test_what_was_told_before_its_first_start_is_heard",
    'last_id="0" reads its own pending entries alone after a restart': "tests/faults/test_proofs.py::"
    "test_with_reading_from_0_facts_are_lost",
    "an exception brings nothing back": "tests/messaging/test_supervision.py::"
    "test_what_a_dead_consumer_left_pending_is_claimed",
    "claiming one entry a call": "tests/messaging/test_traps.py::test_what_is_left_pending_is_claimed_and_handled_in_bulk",
    "without max_records one read takes everything": FAULTS + "a backlog and a late listener",
    "NOGROUP stops a subscriber for good": "tests/messaging/test_supervision.py::"
    "test_a_stream_and_its_group_that_vanish_are_made_again_and_read_again",
    "other errors are answered in a hot loop": "tests/faults/test_proofs.py::"
    "test_with_faststream_left_alone_redis_is_asked_in_a_hot_loop",
    "starting while Redis is down": "tests/messaging/test_traps.py::test_a_redis_that_is_not_there_yet_is_waited_for",
    "a handler slower than the claim runs twice": FAULTS + "consumer paused, then continued",
    "two handlers of one group split the facts": "tests/messaging/test_promise.py::"
    "test_any_order_and_any_number_of_deliveries_leave_the_newest_and_count_each_once",
    "a wire format of its own": "tests/system/test_whole_way.py::test_a_stranger_reads_the_facts_with_a_bare_client",
    "what cannot be read fails before the handler": "tests/messaging/test_promise.py::"
    "test_an_entry_that_is_no_fact_goes_to_the_dead_letters_with_its_cause",
    "faststream.redis.fastapi goes away": "tests/messaging/test_traps.py::test_nobody_imports_the_plugin_that_goes_away",
    "an XACK a message": "tests/messaging/test_traps.py::test_a_batch_is_acknowledged_with_one_xack",
    "one invalid entry sinks a typed batch": "tests/messaging/test_promise.py::"
    "test_a_bug_in_a_handler_holds_up_nobody_and_is_kept_with_its_cause",
    "a lost XACK leaves a handled entry pending": "tests/messaging/test_supervision.py::"
    "test_a_handled_entry_whose_acknowledgement_was_lost_again_and_again_is_no_dead_letter",
    "claiming has no cap on deliveries": "tests/messaging/test_traps.py::test_what_kills_whoever_handles_it_is_given_up",
    "an idle subscriber polls, or blocks past the timeout": "tests/messaging/test_traps.py::"
    "test_an_idle_subscriber_blocks_long_and_not_past_the_sockets_timeout",
    "an XADD that is retried leaves several entries": "tests/messaging/test_traps.py::test_an_xadd_is_tried_once",
    "no append-only file, or eviction": "tests/messaging/test_traps.py::test_a_redis_that_is_set_to_lose_facts_is_named",
    "trimming drops what was not read": "tests/messaging/test_housekeeping.py::"
    "test_a_stream_is_not_trimmed_past_a_group_that_stands_still",
    "claiming drops what was trimmed without a word": "tests/messaging/test_traps.py::test_what_vanished_is_counted_and_told",
    "an entry id changes when a fact is sent again": "tests/messaging/test_healing.py::"
    "test_the_last_fact_of_every_subject_is_republished_under_its_own_id",
    "a key of another slot": "tests/messaging/test_healing.py::test_an_epoch_key_stands_in_its_streams_slot",
    "run id and last id survive a loss": "tests/messaging/test_healing.py::"
    "test_after_flushall_everything_told_is_there_again_and_took_effect_once",
    "commits are not in the order of ids": FAULTS + "told, then rolled back or slow",
    "deferred transactions of SQLite": "tests/messaging/test_traps.py::test_sixteen_writers_lose_no_update_on_sqlite",
    "tables validate nothing": "tests/architecture/test_house.py::test_tables_never_serve_as_models_of_http_or_facts",
    "highspy and ortools in one process": "tests/messaging/test_traps.py::test_no_lock_brings_highspy_beside_ortools",
    "an index's address in a lock": "tests/messaging/test_traps.py::test_a_lock_names_no_index_and_has_hashes",
    "the embedded Valkey outlives its parent": "tests/system/test_up.py::"
    "test_killed_it_finds_everything_again_and_ends_the_valkey_that_was_left_behind",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_each_trap_has_its_test(trap: str) -> None:
    path, _, name = TRAPS[trap].partition("::")
    text = (ROOT / path).read_text()
    if path == FAULTS.removesuffix("::"):
        assert f'"{name}"' in text
    else:
        assert name in {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)}


def put(client: Any, listener: Harness, count: int) -> None:
    """Facts on the stream, and wait for nothing."""
    with client.pipeline(transaction=False) as pipeline:
        for n in range(count):
            event = listener.event(offer(n, "title"))
            row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
            pipeline.xadd(STREAM, fields_of(row))
        pipeline.execute()


def calls(client: Any, command: str) -> int:
    return int(client.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})["calls"])


def test_a_batch_is_acknowledged_with_one_xack(settings: Callable[[Any], Any]) -> None:
    early = Harness(service, settings(service))
    put(early.redis, early, 250)
    before = calls(early.redis, "xack")
    with early as listener:
        listener.drain()
        assert len(listener.rows(Offer)) == 250
        assert calls(listener.redis, "xack") - before <= 10, "250 facts in batches of 100"


def test_what_is_left_pending_is_claimed_and_handled_in_bulk(settings: Callable[[Any], Any]) -> None:
    early = Harness(service, settings(service))  # the only replica: what is pending was its predecessor's
    put(early.redis, early, 250)
    early.redis.xgroup_create(STREAM, service.group, id="0")
    early.redis.xreadgroup(service.group, "dead", {STREAM: ">"}, count=1000)
    before = calls(early.redis, "xautoclaim")
    with early as listener:
        listener.drain()
        assert figures(listener)["fenghe_facts_claimed_total"] >= 250
        assert calls(listener.redis, "xautoclaim") - before <= 20, "a hundred a call"


def test_what_kills_whoever_handles_it_is_given_up(settings: Callable[[Any], Any]) -> None:
    early = Harness(service, settings(service))
    put(early.redis, early, 2)
    early.redis.xgroup_create(STREAM, service.group, id="0")
    (_, ((first, _), _)) = early.redis.xreadgroup(service.group, "dead", {STREAM: ">"}, count=10)[0]
    often = broker.DELIVERY_CAP
    early.redis.execute_command("XCLAIM", STREAM, service.group, "dead", 0, first, "RETRYCOUNT", often)
    with early as listener:
        listener.drain()
        (letter,) = listener.dead_letters()
        assert (letter["entry_id"], letter["attempts"]) == (first.decode(), often)
        assert "without coming to an end" in letter["cause"]
        assert [row.id for row in listener.rows(Offer)] == ["offer-1"]


def test_what_vanished_is_counted_and_told(settings: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]) -> None:
    early = Harness(service, settings(service))
    put(early.redis, early, 5)
    early.redis.xgroup_create(STREAM, service.group, id="0")
    early.redis.xreadgroup(service.group, "dead", {STREAM: ">"}, count=3)
    early.redis.xtrim(STREAM, maxlen=3, approximate=False)
    logs.configure("ERROR", "text")
    try:
        with early as listener:
            listener.drain()
            assert len(listener.rows(Offer)) == 3
            assert figures(listener)["fenghe_entries_vanished_total"] == 2
    finally:
        said = capsys.readouterr().err
        logs.configure("ERROR", "text")
    assert "fenghe republish" in said


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_redis_that_is_not_there_yet_is_waited_for(settings: Callable[[Any], Any], tmp_path: Path) -> None:
    server = EmbeddedValkey(tmp_path / "late")
    server.start()
    url = server.url
    server.stop()
    given = settings(service).model_copy(update={"redis_url": url})
    starting = threading.Timer(0.5, server.start)
    starting.start()
    try:
        with Harness(service, given) as listener:
            listener.hear(offer(1, "title"))
            assert len(listener.rows(Offer)) == 1
    finally:
        starting.join()
        server.stop()
    with pytest.raises(TimeoutError, match="start it, or check FENGHE_REDIS_URL"):
        asyncio.run(Host(service, given.model_copy(update={"redis_wait": 0.1})).start())


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_redis_that_is_set_to_lose_facts_is_named(settings: Callable[[Any], Any], capsys: pytest.CaptureFixture[str]) -> None:
    early = Harness(service, settings(service))
    early.redis.config_set("maxmemory", 1_000_000_000)
    early.redis.config_set("maxmemory-policy", "allkeys-lru")
    logs.configure("WARNING", "text")
    try:
        with early:
            pass
    finally:
        said = capsys.readouterr().err
        logs.configure("ERROR", "text")
        early.redis = redis.Redis.from_url(early.settings.redis_url)
        early.redis.config_set("maxmemory-policy", "noeviction")
        early.redis.config_set("maxmemory", 0)
    assert "set maxmemory-policy noeviction" in said
    assert "set appendonly yes" in said


def test_an_idle_subscriber_blocks_long_and_not_past_the_sockets_timeout(harness: Callable[[Any], Harness]) -> None:
    running: Any = harness(service).host._broker
    pool = running._broker.config.broker_config.connection.client.connection_pool
    timeout = pool.connection_kwargs.get("socket_timeout") or 5
    assert 1000 <= subscribing.POLL_MILLISECONDS < timeout * 1000
    assert all(one._stream_sub.polling_interval == subscribing.POLL_MILLISECONDS for one in running._subscribers.values())


def test_an_xadd_is_tried_once(valkey: EmbeddedValkey) -> None:
    client = outbox.sending_client(valkey.url)
    assert client.get_retry()._retries == 0
    client.close()


@pytest.mark.parametrize("writers", [16])
def test_sixteen_writers_lose_no_update_on_sqlite(tmp_path: Path, writers: int) -> None:
    databases = [Database(f"sqlite:///{tmp_path}/counted.db") for _ in range(2)]  # as two processes have them
    with databases[0].engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE counted (n INTEGER NOT NULL)"))
        connection.execute(sa.text("INSERT INTO counted VALUES (0)"))

    def add_one(session: Any) -> None:
        n = session.execute(sa.text("SELECT n FROM counted")).scalar_one()
        session.execute(sa.text("UPDATE counted SET n = :n"), {"n": n + 1})

    def write(place: int) -> None:
        for _ in range(15):
            databases[place % 2].transact(add_one)

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases[0].reading() as session:
        assert session.execute(sa.text("SELECT n FROM counted")).scalar_one() == writers * 15
        pragmas = [session.execute(sa.text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2], "synchronous=FULL"
    for database in databases:
        database.close()


def test_nobody_imports_the_plugin_that_goes_away() -> None:
    for folder in ("shared", "services", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            assert "faststream.redis.fastapi" not in path.read_text(), path


LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_index_and_has_hashes(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"(?m)^\s*(-i|--(extra-)?index-url|--find-links|--trusted-host)\b|https?://", text)
    pinned = re.findall(r"(?m)^[\w.\[\]-]+==", text)
    assert len(pinned) > 5
    assert len(re.findall(r"(?m)^[\w.\[\]-]+==[^\n]*\\\n\s+--hash=", text)) == len(pinned)


def test_no_lock_brings_highspy_beside_ortools() -> None:
    for lock in LOCKS:
        assert not re.search(r"(?m)^highspy==", lock.read_text()), lock.name
