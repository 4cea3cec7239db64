"""The feed as Server-Sent Events: every reader at its own pace, in bounded memory.

The end of the feed is held once for all readers of this replica; a reader is a position in it. One who is further behind,
because of a slow line or a long absence, is served from the database. An event's `id` is its cursor in the feed, the same on
every replica and after every restart: whoever comes back with `Last-Event-ID` misses nothing and gets nothing twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from fastapi.sse import format_sse_event
from sqlmodel import Session

from services.notify import queries
from services.notify.models import FeedFact
from services.notify.queries import Wanted
from services.notify.rules import cursor_of
from shared import logs
from shared.database import is_unavailable
from shared.service import Host

log = logs.get("stream")

LOOK_EVERY = 0.1
"""Seconds between two looks for new facts, while anybody reads."""
KEPT = 500
"""Facts at the end of the feed that are held in memory."""
KEPT_BYTES = 8_000_000
CHUNK_BYTES = 16_384
"""What is handed to a connection at once, unless one fact alone is larger."""
PAGE = 100
CATCHING_UP = 4
"""Readers served from the database at the same time."""
SILENCE = 15.0
"""Seconds after which a comment tells proxies and readers that the line is open."""
BEGIN = format_sse_event(retry=2000, comment="the feed of public facts")
OPEN = format_sse_event(comment="open")


@dataclass(frozen=True, slots=True)
class Held:
    """A fact of the feed, ready to be sent."""

    position: int
    type: str
    subject: str
    community: str
    encoded: bytes


class Tail:
    """The end of the feed, and those who read it at this replica."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._held: deque[Held] = deque()
        self._bytes = 0
        self._last = 0
        self._changed = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._starting = asyncio.Lock()
        self.readers = 0

    async def start(self) -> int:
        """Look for new facts from now on; the position of the last one there is."""
        if self._looking is not None and not self._looking.done():
            return self._last
        async with self._starting:
            if self._looking is None or self._looking.done():
                self._last = await asyncio.to_thread(self._host.read, queries.last_position)
                self._held.clear()
                self._bytes = 0
                self._looking = asyncio.create_task(self._look())
        return self._last

    async def read(self, after: int, wanted: Wanted, until: int | None) -> AsyncIterator[bytes]:
        """The facts after a position, and those to come, until the service ends or the reader goes; or up to a position."""
        self.readers += 1
        try:
            yield BEGIN
            while not self._host.ending.is_set() and (until is None or after < until):
                await self.start()  # it rests while nobody reads
                changed = self._changed
                chunk, after = await self._next(after, wanted)
                if chunk:
                    yield chunk
                elif after >= self._last:
                    try:
                        await asyncio.wait_for(changed.wait(), SILENCE)
                    except TimeoutError:
                        yield OPEN
        finally:
            self.readers -= 1

    async def _next(self, after: int, wanted: Wanted) -> tuple[bytes, int]:
        """What is sent next, and the position it reaches to."""
        if after >= self._last:
            return b"", after
        if self._held and self._held[0].position <= after + 1:
            return _chunk([held for held in self._held if held.position > after], wanted, after)
        async with self._catching_up:
            known = self._last  # positions are given in the order of commits: up to here nothing is missing
            try:
                facts = await asyncio.to_thread(self._host.read, queries.feed_after, after, wanted, PAGE)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                await asyncio.sleep(1)
                return b"", after
        held = [_hold(fact) for fact in facts]
        chunk, reached = _chunk(held, wanted, after)
        ended = len(facts) < PAGE and (not held or reached == held[-1].position)
        return chunk, max(reached, known) if ended else reached

    async def _look(self) -> None:
        """While anybody reads."""
        silent = 0
        while silent < 50 and not self._host.ending.is_set():
            silent = 0 if self.readers else silent + 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._host.ending.wait(), LOOK_EVERY)
            try:
                new = await asyncio.to_thread(self._host.read, _new, self._last)
            except Exception as error:
                log.warning(
                    "the feed cannot be read; its readers wait and miss nothing; see that the database runs",
                    kind=type(error).__name__,
                )
                continue
            if new:
                self._keep(new)
        self._wake()

    def _keep(self, new: Sequence[Held]) -> None:
        for held in new:
            self._held.append(held)
            self._bytes += len(held.encoded)
        while len(self._held) > KEPT or self._bytes > KEPT_BYTES:
            self._bytes -= len(self._held.popleft().encoded)
        self._last = new[-1].position
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _new(session: Session, last: int) -> list[Held]:
    return [_hold(fact) for fact in queries.feed_after(session, last, Wanted(), KEPT)]


def _hold(fact: FeedFact) -> Held:
    encoded = format_sse_event(id=cursor_of(fact.position), event=fact.type, data_str=queries.as_text(fact))
    return Held(fact.position, fact.type, fact.subject, fact.community, encoded)


def _chunk(held: Sequence[Held], wanted: Wanted, after: int) -> tuple[bytes, int]:
    """As many of them as go out at once, and the position they reach to."""
    parts: list[bytes] = []
    size = 0
    for fact in held:
        if wanted.has(fact.type, fact.subject, fact.community):
            if parts and size + len(fact.encoded) > CHUNK_BYTES:
                break
            parts.append(fact.encoded)
            size += len(fact.encoded)
        after = fact.position
    return b"".join(parts), after
