"""The outbox: facts that were committed, on their way to Redis, and the relay that takes them there."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import sqlalchemy as sa
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlmodel import Session

from shared import logs
from shared.database import Database
from shared.messaging import sets
from shared.messaging.entries import fields_of
from shared.messaging.feeding import Feeding
from shared.messaging.healing import Healer, numeric
from shared.messaging.housekeeping import Housekeeper
from shared.messaging.metrics import Metrics, count
from shared.messaging.steps import step
from shared.messaging.streams import FEED
from shared.messaging.tables import outbox, trimmed
from shared.messaging.transaction import Row
from shared.tracing import Tracing

log = logs.get("relay")

PIPELINE = 500
"""The most facts sent in one round trip."""
MARK_AFTER = 0.05
"""Seconds of quiet after which sent facts are marked, so that marking does not compete with the next commands."""
NEXT_TURN = 0.01
"""Seconds until the next look where another replica is sending the feed."""
SWEEP_EVERY = 0.5
"""Seconds between two looks for facts that a crash or a lost connection left unsent."""


def sending_client(redis_url: str) -> redis.Redis:
    """A client for XADD. Retries are off: a repeated XADD whose reply was lost leaves several entries; the sweeper is the
    retry."""
    return redis.Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=10, socket_connect_timeout=2)


CLEAN_AFTER, CLEAN_EVERY = 60.0, 3600.0
"""Seconds from the start to the first housekeeping, and from one to the next."""


@dataclass(frozen=True)
class Keep:
    """How long facts stay in the outbox, and entries on the streams."""

    facts: timedelta
    entries: timedelta


class Relay:
    """Sends a service's facts, in a thread of its own: at once what its process has just committed (`offer`), and by
    sweeping what a crash, another process or a lost connection left behind. A fact that is sent twice keeps its id, and the
    listeners' inbox counts it once."""

    def __init__(
        self,
        database: Database,
        redis_url: str,
        streams: Sequence[str],
        metrics: Metrics,
        sweep_age: float,
        keep: Keep,
        places: sa.Table | None = None,
    ) -> None:
        self._database = database
        self._client = sending_client(redis_url)
        self._metrics = metrics
        self._sweep_age = timedelta(seconds=sweep_age)
        self._healer = Healer(database, self._client, streams)
        self._housekeeper = Housekeeper(database, self._client, streams, keep.facts, keep.entries)
        self._feeding = None if places is None else Feeding(database, places, self._xadd, self._mark_in)
        self._feed_due = False
        self._swept = sa.true() if places is None else outbox.c.stream != FEED
        self.tracing: Tracing | None = None
        self._offered: queue.SimpleQueue[list[Row] | None] = queue.SimpleQueue()
        self._sent: list[tuple[str, str, str]] = []
        self._sweep_due = 0.0
        self._clean_due = time.monotonic() + CLEAN_AFTER
        self._stopping = False
        self._refused = False
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin, with what a former process left unsent."""
        self._started = datetime.now(UTC)
        self._thread.start()

    def stop(self) -> None:
        """Send and mark what was offered, then end."""
        self._stopping = True
        self._offered.put(None)
        self._thread.join(timeout=15)
        self._client.close()

    @property
    def running(self) -> bool:
        """Whether the relay's thread is alive."""
        return self._thread.is_alive()

    def offer(self, rows: list[Row]) -> None:
        """Send these outbox rows, which are committed, as soon as possible. Never blocks, never raises. Those of the feed are
        sent in the order of their places, which only the database knows."""
        if rows:
            self._offered.put(rows)

    def _run(self) -> None:
        first = True
        while True:
            rows, ended = self._wait()
            try:
                if rows:
                    self._send(rows)
                if self._sent and (not rows or ended or len(self._sent) >= PIPELINE):
                    self._mark()
                if self._feed_due:
                    self._feed()
                if not ended and time.monotonic() >= self._sweep_due:
                    self._sweep(self._started if first else datetime.now(UTC) - self._sweep_age)
                    first = False
                if not ended and time.monotonic() >= self._clean_due:
                    self._clean_due = time.monotonic() + CLEAN_EVERY
                    self._housekeeper.clean()
            except Exception as error:  # whatever it was, the facts are in the database, and the sweeper comes again
                log.warning(
                    "facts could not be sent; they are kept and sent by themselves when it works again; see that Redis and the "
                    "database run",
                    error=str(error),
                    kind=type(error).__name__,
                )
                self._sent.clear()
                self._refused = True
                self._sweep_due = time.monotonic() + SWEEP_EVERY
            if ended:
                return

    def _wait(self) -> tuple[list[Row], bool]:
        timeout = MARK_AFTER if self._sent else max(0.0, self._sweep_due - time.monotonic())
        if self._feed_due:
            timeout = min(timeout, NEXT_TURN)
        rows = self._take(timeout)
        return rows, self._stopping and self._offered.empty()

    def _take(self, timeout: float) -> list[Row]:
        rows: list[Row] = []
        try:
            offered = self._offered.get(timeout=timeout) if timeout > 0 else self._offered.get_nowait()
            while offered is not None:
                rows += offered
                if len(rows) >= PIPELINE:
                    break
                offered = self._offered.get_nowait()
        except queue.Empty:
            pass
        return rows

    def _send(self, rows: Sequence[Row]) -> None:
        if self._feeding is not None:
            own = [row for row in rows if row["stream"] != FEED]
            self._feed_due = self._feed_due or len(own) < len(rows)
            rows = own
        if rows:
            self._xadd(rows)

    def _feed(self) -> None:
        """Send the feed as far as it is committed; or look again, where another replica is sending it."""
        assert self._feeding is not None
        most = 0
        sent: int | None = 0
        while sent is not None and sent == most:
            most = 1 if self._refused else PIPELINE
            sent = self._feeding.turn(most)
        self._feed_due = sent is None

    def _xadd(self, rows: Sequence[Row]) -> None:
        began = time.time_ns()
        step("relay:before-xadd")
        with self._client.pipeline(transaction=False) as pipeline:
            for row in rows:
                pipeline.xadd(row["stream"], fields_of(row))  # type: ignore[arg-type]
            entry_ids: list[bytes] = pipeline.execute()
        self._refused = False
        step("relay:after-xadd")
        self._sent += [(row["stream"], row["id"], entry_id.decode()) for row, entry_id in zip(rows, entry_ids, strict=True)]
        count(self._metrics.sent, (row["type"] for row in rows))
        if self.tracing is not None:
            self.tracing.sent(rows, began)

    def _mark(self) -> None:
        marks, self._sent = self._sent, []
        self._database.transact(lambda session: mark_sent(session, marks))
        step("relay:after-mark")

    def _mark_in(self, session: Session) -> None:
        marks, self._sent = self._sent, []
        mark_sent(session, marks)

    def _sweep(self, before: datetime) -> None:
        self._sweep_due = time.monotonic() + SWEEP_EVERY
        for _ in range(self._offered.qsize()):  # or what waits in a busy relay's own queue would look like left behind
            if self._stopping or not (rows := self._take(0)):
                break
            self._send(rows)
            if len(self._sent) >= PIPELINE:
                self._mark()
        if self._sent:
            self._mark()  # before healing, or a lost entry could be marked as sent after the look for it
        if self._healer.heal():
            before = datetime.now(UTC)
        with self._database.reading() as session:
            count, oldest = unsent(session)
        if not count or oldest > before:  # type: ignore[operator]
            return
        while left := self._sweep_once(before):
            log.info("sent facts that were left unsent", facts=left)
        if self._feeding is not None:
            self._feed()

    def _sweep_once(self, before: datetime) -> int:
        # SQLite has one writer, who must not wait for Redis. On PostgreSQL two replicas' sweepers pass over each other's
        # rows, which stay locked until they are marked.
        if self._database.sqlite:
            with self._database.reading() as session:
                rows = self._unsent(session, before)
            if rows:
                self._xadd(rows)
                self._mark()
            return len(rows)
        left = self._database.transact(lambda session: self._sweep_locked(session, before))
        step("relay:after-mark")
        return left

    def _sweep_locked(self, session: Session, before: datetime) -> int:
        rows = self._unsent(session, before)
        if rows:
            self._xadd(rows)
            self._mark_in(session)
        return len(rows)

    def _unsent(self, session: Session, before: datetime) -> list[Row]:
        statement = (
            sa.select(outbox)
            .where(outbox.c.entry_id.is_(None), outbox.c.created_at <= before, self._swept)
            .order_by(outbox.c.created_at)
            .limit(1 if self._refused else PIPELINE)  # one tells whether Redis takes them again
            .with_for_update(skip_locked=True)
        )
        return [dict(row) for row in session.execute(statement).mappings()]


