"""Faults that strike a replica's process."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import redis

from shared.messaging.steps import EVERY_DAY, HEALING, REPLAYING, TRIMMING
from shared.messaging.streams import epoch_of
from tests.faults.arena import STREAM, Arena
from tests.faults.calling import Gone
from tests.faults.fault import STRIKE_LIMIT, Struck
from tests.faults.on_commands import break_down, replay, replay_the_rest
from tests.faults.on_listeners import trim

HITS = 5
"""The most times that a replica is at a step before it is killed there."""


def kill(arena: Arena) -> Struck:
    arena.tries("SIGKILL")
    since = time.monotonic()
    arena.replicas[0].kill()
    arena.restart(0)
    return 1, since


def kill_at_step(arena: Arena) -> Struck:
    return _kill_at(arena, EVERY_DAY)


def kill_while_healing(arena: Arena) -> Struck:
    """Redis loses everything again and again until the replica dies of it."""

    def flush(label: str) -> None:
        arena.client.flushall()
        arena.until(lambda: not arena.replicas[0].alive or arena.client.exists(epoch_of(STREAM)), STRIKE_LIMIT)

    return _kill_at(arena, HEALING, flush)


def kill_while_trimming(arena: Arena) -> Struck:
    return _kill_at(arena, TRIMMING, lambda label: trim(arena))


def kill_while_replaying(arena: Arena) -> Struck:
    """Or while facts go to the dead letters. A new replica has the bug no more."""

    def mend_and_replay(label: str) -> None:
        if label.startswith("replay:"):
            arena.any_replica().ask("mend")
            replay(arena)

    break_down(arena, HITS)
    struck = _kill_at(arena, REPLAYING, mend_and_replay)
    replay_the_rest(arena)
    return struck


def _kill_at(arena: Arena, labels: Sequence[str], provoke: Callable[[str], object] | None = None) -> Struck:
    """Kill at the next of the steps. `provoke`: what has to happen for a replica to be there."""
    label = labels[arena.memory.setdefault("label", 0) % len(labels)]
    arena.memory["label"] += 1
    victim, hit = arena.replicas[0], arena.chance.randint(1, HITS)
    arena.tries(f"SIGKILL when it is for the {hit}. time at {label}")
    with suppress(Gone):  # it may be dead before it can answer
        victim.ask("arm", label, hit)
    deadline = time.monotonic() + arena.patience
    while provoke and not victim.wait_for_end(0.05) and time.monotonic() < deadline:
        with suppress(Gone, redis.RedisError):
            provoke(label)
    died = victim.wait_for_end(max(0.0, deadline - time.monotonic()))
    since = time.monotonic()
    if not died or victim.exit_code != -signal.SIGKILL:
        arena.notes.append(f"it did not die at {label}, but ended with {victim.exit_code}")
        victim.kill()
    arena.restart(0)
    return 1, since


def rolling_restart(arena: Arena) -> Struck:
    arena.tries("SIGTERM to one after the other")
    since = time.monotonic()
    for place, replica in enumerate(list(arena.replicas)):
        code = replica.terminate()
        if code != 0:
            arena.notes.append(f"SIGTERM: it ended with {code}")
        arena.restart(place)
    return len(arena.replicas), since


def pause(arena: Arena) -> Struck:
    place = arena.chance.randrange(len(arena.replicas))
    seconds = arena.settings.claim_idle * arena.chance.uniform(1.5, 2.5)  # longer than the others wait before they claim
    arena.tries(f"SIGSTOP to replica {place} for {seconds:.2f} s")
    replica = arena.replicas[place]
    replica.pause()
    time.sleep(seconds)
    replica.go_on()
    return 1, time.monotonic()
