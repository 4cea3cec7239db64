"""The consumer: takes entries off the streams and lets each fact take effect exactly once.

The fast path handles a whole batch in one transaction and acknowledges it with one XACK. When anything in it raised, the
slow path handles the batch one by one, so that a poison fact holds up nobody. A fact that fails is tried again, later and
later, and then goes to the dead letters. What was not acknowledged stays pending in Redis and is claimed.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from shared import logs
from shared.database import Database, is_unavailable
from shared.events import CloudEvent, Fact
from shared.messaging import dead_letters, entries, inbox
from shared.messaging.dead_letters import DeadLetter
from shared.messaging.entries import Fields
from shared.messaging.handlers import Dispatch
from shared.messaging.metrics import Metrics, count
from shared.messaging.steps import step
from shared.messaging.transaction import Row, Transaction, transact
from shared.tracing import Tracing

log = logs.get("consumer")

T = TypeVar("T")


class Entry(NamedTuple):
    """One entry of a stream, as Redis gave it."""

    stream: str
    id: str
    fields: Fields


@dataclass(frozen=True)
class Retries:
    """How often a failing fact is tried: `attempts` in all, the first retry after `first` seconds, each further one
    `factor` times later."""

    attempts: int = 5
    first: float = 0.1
    factor: float = 3

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the given failed attempt, counted from 1."""
        return self.first * self.factor ** (attempt - 1)


@dataclass
class _Batch:
    """A batch sorted by what is to become of each entry."""

    heard: list[tuple[Entry, CloudEvent[Fact]]] = field(default_factory=list)
    unreadable: list[DeadLetter] = field(default_factory=list)


