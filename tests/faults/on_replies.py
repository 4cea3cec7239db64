"""Faults of the way back: what was asked is done, and the reply never arrives."""

from __future__ import annotations

import time

from tests.faults.arena import Arena
from tests.faults.fault import STRIKE_LIMIT, Struck
from tests.faults.proxy import POSTGRES, REDIS

FEWEST, MOST = 1, 4
"""Replies lost of each command in one strike."""


def lose_replies(arena: Arena) -> Struck:
    """Of XADD the relay sends the fact again, of XREADGROUP and XACK the entries are claimed; the inbox decides."""
    return _lose(arena, REDIS)


def lose_commits(arena: Arena) -> Struck:
    """Whether it was committed is unknown: the client asks again under the same name, and the listener's inbox decides."""
    return _lose(arena, POSTGRES)


def _lose(arena: Arena, commands: tuple[bytes, ...]) -> Struck:
    assert arena.proxy
    wanted = {command: arena.chance.randint(FEWEST, MOST) for command in commands}
    named = {command.strip(b"\r\n\x00").decode(): times for command, times in wanted.items()}
    arena.tries("lost replies of " + ", ".join(f"{name}: {times}" for name, times in named.items()))
    arena.proxy.lose(wanted)
    if not arena.until(lambda: not arena.proxy.to_lose, STRIKE_LIMIT):  # type: ignore[union-attr]
        arena.notes.append(f"these replies were not lost: {arena.proxy.to_lose}")
        arena.proxy.lose({})
    return sum(wanted.values()), time.monotonic()
