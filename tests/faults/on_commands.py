"""Faults in what a service itself does: transactions undone or slow, in adverse order, and a bug in a handler."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import sqlalchemy as sa

from tests.faults.arena import Arena
from tests.faults.calling import Gone
from tests.faults.commands import ROLLED_BACK
from tests.faults.fault import STRIKE_LIMIT, Struck
from tests.faults.judge import TOGETHER

UNDONE = 6
HELD = 0.05
"""Seconds between telling and the end of a transaction, in which others are committed."""
WRITERS, COMMANDS, HOT, AT_ONCE = 8, 12, 8, 5
BUG = "7"


def roll_back(arena: Arena) -> Struck:
    """Transactions that tell and are undone, between others that tell and take their time."""
    known = _known(arena, 2 * UNDONE)
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    undone = [f"undone-{number}-{n}" if n % 2 else f"{known[n]}+undone-{number}" for n in range(UNDONE)]
    slow = [f"{subject}+slow-{number}" for subject in known[UNDONE:]]
    arena.refused.update(undone)
    arena.tries(f"{len(undone)} transactions undone, {len(slow)} slow")

    def undo() -> None:
        for name in undone:
            try:
                reply = arena.any_replica().call("POST", "/commands", {"names": [name], "held": HELD, "undone": True})
                if reply.status != 409 or not reply.body["type"].endswith(ROLLED_BACK):
                    arena.notes.append(f"undoing: {reply}")
            except Gone as error:
                arena.notes.append(f"undoing: {error}")

    def be_slow() -> None:
        for name in slow:
            arena.load.give([name], HELD)

    _together([undo, be_slow])
    return len(undone), time.monotonic()


def adverse_order(arena: Arena) -> Struck:
    """Many writers change the same few subjects, several in a transaction, each in an order of its own."""
    arena.tries(f"{WRITERS} writers, {COMMANDS} commands of {AT_ONCE} subjects of {HOT}")
    hot = arena.memory.setdefault("hot", _known(arena, HOT))
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    given = [
        [
            [f"{subject}+{number}-{writer}-{n}{TOGETHER}" for subject in arena.chance.sample(hot, AT_ONCE)]
            for n in range(COMMANDS)
        ]
        for writer in range(WRITERS)
    ]

    def write(commands: list[list[str]]) -> None:
        with suppress(TimeoutError):
            for names in commands:
                arena.load.give(names, limit=STRIKE_LIMIT)

    before = _deadlocks(arena)
    _together([lambda commands=commands: write(commands) for commands in given])  # type: ignore[misc]
    if arena.database_url.startswith("postgresql"):
        if not arena.until(lambda: _deadlocks(arena) > before, STRIKE_LIMIT):
            arena.notes.append("PostgreSQL saw no deadlock")
        arena.remarks[:] = [f"{_deadlocks(arena)} deadlocks"]
    return WRITERS * COMMANDS, time.monotonic()


def fix_a_bug(arena: Arena) -> Struck:
    """A handler cannot stand some subjects; their facts are dead letters until it is mended and they are replayed."""
    arena.tries(f"a bug for subjects that end in {BUG}, mended after five dead letters")
    break_down(arena, 5)
    if replayed := replay(arena):
        arena.notes.append(f"{replayed} dead letters took effect with the bug")
    arena.any_replica().ask("mend")
    since = time.monotonic()
    return replay_the_rest(arena), since


def break_down(arena: Arena, letters: int) -> None:
    """A handler has a bug, until so many dead letters wait."""
    arena.any_replica().ask("break", BUG)
    if not arena.until(lambda: list(arena.dead_letters().values()).count(False) >= letters, STRIKE_LIMIT):
        arena.notes.append("hardly a fact became a dead letter")


def replay(arena: Arena) -> int:
    """Replay every dead letter that waits; how many took effect."""
    replayed, _ = arena.any_replica().ask("replay", limit=STRIKE_LIMIT)
    return int(replayed)


def replay_the_rest(arena: Arena) -> int:
    """Replay, once the bug is mended, until no dead letter waits; how many took effect."""
    replayed = 0

    def empty() -> bool:
        nonlocal replayed
        replayed += replay(arena)
        retrying = arena.any_replica().call("GET", "/quiet").body["retrying"]
        return not retrying and all(arena.dead_letters().values())

    if not arena.until(empty):
        arena.notes.append("dead letters are left")
    return replayed


def _known(arena: Arena, count: int) -> list[str]:
    if not arena.until(lambda: len(arena.load.subjects(count)) == count, STRIKE_LIMIT):
        raise TimeoutError("hardly a command was given")
    return arena.load.subjects(count)


def _together(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work, daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _deadlocks(arena: Arena) -> int:
    if arena.database_url.startswith("sqlite"):
        return 0
    with arena.reading() as connection:
        statement = sa.text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(connection.execute(statement).scalar_one())
