"""A service is a value (`Service`); a process runs one, the all-in-one four. `Host` is one that runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import sqlalchemy as sa
from fastapi import APIRouter
from redis.exceptions import RedisError

from shared import access, logs, tracing
from shared.database import Database
from shared.events import Fact, catalogue
from shared.imports import Import
from shared.messaging import outbox
from shared.messaging.at_once import AtOnce
from shared.messaging.broker import Broker
from shared.messaging.consumer import Consumer, Retries
from shared.messaging.gauges import Gauges
from shared.messaging.handlers import Dispatch, Handlers
from shared.messaging.metrics import Metrics
from shared.messaging.progress import Progress
from shared.messaging.standing import Observer
from shared.messaging.steps import step
from shared.messaging.streams import FEED, stream_of
from shared.messaging.timekeeper import Timekeeper
from shared.messaging.timers import Effect, Timers, functions
from shared.messaging.together import Together
from shared.messaging.transaction import Row, Transaction, transact
from shared.settings import Settings
from shared.siblings import Siblings
from shared.version import VERSION

T = TypeVar("T")

UNSENT_TOO_LONG = 30
"""Seconds that a fact may wait to be sent before its service is not ready."""

log = logs.get("service")


class Loop(Protocol):
    """What a service does all the while beside answering, hearing and its timers, such as sending webhooks."""

    @property
    def running(self) -> bool:
        """Whether it has not ended by itself."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """Finish what is in hand, then end. Called from another thread than the event loop's."""


@dataclass(frozen=True)
class Service:
    """One of the services: its name, what it answers (`routers`), what it hears (`handlers`), what it does when the
    time has come (`timers`) and all the while (`loops`), its tables. `group` is the name of its consumer group: contract,
    written out. `feeds`: it tells public facts again on the feed, in the order of this table, where each of them has a row
    (`source`, `fact`, `position`), written in the same transaction under a lock held until its end. Raises ValueError where
    two timers are of one kind."""

    name: str
    title: str
    summary: str
    group: str
    metadata: sa.MetaData
    title_zh: str = ""
    summary_zh: str = ""
    routers: Sequence[APIRouter] = ()
    handlers: Sequence[Handlers] = ()
    timers: Sequence[Timers] = ()
    loops: Sequence[Callable[[Host], Loop]] = ()
    imports: Sequence[Import] = ()
    migrations: Path | None = None
    feeds: sa.Table | None = None
    dispatch: Dispatch = field(init=False)
    effects: dict[str, Effect] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dispatch", Dispatch(self.handlers))
        object.__setattr__(self, "effects", functions(self.timers))

    @property
    def tells(self) -> list[type[Fact]]:
        """The facts it tells."""
        return list(catalogue(self.name))

    @property
    def writes(self) -> list[str]:
        """The streams it writes to."""
        return [stream_of(self.name), *([] if self.feeds is None else [FEED])]

    @property
    def hears(self) -> list[type[Fact]]:
        """The facts it hears."""
        return sorted(self.dispatch.facts, key=lambda fact: fact.type)


@dataclass(frozen=True)
class Lack:
    """Something a replica lacks to do its work: a kind that a program can tell apart, and a sentence."""

    kind: str
    what: str


