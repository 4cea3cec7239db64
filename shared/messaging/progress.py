"""Whether a replica gets on: a subscriber that looks alive and finishes nothing, while facts wait for it, stands still."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from shared import logs
from shared.messaging.standing import Observer, Standing

log = logs.get("progress")


class Retrying(Protocol):
    """Whoever knows how many facts of each stream wait for another attempt."""

    @property
    def retrying(self) -> Mapping[str, int]: ...


class Progress:
    """What one replica has finished, per stream, and since when facts have been waiting for it in vain. `limit`: after how many
    seconds of that it stands still."""

    def __init__(self, streams: Sequence[str], limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.last: dict[str, float] = {}
        self._clock = clock
        self._made = dict.fromkeys(streams, 0)
        self._waiting: dict[str, tuple[int, float]] = {}
        self._restarted: dict[str, float] = {}

    def made(self, stream: str) -> None:
        """Entries of this stream are finished with."""
        self._made[stream] += 1
        self.last[stream] = time.time()

    def look(self, standings: Sequence[Standing], replica: str, retrying: Mapping[str, int]) -> None:
        """Take note of what waits for this replica: what nobody was given yet, and what it has in hand itself, save the facts
        that wait for another attempt."""
        for standing in standings:
            stream = standing.stream
            own = sum(member.pending for member in standing.members if member.name == replica)
            waiting = standing.undelivered + max(0, own - retrying.get(stream, 0))
            made, _ = self._waiting.get(stream, (-1, 0.0))
            if not waiting:
                self._waiting.pop(stream, None)
            elif made != self._made[stream]:
                self._waiting[stream] = (self._made[stream], self._clock())

    def forget(self) -> None:
        """Redis cannot be asked: nobody knows what waits."""
        self._waiting.clear()

    @property
    def stalled(self) -> dict[str, float]:
        """The streams whose subscribers stand still, and for how many seconds."""
        now = self._clock()
        return {stream: now - since for stream, (_, since) in self._waiting.items() if now - since >= self.limit}

    def restart_due(self, stream: str) -> bool:
        """Whether to start a subscriber again that stands still: once in every `limit` seconds."""
        now = self._clock()
        if stream not in self.stalled or now - self._restarted.get(stream, -self.limit) < self.limit:
            return False
        self._restarted[stream] = now
        return True


async def watch(observer: Observer, progress: Progress, replica: str, consumer: Retrying) -> None:
    """Look, until cancelled, whether anything waits for this replica in vain."""
    while True:
        await asyncio.sleep(min(1, progress.limit / 4))
        try:
            progress.look(await asyncio.to_thread(observer.look), replica, consumer.retrying)
        except Exception as error:
            log.debug("where the group stands cannot be asked", kind=type(error).__name__)
            progress.forget()
