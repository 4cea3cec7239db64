"""Healing: Redis is rebuildable. Whatever it lost is found out and sent again from the outbox.

Neither a stream's length nor its last id shows a loss: after FLUSHALL one XADD makes both look healthy, and a trimmed stream
looks young too. So each stream has an epoch key beside it, and each outbox row the id of the entry it became. When the epoch
is missing or the server is another one, the recorded entries are looked for, and those that are not there become unsent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from shared import logs
from shared.database import Database
from shared.identifiers import new_id
from shared.messaging.steps import step
from shared.messaging.streams import epoch_of
from shared.messaging.tables import outbox, trimmed

log = logs.get("healing")

PAGE = 1000

Sent = tuple[str, str, str]
"""An outbox row that was sent: stream, fact id, entry id."""


class Healer:
    """Looks, for a relay, whether the streams it writes still hold what it wrote."""

    def __init__(self, database: Database, client: Any, streams: Sequence[str]) -> None:
        self._database = database
        self._client = client
        self._streams = streams
        self._seen: dict[str, tuple[str, bytes | None]] = {}

    def heal(self) -> int:
        """Make unsent whatever is missing from Redis; returns how many facts that were. Cheap where nothing happened.
        Raises redis.RedisError."""
        server = str(self._client.info("server")["run_id"])
        epochs = self._client.mget([epoch_of(stream) for stream in self._streams]) if self._streams else []
        lost = 0
        for stream, epoch in zip(self._streams, epochs, strict=True):
            if epoch is None:
                # Made before the look: what is lost in the middle of it takes the epoch along, and is looked for next time.
                self._client.set(epoch_of(stream), new_id(), nx=True)
                epoch = self._client.get(epoch_of(stream))
                step("healer:after-epoch")
            # Another epoch than before: a replica has healed the stream, but could not see what this one had not marked yet.
            if self._seen.get(stream) != (server, epoch):
                lost += self._check(stream)
                self._seen[stream] = (server, epoch)
        return lost

    def _check(self, stream: str) -> int:
        with self._database.reading() as session:
            horizon = session.execute(sa.select(trimmed.c.before).where(trimmed.c.stream == stream)).scalar()
        lost, after = 0, ""
        while rows := self._page(stream, after):
            standing = [row for row in rows if horizon is None or numeric(row[2]) >= numeric(horizon)]
            missing = self._missing(standing)
            if missing:
                step("healer:before-unsent")
                lost += self._database.transact(partial(make_unsent, stream=stream, ids=missing))
                step("healer:after-unsent")
            after = rows[-1][1]
        if lost:
            log.warning(
                "Redis has lost facts; they are sent again, and take effect once; see that Redis keeps its data (AOF)",
                stream=stream,
                facts=lost,
            )
        return lost

    def _page(self, stream: str, after: str) -> list[Sent]:
        statement = (
            sa.select(outbox.c.stream, outbox.c.id, outbox.c.entry_id)
            .where(outbox.c.stream == stream, outbox.c.entry_id.is_not(None), outbox.c.id > after)
            .order_by(outbox.c.id)
            .limit(PAGE)
        )
        with self._database.reading() as session:
            return [(row.stream, row.id, row.entry_id) for row in session.execute(statement)]

    def _missing(self, rows: Sequence[Sent]) -> list[str]:
        with self._client.pipeline(transaction=False) as pipeline:
            for stream, _, entry_id in rows:
                pipeline.xrange(stream, entry_id, entry_id)
            found = pipeline.execute()
        # The id alone proves nothing: a server set back in time gives the same id to another fact.
        return [
            id
            for (_, id, _), entries in zip(rows, found, strict=True)
            if not entries or not entries[0][1] or entries[0][1].get(b"id") != id.encode()
        ]


def make_unsent(session: Session, stream: str, ids: Sequence[str]) -> int:
    """These facts are to be sent again, under their own id and sequence."""
    session.execute(
        sa.update(outbox).where(outbox.c.stream == stream, outbox.c.id == sa.bindparam("fact")).values(entry_id=None),
        [{"fact": id} for id in ids],
    )
    return len(ids)


def republish(session: Session, community: str | None = None) -> int:
    """The last fact of every subject (of a community) is to be sent again, under its own id and sequence: what a new or
    emptied listener needs. Returns how many."""
    last = (
        sa.select(outbox.c.stream, outbox.c.source, outbox.c.subject, sa.func.max(outbox.c.sequence).label("sequence"))
        .group_by(outbox.c.stream, outbox.c.source, outbox.c.subject)
        .subquery()
    )
    chosen = (
        sa.select(outbox.c.stream, outbox.c.id)
        .join(
            last,
            (outbox.c.stream == last.c.stream)
            & (outbox.c.source == last.c.source)
            & (outbox.c.subject == last.c.subject)
            & (outbox.c.sequence == last.c.sequence),
        )
        .where(outbox.c.entry_id.is_not(None))
    )
    if community is not None:
        chosen = chosen.where(outbox.c.community == community)
    rows = session.execute(chosen).all()
    for stream in sorted({row.stream for row in rows}):
        make_unsent(session, stream, [row.id for row in rows if row.stream == stream])
    return len(rows)


def forget(session: Session, before: datetime) -> int:
    """Delete facts told before a moment, save those not yet sent and the last of every subject, which is kept for ever.
    Returns how many."""
    later = outbox.alias("later")
    newer = sa.exists().where(
        later.c.stream == outbox.c.stream,
        later.c.source == outbox.c.source,
        later.c.subject == outbox.c.subject,
        later.c.sequence > outbox.c.sequence,
    )
    statement = sa.delete(outbox).where(outbox.c.created_at < before, outbox.c.entry_id.is_not(None), newer)
    return int(session.execute(statement).rowcount)  # type: ignore[attr-defined]


def numeric(entry_id: str) -> tuple[int, int]:
    """An entry id as numbers that compare as Redis compares them."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence or 0)