class Host:
    """A running service: database, relay, consumer, timekeeper. `run` and `read` may be called from any thread once it is
    started."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service
        self.settings = settings
        self.verifier = access.load_verifier(settings.token_keys)
        self._signer = access.load_signer(settings.signing_key) if settings.signing_key else None
        self.database = Database(settings.database_url)
        self.metrics = Metrics(service.name)
        self._at_once = AtOnce(service.dispatch, service.group, self.metrics)
        self._together = Together(lambda work: self._run(work, (), {}))
        keep = outbox.Keep(timedelta(days=settings.retention_days), timedelta(days=settings.stream_days))
        self._relay = outbox.Relay(
            self.database, settings.redis_url, service.writes, self.metrics, settings.sweep_age, keep, service.feeds
        )
        streams = [stream_of(teller) for teller in service.dispatch.tellers]
        self.observer = Observer(settings.redis_url, service.group, streams)
        self.progress = Progress(streams, settings.stall_after)
        self.metrics.registry.register(Gauges(self.observer, self.database, self.progress, lambda: self.retrying))
        self.tracing = self._relay.tracing = tracing.begin(settings, service.name, VERSION)
        self._retries = Retries(settings.retry_attempts, settings.retry_first, settings.retry_factor)
        self._timekeeper = Timekeeper(
            self.database,
            service.effects,
            service.name,
            settings.public_url,
            self._relay.offer,
            self.metrics,
            self._retries,
        )
        self._broker: Broker | None = None
        self._consumer: Consumer | None = None
        self._parts: dict[Any, Any] = {}
        self.siblings: Siblings | None = None
        """The other workers behind the same port, where there are several."""
        self.ending = asyncio.Event()
        """Set when the service is about to end: whoever answers for ever comes to an end."""

    def part(self, kind: Callable[[Host], T]) -> T:
        """The one `kind(host)` of this running service, made when it is first asked for, in the event loop."""
        if kind not in self._parts:
            self._parts[kind] = kind(self)
        return cast(T, self._parts[kind])

    @property
    def replica(self) -> str:
        """The name of this replica in its group; empty until it has started."""
        return self._broker.consumer_name if self._broker else ""

    @property
    def retrying(self) -> int:
        """How many facts wait in this replica for another attempt."""
        return self._consumer.waiting if self._consumer else 0

    @property
    def signer(self) -> access.Signer:
        """Signs tokens. Raises RuntimeError in a service that has no signing key."""
        if self._signer is None:
            raise RuntimeError(f"{self.service.name} has no signing key: set FENGHE_SIGNING_KEY")
        return self._signer

    async def start(self) -> None:
        """Wait for Redis, then relay and read. Raises TimeoutError with a sentence where Redis does not come."""
        settings, service = self.settings, self.service
        self._broker = Broker(
            settings.redis_url, self.observer, self.progress, settings.batch, settings.claim_idle, self.metrics
        )
        await self._broker.wait(settings.redis_wait)
        self._consumer = Consumer(
            service.group,
            self.database,
            service.dispatch,
            service.name,
            settings.public_url,
            self._relay.offer,
            self._broker.acknowledge,
            self.metrics,
            self._retries,
        )
        self._consumer.tracing = self._at_once.tracing = self.tracing
        self._relay.start()
        await self._broker.start(self._consumer, claim_everything=settings.sole)
        self._timekeeper.tracing = self.tracing
        self._timekeeper.start()
        for loop in service.loops:
            self.part(loop).start()
        log.info("started", service=service.name, hears=self.observer.streams, replica=self._broker.consumer_name)

    async def stop(self) -> None:
        """Finish what is being done, send what is committed, and end."""
        self.ending.set()
        if self._broker and self._consumer:
            for loop in self.service.loops:
                await asyncio.to_thread(self.part(loop).stop)
            await asyncio.to_thread(self._timekeeper.stop)
            await self._broker.stop()
            await self._consumer.stop()
            await asyncio.to_thread(self._relay.stop)
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.close)
        self.database.close()
        self.observer.close()
        log.info("stopped", service=self.service.name)

    def run(self, action: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do `action(tx, …)` in one transaction, and send the facts it told as soon as it is committed."""
        if self.tracing is None:
            return self._run(action, args, kwargs)
        with self.tracing.command(action, args):
            return self._run(action, args, kwargs)

    def run_together(self, action: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """As `run`, in one transaction with others of its kind that come at the same time (`shared/messaging/together.py`)."""
        if self.tracing is not None:  # there each command is a span
            return self.run(action, *args, **kwargs)
        return self._together.run(lambda tx: action(tx, *args, **kwargs))

    def _run(self, action: Callable[..., T], args: Sequence[Any], kwargs: Mapping[str, Any]) -> T:
        result, rows = self._at_once.run(lambda tx: action(tx, *args, **kwargs), self._transact)
        step("command:after-commit")
        self._relay.offer(rows)
        for row in rows:
            self.metrics.told.labels(row["type"]).inc()
        return result

    def _transact(self, work: Callable[[Transaction], T]) -> tuple[T, list[Row]]:
        return transact(self.database, self.service.name, self.settings.public_url, work, lambda: step("command:before-commit"))

    def read(self, query: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Do `query(session, …)` and return what it returns."""
        with self.database.reading() as session:
            return query(session, *args, **kwargs)

    async def quiet(self) -> dict[str, Any]:
        """Whether everything told is sent, everything heard is handled, and every timer that is due has fired. Raises
        RedisError where nobody can tell."""
        assert self._broker and self._consumer
        due, failing = await asyncio.to_thread(self.read, self._timekeeper.waiting)
        count, _ = await asyncio.to_thread(self.read, outbox.unsent)
        pending = await self._broker.pending()
        streams = await self._broker.last_ids()
        retrying = self._consumer.waiting + failing
        return {
            "quiet": not (due or count or pending or retrying),
            "unsent": count,
            "pending": pending,
            "retrying": retrying,
            "due": due,
            "streams": streams,
        }

    async def missing(self) -> list[str]:
        """What this service lacks to do its work, in sentences; nothing when it is ready."""
        return [lack.what for lack in await self.lacks()]

    async def lacks(self) -> list[Lack]:
        """What this replica lacks to do its work; nothing when it is ready."""
        if self._broker is None:
            return [Lack("starting", "it has not started yet")]
        lacks = []
        try:
            count, oldest = await asyncio.to_thread(self.read, outbox.unsent)
            if oldest and (age := (datetime.now(UTC) - oldest).total_seconds()) > UNSENT_TOO_LONG:
                lacks.append(Lack("unsent", f"{count} facts are unsent, the oldest for {age:.0f} s"))
        except Exception as error:
            lacks.append(Lack("database", f"the database cannot be used ({type(error).__name__})"))
        try:
            await asyncio.to_thread(self.observer.ping)
        except (RedisError, OSError) as error:
            lacks.append(Lack("redis", f"Redis cannot be reached ({type(error).__name__})"))
        if not self._broker.reading:
            lacks.append(Lack("reading", "reading the streams has stopped; it is taken up again as soon as Redis answers"))
        for stream, seconds in self.progress.stalled.items():
            what = f"the subscriber of {stream} stands still: facts wait, and for {seconds:.0f} s none was finished"
            lacks.append(Lack("stalled", what))
        if not self._relay.running:
            lacks.append(Lack("relay", "the relay has ended"))
        if not self._timekeeper.running:
            lacks.append(Lack("timekeeper", "the timekeeper has ended"))
        for loop in self.service.loops:
            if not self.part(loop).running:
                lacks.append(Lack("loop", f"the {getattr(loop, '__name__', 'loop').lower()} has ended"))
        return lacks
