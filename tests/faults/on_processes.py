"""Faults that strike a replica's process."""

from __future__ import annotations

import signal
import time
from contextlib import suppress

from shared.messaging.steps import LABELS
from tests.faults.arena import Arena
from tests.faults.calling import Gone
from tests.faults.fault import STRIKE_LIMIT, Struck


def kill(arena: Arena) -> Struck:
    arena.tries("SIGKILL")
    since = time.monotonic()
    arena.replicas[0].kill()
    arena.restart(0)
    return 1, since


def kill_at_step(arena: Arena) -> Struck:
    label = LABELS[arena.memory.setdefault("label", 0) % len(LABELS)]
    arena.memory["label"] += 1
    victim, hit = arena.replicas[0], arena.chance.randint(1, 5)
    arena.tries(f"SIGKILL when it is for the {hit}. time at {label}")
    with suppress(Gone):  # it may be dead before it can answer
        victim.ask("arm", label, hit)
    died = victim.wait_for_end(STRIKE_LIMIT)
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
