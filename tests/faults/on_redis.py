"""Faults that strike Redis, and the way to it."""

from __future__ import annotations

import os
import signal
import time

from tests.faults.arena import STREAM, Arena
from tests.faults.fault import STRIKE_LIMIT, Struck


def kill_redis(arena: Arena) -> Struck:
    since = time.monotonic()
    assert arena.server.pid
    os.kill(arena.server.pid, signal.SIGKILL)
    arena.until(lambda: not arena.server.alive, STRIKE_LIMIT)
    arena.server.start()
    return 1, since


def flush(arena: Arena) -> Struck:
    """Recovered is what holds every fact again that was there before."""
    known = _fact_ids(arena)
    arena.client.flushall()
    since = time.monotonic()
    if not arena.until(lambda: known <= _fact_ids(arena)):
        arena.notes.append(f"{len(known - _fact_ids(arena))} facts were not sent again")
    return 1, since


def set_back(arena: Arena) -> Struck:
    """Its files are copied away, it runs on, is stopped, gets the copy, and is started again."""
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


def lose_replies(arena: Arena) -> Struck:
    assert arena.proxy
    before, wanted = arena.proxy.lost, arena.chance.randint(3, 8)
    with arena.proxy.losing(0.1), arena.proxy.lost_one:
        if not arena.proxy.lost_one.wait_for(lambda: arena.proxy.lost >= before + wanted, STRIKE_LIMIT):
            arena.notes.append("hardly a reply was lost")
    return arena.proxy.lost - before, time.monotonic()


def cut_or_slow(arena: Arena) -> Struck:
    assert arena.proxy
    arena.memory["cut"] = not arena.memory.get("cut")
    with arena.proxy.partition() if arena.memory["cut"] else arena.proxy.slow(arena.chance.uniform(0.01, 0.05)):
        time.sleep(1)  # how long it lasts
    return 1, time.monotonic()


def _fact_ids(arena: Arena) -> set[bytes]:
    return {fields[b"id"] for _, fields in arena.client.xrange(STREAM)}