def mark_sent(session: Session, marks: Sequence[tuple[str, str, str]]) -> None:
    """Record, in one UPDATE, the entry id of each (stream, fact id, entry id). What has been trimmed since it was sent is not
    sent: a listener that is being rebuilt would miss it."""
    streams = trimmed.c.stream.in_({stream for stream, _, _ in marks})
    trims = session.execute(sa.select(trimmed.c.stream, trimmed.c.before).where(streams))
    horizons = {row.stream: row.before for row in trims}
    standing = (mark for mark in marks if mark[0] not in horizons or numeric(mark[2]) >= numeric(horizons[mark[0]]))
    sets.update(session, outbox, ("stream", "id", "entry_id"), sorted(standing))


def unsent(session: Session) -> tuple[int, datetime | None]:
    """How many facts are not sent yet, and when the oldest of them was told."""
    count, oldest = session.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.c.created_at)).where(outbox.c.entry_id.is_(None))
    ).one()
    return count, oldest


def told(session: Session, community: str) -> int:
    """How many facts of a community this service told; those told again on the feed do not count twice."""
    own = (outbox.c.community == community) & (outbox.c.stream != FEED)
    statement: Any = sa.select(sa.func.count()).select_from(outbox).where(own)
    return int(session.execute(statement).scalar_one())