class Consumer:
    """Handles a service's entries. `acknowledge(stream, entry ids)` is the transport's XACK."""

    def __init__(
        self,
        group: str,
        database: Database,
        dispatch: Dispatch,
        teller: str,
        public_url: str,
        offer: Callable[[list[Row]], None],
        acknowledge: Callable[[str, Sequence[str]], Awaitable[None]],
        metrics: Metrics,
        retries: Retries,
    ) -> None:
        self._group = group
        self._database = database
        self._dispatch = dispatch
        self._teller = teller
        self._public_url = public_url
        self._offer = offer
        self._acknowledge = acknowledge
        self._metrics = metrics
        self._retries = retries
        self.tracing: Tracing | None = None
        self._retrying: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> int:
        """How many facts wait for another attempt."""
        return len(self._retrying)

    @property
    def retrying(self) -> Counter[str]:
        """How many facts of each stream wait for another attempt."""
        return Counter(stream for stream, _ in list(self._retrying))

    async def stop(self) -> None:
        """Give up waiting for retries; what is not handled stays pending and is claimed later."""
        for task in list(self._retrying.values()):
            task.cancel()
        await asyncio.gather(*self._retrying.values(), return_exceptions=True)

    async def handle(self, stream: str, batch: Sequence[Entry]) -> None:
        """Handle a batch of one stream and acknowledge what is done with. Never raises for what an entry contains."""
        batch = [entry for entry in batch if (entry.stream, entry.id) not in self._retrying]
        if not batch:
            return
        step("consumer:before-transaction")
        done = [entry.id for entry in batch]
        if any(map(self._concerns, batch)):
            done = await self._when_available(lambda: self._handle(batch))
        step("consumer:after-commit")
        if done:
            await self._acknowledge(stream, done)
        step("consumer:after-xack")

    async def bury(self, stream: str, batch: Sequence[Entry], cause: str, attempts: int) -> None:
        """Put entries to the dead letters without another attempt, save those that did take effect: of them only the
        acknowledgements were lost."""
        letters = [DeadLetter(stream, entry.id, entry.fields, cause, attempts=attempts) for entry in batch]
        await self._when_available(lambda: self._bury(self._without_effect(letters)))
        await self._acknowledge(stream, [entry.id for entry in batch])

    def _without_effect(self, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
        with self._database.reading() as session:
            return [letter for letter in letters if not inbox.has(session, self._group, letter.fields)]

    def _handle(self, batch: Sequence[Entry]) -> list[str]:
        with self._metrics.batch_seconds.time():
            sorted_batch = self._read(batch)
            failed: set[str] = set()
            try:
                self._take_effect([event for _, event in sorted_batch.heard], sorted_batch.unreadable)
            except Exception as error:
                if is_unavailable(error):
                    raise
                log.info("a batch failed; its facts are handled one by one", facts=len(batch), kind=type(error).__name__)
                failed = self._handle_one_by_one(sorted_batch)
        return [entry.id for entry in batch if entry.id not in failed]

    def _concerns(self, entry: Entry) -> bool:
        return self._dispatch.hears(entries.type_of(entry.fields)) and entries.heard_by(entry.fields) != self._group

    def _read(self, batch: Sequence[Entry]) -> _Batch:
        sorted_batch = _Batch()
        for entry in filter(self._concerns, batch):
            try:
                event = entries.read(entry.fields)
            except entries.Unreadable as error:
                sorted_batch.unreadable.append(DeadLetter(entry.stream, entry.id, entry.fields, dead_letters.cause_of(error)))
                continue
            if event.type in self._dispatch.types:
                sorted_batch.heard.append((entry, event))
        return sorted_batch

    def _handle_one_by_one(self, sorted_batch: _Batch) -> set[str]:
        if sorted_batch.unreadable:
            self._bury(sorted_batch.unreadable)
        failed = [(entry, event) for entry, event in sorted_batch.heard if not self._attempt(entry, event, attempt=1)]
        for entry, event in failed:  # not before: where the database goes away in between, all of them are handled anew
            self._loop.call_soon_threadsafe(self._schedule, entry, event)
        return {entry.id for entry, _ in failed}

    def _attempt(self, entry: Entry, event: CloudEvent[Fact], attempt: int) -> bool:
        """Whether the entry is done with: it took effect, or lies with the dead letters. If not, it will be tried again."""
        try:
            self._take_effect([event], [])
        except Exception as error:
            if is_unavailable(error):
                raise
            kind = type(error).__name__
            self._metrics.retried.labels(event.type).inc()
            if attempt < self._retries.attempts:
                log.warning(
                    "a fact failed; it had no effect, and is tried again; if it lasts, mend the handler",
                    type=event.type,
                    fact=event.id,
                    attempt=attempt,
                    kind=kind,
                )
                return False
            log.error(
                "a fact went to the dead letters; it has no effect here until it is replayed; mend the cause, then see: fenghe "
                "dead-letters",
                type=event.type,
                fact=event.id,
                attempts=attempt,
                kind=kind,
            )
            cause, where = dead_letters.cause_of(error), dead_letters.traceback_of(error)
            self._bury([DeadLetter(entry.stream, entry.id, entry.fields, cause, where, attempt)])
        return True

    def _schedule(self, entry: Entry, event: CloudEvent[Fact]) -> None:
        key = (entry.stream, entry.id)
        task = self._retrying[key] = self._loop.create_task(self._retry(entry, event))
        task.add_done_callback(lambda _: self._retrying.pop(key, None))

    async def _retry(self, entry: Entry, event: CloudEvent[Fact]) -> None:
        for attempt in range(2, self._retries.attempts + 1):
            await asyncio.sleep(self._retries.delay(attempt - 1))
            if await self._when_available(lambda: self._attempt(entry, event, attempt)):  # noqa: B023 (awaited here)
                await self._acknowledge(entry.stream, [entry.id])
                return

    async def _when_available(self, work: Callable[[], T]) -> T:
        """Do it in a thread; while the database cannot be reached, wait and do it again: no fact fails for that."""
        pause = 0.1
        while True:
            try:
                return await asyncio.to_thread(work)
            except Exception as error:
                if not is_unavailable(error):
                    raise
                log.warning(
                    "the database cannot be used; facts wait for it, none is lost; start it, or check FENGHE_DATABASE_URL",
                    pause=pause,
                    kind=type(error).__name__,
                )
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2)

    def _take_effect(self, events: list[CloudEvent[Fact]], unreadable: list[DeadLetter]) -> None:
        if not events and not unreadable:
            return

        self._dispatch.prepare(events)
        if self.tracing is None:
            self._transact(events, unreadable, None)
            return
        with self.tracing.batch(self._group, events) as handled:
            self._transact(events, unreadable, handled)

    def _transact(self, events: list[CloudEvent[Fact]], unreadable: list[DeadLetter], handled: dict[str, str] | None) -> None:
        def work(tx: Transaction) -> list[CloudEvent[Fact]]:
            dead_letters.bury(tx.session, self._group, unreadable)
            new = inbox.admit(tx.session, self._group, events)
            if new:
                tx.because_of(new)
                self._dispatch.run(tx, new, self._metrics.handler_seconds)
                if handled is not None:
                    handled.clear()  # of an attempt that was undone
                    handled.update(tx.spans(new))
            return new

        new, rows = transact(self._database, self._teller, self._public_url, work, lambda: step("consumer:before-commit"))
        self._offer(rows)
        self._count(events, new, unreadable, rows)

    def _count(
        self,
        events: list[CloudEvent[Fact]],
        new: list[CloudEvent[Fact]],
        unreadable: list[DeadLetter],
        rows: list[Row],
    ) -> None:
        count(self._metrics.handled, (event.type for event in new))
        count(self._metrics.told, (row["type"] for row in rows))
        self._metrics.repeated.inc(len(events) - len(new))
        self._metrics.dead.inc(len(unreadable))
        for letter in unreadable:
            log.error(
                "an entry cannot be read and went to the dead letters; it has no effect here; see why: fenghe dead-letters",
                stream=letter.stream,
                entry=letter.entry_id,
            )
        if new:
            traces = sorted({logs.trace_id(event.traceparent) for event in new})
            log.info("facts took effect", facts=len(new), told=len(rows), traces=traces)

    def _bury(self, letters: list[DeadLetter]) -> None:
        self._database.transact(lambda session: dead_letters.bury(session, self._group, letters))
        step("consumer:after-bury")
        self._metrics.dead.inc(len(letters))
