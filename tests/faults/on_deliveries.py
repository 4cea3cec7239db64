"""Faults of delivery: facts that come often, late, together, or cannot be handled."""

from __future__ import annotations

import time

from tests.faults import poison
from tests.faults.arena import STREAM, Arena
from tests.faults.fault import STRIKE_LIMIT, Struck


def deliver_often(arena: Arena) -> Struck:
    """Each new entry is there two to five times, and its copies come together."""
    arena.tries("each of the next 100 facts two to five times")
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

    def some() -> bool:
        nonlocal late
        for id, fields in arena.client.xrange(STREAM, f"({arena.memory.get('last', '0-0')}"):
            arena.memory["last"] = id.decode()
            subject, sequence = fields[b"subject"], int(fields[b"sequence"])
            late += sequence < newest.get(subject, 0)
            newest[subject] = max(sequence, newest.get(subject, 0))
        return late > 0

    if not arena.until(some, STRIKE_LIMIT):
        arena.notes.append("no fact came after a later one")
    return late, time.monotonic()


def add_poison(arena: Arena) -> Struck:
    """One entry in a hundred, in the small form in twenty."""
    good, before = 19 if arena.small else 99, arena.memory.get("length", 0)
    arena.until(lambda: arena.client.xlen(STREAM) >= before + good, STRIKE_LIMIT)
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    arena.tries(f"after {good} good entries {poison.KINDS[number % len(poison.KINDS)]}")
    added = arena.client.xadd(STREAM, poison.entry(poison.KINDS[number % len(poison.KINDS)], number))
    arena.poison.add(added.decode())
    arena.memory["length"] = arena.client.xlen(STREAM)
    return 1, time.monotonic()


def race(arena: Arena) -> Struck:
    """Two relays sweep without waiting; here is counted how many facts stand on the stream more than once."""
    if not arena.until(lambda: _doubles(arena) > arena.memory.get("doubles", 0), STRIKE_LIMIT):
        arena.notes.append("no fact was sent twice")
    before, arena.memory["doubles"] = arena.memory.get("doubles", 0), _doubles(arena)
    return arena.memory["doubles"] - before, time.monotonic()


def _doubles(arena: Arena) -> int:
    ids = [fields[b"id"] for _, fields in arena.client.xrange(STREAM)]
    return len(ids) - len(set(ids))
