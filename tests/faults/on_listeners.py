"""Faults of a listener beside the teller: it comes late, it stands still, it is rebuilt."""

from __future__ import annotations

import time

from shared.events.examples import STATES
from shared.events.registry import OfferChanged
from shared.identifiers import new_id
from shared.messaging import entries
from tests.faults import observer
from tests.faults.arena import STREAM, Arena, Listener
from tests.faults.calling import Gone
from tests.faults.fault import STRIKE_LIMIT, Struck

BACKLOG, SMALL_BACKLOG = 100_000, 3_000
SUBJECTS = 1000
CATCH_UP_LIMIT = 300.0
MEMORY = 64.0
"""Megabytes that a listener may grow by while it catches up, however much it is."""
TRIM_AGE = 0.2
"""Seconds that entries stay on the stream here."""
GROUP = observer.service.group


def late_listener(arena: Arena) -> Struck:
    """A listener starts for the first time when a backlog stands on the stream."""
    size = SMALL_BACKLOG if arena.small else BACKLOG
    arena.tries(f"{size} facts, then the listener's first start")
    _pile_up(arena, size)
    since = time.monotonic()
    listener = arena.listen()
    before, _ = listener.replica.memory
    pending = 0

    def caught_up() -> bool:
        nonlocal pending
        (group,) = (one for one in arena.client.xinfo_groups(STREAM) if one["name"].decode() == GROUP)
        pending = max(pending, group["pending"])
        return not arena.client.xrange(STREAM, f"({group['last-delivered-id'].decode()}", "+", count=1) and not group["pending"]

    if not arena.until(caught_up, CATCH_UP_LIMIT):
        arena.notes.append(f"it had not caught up after {CATCH_UP_LIMIT:.0f} s: {arena.behind(GROUP)} entries behind")
    seconds = time.monotonic() - since
    grown = listener.replica.memory[1] - before
    most = 4 * arena.settings.batch  # handled, waiting its turn, read ahead, claimed
    if pending > most:
        arena.notes.append(f"it had {pending} entries in hand, more than {most}")
    if grown > MEMORY:
        arena.notes.append(f"it grew by {grown:.0f} MB")
    arena.remarks.append(f"{size} facts in {seconds:.1f} s; at most {pending} in hand; memory grew by {grown:.0f} MB")
    return size, since


def trim_while_stopped(arena: Arena) -> Struck:
    """A listener ends, gently or not, while facts are told and the stream is trimmed; then it comes back."""
    listener = _listening(arena)
    gently = arena.memory["gently"] = not arena.memory.get("gently", True)
    arena.tries(f"{'SIGTERM' if gently else 'SIGKILL'} to the listener, 60 commands, trimming")
    if gently:
        listener.replica.terminate()
    else:
        listener.replica.kill()
    _run_on(arena, 60)
    needed = arena.behind(GROUP)
    trimmed = _trim(arena)
    if arena.behind(GROUP) < needed:
        arena.notes.append(f"of {needed} entries that it needed only {arena.behind(GROUP)} are left")
    since = time.monotonic()
    listener.start()
    if not arena.until(lambda: not arena.behind(GROUP)):
        arena.notes.append(f"it is {arena.behind(GROUP)} entries behind")
    return trimmed, since


def rebuild(arena: Arena) -> Struck:
    """A listener loses everything, and the stream its past; republishing gives it what it would have from living through it."""
    listener = _listening(arena)
    arena.tries("SIGKILL to the listener, its database and group gone, the stream trimmed, and republished")
    listener.replica.kill()
    arena.client.xgroup_destroy(STREAM, GROUP)
    _run_on(arena, 60)
    _trim(arena)
    since = time.monotonic()
    arena.listeners.remove(listener)
    rebuilt = arena.listen()
    rebuilt.whole = False
    republished: int = arena.any_replica().ask("republish")
    if not arena.until(lambda: not rebuilt.replica.call("GET", "/quiet").body["pending"]):
        arena.notes.append("it was not rebuilt")
    return republished, since


def _listening(arena: Arena) -> Listener:
    if not arena.listeners:
        arena.listen()
    (listener,) = arena.listeners
    if not arena.until(lambda: arena.client.xlen(STREAM) >= 50 and arena.behind(GROUP) < 50, STRIKE_LIMIT):
        raise Gone("the listener does not listen")
    return listener


def _run_on(arena: Arena, commands: int) -> None:
    known = len(arena.load.acknowledged)
    if not arena.until(lambda: len(arena.load.acknowledged) >= known + commands, STRIKE_LIMIT):
        arena.notes.append("hardly a command was given meanwhile")


def _trim(arena: Arena) -> int:
    """How many entries went that were old enough and that nobody needed."""

    went = 0

    def some() -> bool:
        nonlocal went
        went += trim(arena)
        return went > 0

    if not arena.until(some, STRIKE_LIMIT):
        arena.notes.append("nothing was trimmed")
    return went


def trim(arena: Arena) -> int:
    """Have a replica trim once, and remember what it may take; how many entries went."""
    before = time.time()
    arena.keep()  # whatever is older than that
    standing = {id for id, _ in arena.client.xrange(STREAM)}
    arena.any_replica().ask("trim", before - TRIM_AGE)
    return len(standing - {id for id, _ in arena.client.xrange(STREAM)})


def _pile_up(arena: Arena, size: int) -> None:
    """Facts that the listener hears and the child does not, told past the outbox."""
    facts = [
        OfferChanged.model_validate({"community": "c", **STATES["offer"], "offer": f"offer-{n:04d}"}) for n in range(SUBJECTS)
    ]
    bodies = [fact.model_dump_json() for fact in facts]
    first = arena.memory.get("piled", 0)
    arena.memory["piled"] = first + size
    for start in range(first, first + size, SUBJECTS):
        with arena.client.pipeline(transaction=False) as pipeline:
            for number in range(start, min(start + SUBJECTS, first + size)):
                fact = facts[number % SUBJECTS]
                row = {
                    "id": new_id(),
                    "source": fact.source(),
                    "type": fact.type,
                    "subject": fact.subject,
                    "time": "2026-01-01T00:00:00Z",
                    "dataschema": fact.schema_path(),
                    "community": fact.community,
                    "sequence": number // SUBJECTS + 1,
                    "traceparent": "",
                    "data": bodies[number % SUBJECTS],
                }
                pipeline.xadd(STREAM, entries.fields_of(row))
            pipeline.execute()
