"""The faults: how each strikes, and on what it needs to strike."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from shared.messaging.steps import LABELS
from tests.faults import poison
from tests.faults.arena import STREAM, Arena
from tests.faults.replica import Gone

SOLE: Mapping[str, Any] = {"sole": True, "claim_idle": 1.0}
SHARED: Mapping[str, Any] = {"sole": False, "claim_idle": 1.0}
STRIKE_LIMIT = 15.0

Struck = tuple[int, float]
"""How often it struck, and the moment from which recovery counts."""


@dataclass(frozen=True)
class Fault:
    """A way to attack. `pace`: the shortest and longest pause before a strike; `rounds`: strikes it needs to be whole."""

    id: str
    what: str
    strike: Callable[[Arena], Struck]
    replicas: int = 1
    settings: Mapping[str, Any] = field(default_factory=lambda: SOLE)
    pace: tuple[float, float] = (0.05, 0.4)
    rounds: int = 1
    variant: str = ""
    proxied: bool = False


def kill(arena: Arena) -> Struck:
    since = time.monotonic()
    arena.replicas[0].kill()
    arena.restart(0)
    return 1, since


def kill_at_step(arena: Arena) -> Struck:
    label = LABELS[arena.memory.setdefault("label", 0) % len(LABELS)]
    arena.memory["label"] += 1
    victim = arena.replicas[0]
    with suppress(Gone):  # it may be dead before it can answer
        victim.ask("arm", label, arena.chance.randint(1, 5))
    died = victim.wait_for_end(STRIKE_LIMIT)
    since = time.monotonic()
    if not died or victim.exit_code != -signal.SIGKILL:
        arena.notes.append(f"it did not die at {label}, but ended with {victim.exit_code}")
        victim.kill()
    arena.restart(0)
    return 1, since


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


def rolling_restart(arena: Arena) -> Struck:
    since = time.monotonic()
    for place, replica in enumerate(list(arena.replicas)):
        code = replica.terminate()
        if code != 0:
            arena.notes.append(f"SIGTERM: it ended with {code}")
        arena.restart(place)
    return len(arena.replicas), since


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


def deliver_often(arena: Arena) -> Struck:
    """Each new entry is there two to five times, and its copies come together."""
    copied = 0
    limit = time.monotonic() + STRIKE_LIMIT
    seen: set[bytes] = arena.memory.setdefault("seen", set())
    while copied < 100 and time.monotonic() < limit:
        last = arena.memory.get("last", "0-0")
        copies = []
        for _, entries in arena.client.xread({STREAM: last}, block=100, count=50) or []:
            arena.memory["last"] = entries[-1][0]
            for _, fields in entries:
                if fields[b"id"] not in seen:
                    seen.add(fields[b"id"])
                    copied += 1
                    copies += [fields] * arena.chance.randint(1, 4)
        arena.chance.shuffle(copies)
        with arena.client.pipeline(transaction=False) as pipeline:
            for fields in copies:
                pipeline.xadd(STREAM, fields)
            pipeline.execute()
    return copied, time.monotonic()


def reorder(arena: Arena) -> Struck:
    """The variant does it; here is counted how many facts came after a later one of their subject."""
    newest: dict[bytes, int] = arena.memory.setdefault("newest", {})
    late = 0
    for id, fields in arena.client.xrange(STREAM, f"({arena.memory.get('last', '0-0')}"):
        arena.memory["last"] = id.decode()
        subject, sequence = fields[b"subject"], int(fields[b"sequence"])
        late += sequence < newest.get(subject, 0)
        newest[subject] = max(sequence, newest.get(subject, 0))
    return late, time.monotonic()


def pause(arena: Arena) -> Struck:
    replica = arena.chance.choice(arena.replicas)
    replica.pause()
    time.sleep(arena.settings.claim_idle * arena.chance.uniform(1.5, 2.5))  # longer than the others wait before they claim
    replica.go_on()
    return 1, time.monotonic()


def add_poison(arena: Arena) -> Struck:
    """One entry in a hundred."""
    before = arena.memory.get("length", 0)
    arena.until(lambda: arena.client.xlen(STREAM) >= before + 99, STRIKE_LIMIT)
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    added = arena.client.xadd(STREAM, poison.entry(poison.KINDS[number % len(poison.KINDS)], number))
    arena.poison.add(added.decode())
    arena.memory["length"] = arena.client.xlen(STREAM)
    return 1, time.monotonic()


def _fact_ids(arena: Arena) -> set[bytes]:
    return {fields[b"id"] for _, fields in arena.client.xrange(STREAM)}


NOW = (0.0, 0.0)

FAULTS = (
    Fault("T1", "kill -9 at random", kill),
    Fault("T2", "kill -9 at every step", kill_at_step, rounds=len(LABELS), pace=(0.0, 0.1)),
    Fault("T3", "kill -9 of Redis", kill_redis, pace=(0.3, 1.5)),
    Fault("T4", "FLUSHALL", flush, pace=(0.2, 1.0)),
    Fault("T4", "FLUSHALL, two replicas", flush, replicas=2, settings=SHARED, pace=(0.0, 0.5)),
    Fault("T6", "rolling SIGTERM restarts", rolling_restart, replicas=2, settings=SHARED),
    Fault("T7", "replies lost after success", lose_replies, proxied=True, pace=NOW),
    Fault("T8", "partitions and slow links", cut_or_slow, proxied=True, rounds=2),
    Fault("T11", "delivered 2–5 times at once", deliver_often, replicas=2, settings=SHARED, pace=NOW),
    Fault("T12", "reordered within 100", reorder, variant="reordered", settings={**SOLE, "sweep_age": 0}),
    Fault("T13", "consumer paused, then continued", pause, replicas=2, settings={**SHARED, "claim_idle": 0.5}),
    Fault("T16", "1 % poison", add_poison, pace=NOW, rounds=len(poison.KINDS)),
)
