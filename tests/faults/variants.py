"""Changed kits, made by patching it inside a replica. `reordered` is a fault, `at once` what a service may ask of the kit; the
others are broken on purpose, and prove that the suite sees it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from shared.messaging import entries, inbox, outbox, subscribing, tables
from shared.messaging.consumer import Consumer, Entry
from shared.messaging.outbox import Relay
from shared.web import Edge
from tests.faults import commands

WINDOW = 100
MARKED = 5.0
"""The most seconds to wait for a relay's marks."""


def use(name: str, seed: str) -> None:
    """Change the kit in this process; an empty name leaves it as it is."""
    if name:
        VARIANTS[name](seed)


def reordered(seed: str) -> None:
    """Facts are sent by the sweeper alone, shuffled within 100."""
    chance = random.Random(seed)
    send = Relay._xadd

    def shuffled(self: Relay, rows: Sequence[Any]) -> None:
        mixed: list[Any] = []
        for first in range(0, len(rows), WINDOW):
            window = list(rows[first : first + WINDOW])
            chance.shuffle(window)
            mixed += window
        send(self, mixed)

    outbox.SWEEP_EVERY = 0.1
    _patch(Relay, "offer", lambda self, rows: None)
    _patch(Relay, "_xadd", shuffled)


def at_once(seed: str) -> None:
    """What the fifth service's commands tell takes effect with them, and they share transactions."""
    dispatch = commands.service.dispatch
    _patch(dispatch, "at_once", dispatch.facts)
    _patch(Edge, "run", Edge.run_together)


def inbox_off(seed: str) -> None:
    """Every delivery takes effect."""
    _patch(inbox, "admit", lambda session, consumer, events: list(events))


def acknowledged_first(seed: str) -> None:
    """XACK before the transaction, which waits until the facts are marked as sent: a relay that dies earlier sends them again,
    and nothing would be lost."""
    outbox.SWEEP_EVERY = 0.1  # and marks what was sent
    handle = Consumer.handle

    async def too_early(self: Consumer, stream: str, batch: Sequence[Entry]) -> None:
        await self._acknowledge(stream, [entry.id for entry in batch])
        ids = [entries.read(entry.fields).id for entry in batch]
        marked = sa.select(sa.func.count()).where(tables.outbox.c.id.in_(ids), tables.outbox.c.entry_id.is_not(None))
        deadline = time.monotonic() + MARKED
        while time.monotonic() < deadline:
            with self._database.reading() as session:
                if session.execute(marked).scalar_one() == len(set(ids)):
                    break
            await asyncio.sleep(0.01)
        await handle(self, stream, batch)

    _patch(Consumer, "handle", too_early)


def sweeper_off(seed: str) -> None:
    """Nobody looks for unsent facts."""

    def look_away(self: Relay, everything: bool) -> None:
        self._sweep_due = time.monotonic() + 3600

    _patch(Relay, "_sweep", look_away)


def from_the_start(seed: str) -> None:
    """FastStream is told to read from 0, and from then on sees its own pending entries alone."""
    _patch(subscribing, "StreamSub", partial(subscribing.StreamSub, last_id="0"))


def impatient(seed: str) -> None:
    """FastStream is left alone when Redis answers with errors."""
    _patch(subscribing, "_patient", lambda subscriber, consume: consume)


def _patch(owner: Any, name: str, value: Any) -> None:
    setattr(owner, name, value)


VARIANTS: dict[str, Callable[[str], None]] = {
    "reordered": reordered,
    "at once": at_once,
    "inbox off": inbox_off,
    "acknowledged first": acknowledged_first,
    "sweeper off": sweeper_off,
    "read from 0": from_the_start,
    "impatient": impatient,
}
