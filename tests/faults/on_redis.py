"""Faults that strike Redis, and the way to it."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from shared.messaging.outbox import PIPELINE
from shared.messaging.subscribing import PAUSE
from tests.faults.arena import STREAM, Arena
from tests.faults.fault import STRIKE_LIMIT, Struck

REFUSALS = (
    ("NOPERM for XADD", ("ACL", "SETUSER", "default", "-xadd"), ("ACL", "SETUSER", "default", "+xadd")),
    ("NOPERM for XREADGROUP", ("ACL", "SETUSER", "default", "-xreadgroup"), ("ACL", "SETUSER", "default", "+xreadgroup")),
    ("NOPERM for XACK", ("ACL", "SETUSER", "default", "-xack"), ("ACL", "SETUSER", "default", "+xack")),
    ("NOPERM for everything", ("ACL", "SETUSER", "default", "-@all"), ("ACL", "SETUSER", "default", "+@all")),
    ("READONLY", ("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    ("OOM", ("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
)
"""What Redis answers, how that begins, and how it ends."""
REFUSED, REFUSED_SMALL = 4.0, 0.7
"""Seconds that a refusal lasts."""
COMMANDS_OF_A_COMMAND, AT_REST = 6, 150
"""What Redis may be asked: so much for each of the clients' commands, and so much a second besides."""
XADD, XREADGROUP = "cmdstat_xadd", "cmdstat_xreadgroup"
SUBSCRIBERS = 2


def kill_redis(arena: Arena) -> Struck:
    arena.tries("SIGKILL to Redis, and a new start")
    since = time.monotonic()
    assert arena.server.pid
    os.kill(arena.server.pid, signal.SIGKILL)
    arena.until(lambda: not arena.server.alive, STRIKE_LIMIT)
    arena.server.start()
    return 1, since


def flush(arena: Arena) -> Struck:
    """Recovered is what holds every fact again that was there before."""
    known = _fact_ids(arena)
    arena.tries("FLUSHALL")
    arena.client.flushall()
    since = time.monotonic()
    if not arena.until(lambda: known <= _fact_ids(arena)):
        arena.notes.append(f"{len(known - _fact_ids(arena))} facts were not sent again")
    return 1, since


def set_back(arena: Arena) -> Struck:
    """Its files are copied away, it runs on, is stopped, gets the copy, and is started again."""
    arena.tries("its files copied, and 50 commands later put back")
    folder = arena.server.folder / "appendonlydir"
    copy = {path: path.read_bytes() for path in folder.iterdir()}
    known = len(arena.load.acknowledged)
    if not arena.until(lambda: len(arena.load.acknowledged) >= known + 50, STRIKE_LIMIT):
        arena.notes.append("hardly a command was given meanwhile")
    since = time.monotonic()
    facts = _fact_ids(arena)
    arena.server.stop()
    for path in folder.iterdir():
        path.unlink()
    for path, content in copy.items():
        path.write_bytes(content)
    arena.server.start()
    if not arena.until(lambda: facts <= _fact_ids(arena)):
        arena.notes.append(f"{len(facts - _fact_ids(arena))} facts were not sent again")
    return 1, since


def cut_or_slow(arena: Arena) -> Struck:
    assert arena.proxy
    arena.memory["cut"] = not arena.memory.get("cut")
    delay = arena.chance.uniform(0.01, 0.05)
    arena.tries("cut for 1 s" if arena.memory["cut"] else f"every packet {delay * 1000:.0f} ms later for 1 s")
    with arena.proxy.partition() if arena.memory["cut"] else arena.proxy.slow(delay):
        time.sleep(1)  # how long it lasts
    return 1, time.monotonic()


def refuse(arena: Arena) -> Struck:
    """For a while Redis answers with errors; meanwhile its commands are counted: nobody may ask in a hot loop."""
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    kind, begin, end = REFUSALS[number % len(REFUSALS)]
    seconds = REFUSED_SMALL if arena.small else REFUSED
    arena.tries(f"{kind} for {seconds} s")
    with _operator(arena) as operator:
        before, asked, told = _commands(operator), time.monotonic(), len(arena.load.acknowledged)
        refused_before = _refused(operator)
        operator.execute_command(*begin)
        try:
            time.sleep(seconds)  # how long it lasts
            commands, refused = _commands(operator) - before, _refused(operator) - refused_before
        finally:
            operator.execute_command(*end)
    lasted, given = time.monotonic() - asked, len(arena.load.acknowledged) - told
    sent = commands.pop(XADD, 0)
    usual = COMMANDS_OF_A_COMMAND * given + AT_REST * lasted
    arena.remarks.append(
        f"{kind}: {(sent + commands.total()) / lasted:.0f} commands/s, {given / lasted:.0f} clients' commands/s"
    )
    if commands.total() > usual or sent > usual + PIPELINE:  # what is unsent may be tried once more
        arena.notes.append(f"{kind}: more than {usual:.0f} commands in {lasted:.1f} s: {sent} XADD, {commands.most_common(3)}")
    patient = SUBSCRIBERS * (2 * lasted / PAUSE + 5)
    if refused > patient:
        arena.notes.append(f"{kind}: more than {patient:.0f} refused XREADGROUP in {lasted:.1f} s: {refused}")
    return 1, time.monotonic()


@contextmanager
def _operator(arena: Arena) -> Iterator[Any]:
    """A client whose rights nobody touches; the service and the driver are the user `default`."""
    with redis.Redis.from_url(arena.server.url) as client:
        client.execute_command("ACL", "SETUSER", "operator", "on", ">secret", "~*", "&*", "+@all")
    with redis.Redis.from_url(arena.server.url, username="operator", password="secret") as client:
        yield client


def _commands(operator: Any) -> Counter[str]:
    """How often each command was asked for, whether it was carried out or refused."""
    figures = operator.info("commandstats")
    return Counter({name: one["calls"] + one.get("rejected_calls", 0) for name, one in figures.items()})


def _refused(operator: Any) -> int:
    """How often a subscriber asked in vain."""
    one = operator.info("commandstats").get(XREADGROUP, {})
    return int(one.get("rejected_calls", 0) + one.get("failed_calls", 0))


def _fact_ids(arena: Arena) -> set[bytes]:
    return {fields[b"id"] for _, fields in arena.client.xrange(STREAM)}
