"""Housekeeping: what has served its time goes, and nothing that somebody still needs.

Facts leave the outbox after the retention, save the last of every subject; inbox and idempotency keys leave some time later.
Streams are trimmed by age and never past the slowest group: one that stands still keeps its entries, and is named in the log.
The feed is trimmed by age alone: its groups are outsiders', who must not fill our memory. Its last entry stays, so that whoever
has read it finds it again, and who does not find the entry read last has fallen behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from shared import logs
from shared.database import Database, insert
from shared.messaging.healing import forget, numeric
from shared.messaging.steps import step
from shared.messaging.streams import FEED, text
from shared.messaging.tables import idempotency_keys, inbox, trimmed

log = logs.get("housekeeping")

INBOX_LONGER = timedelta(days=5)
"""How much longer than facts the inbox is kept: whatever may still be sent again must still be known."""
IDEMPOTENCY = timedelta(days=7)


class Housekeeper:
    """Cleans up a service's tables and the streams it writes."""

    def __init__(
        self, database: Database, client: Any, streams: Sequence[str], retention: timedelta, stream_age: timedelta
    ) -> None:
        self._database = database
        self._client = client
        self._streams = streams
        self._retention = retention
        self._stream_age = stream_age

    def clean(self) -> None:
        """Clean up once. Raises redis.RedisError where Redis cannot be reached."""
        now = datetime.now(UTC)
        facts = self._database.transact(lambda session: forget(session, now - self._retention))
        self._database.transact(lambda session: _forget_received(session, now, self._retention))
        step("housekeeper:after-forget")
        entries = sum(self._trim(stream, now - self._stream_age) for stream in self._streams)
        if facts or entries:
            log.info("cleaned up", facts=facts, entries=entries)

    def _trim(self, stream: str, before: datetime) -> int:
        wanted = f"{int(before.timestamp() * 1000)}-0"
        needed, by = self._last(stream) if stream == FEED else self._needed(stream)
        horizon = wanted
        if needed is not None and numeric(needed) < numeric(wanted):
            horizon = needed
            if by:
                log.warning(
                    "a stream is not trimmed further, a group still needs it; it takes more and more of the memory of Redis; "
                    "start the group's service, or remove the group (XGROUP DESTROY) if there is none any more",
                    stream=stream,
                    group=by,
                    needed=needed,
                )
        # Written down first: what is missing before it is not lost, and must not be sent again.
        self._database.transact(lambda session: _remember(session, stream, horizon))
        step("housekeeper:before-xtrim")
        entries = int(self._client.xtrim(stream, minid=horizon, approximate=False))
        step("housekeeper:after-xtrim")
        return entries

    def _last(self, stream: str) -> tuple[str | None, str]:
        """The last entry, which no group needs."""
        last = self._client.xrevrange(stream, count=1)
        return (text(last[0][0]), "") if last else (None, "")

    def _needed(self, stream: str) -> tuple[str | None, str]:
        """The oldest entry that some group has not finished with, and which group that is."""
        if not self._client.exists(stream):
            return None, ""
        needed: list[tuple[str, str]] = []
        for group in self._client.xinfo_groups(stream):
            name = group["name"].decode()
            last: str = group["last-delivered-id"].decode()
            pending = self._client.xpending(stream, name)["min"]
            following = self._client.xrange(stream, f"({last}", "+", count=1)
            candidates = ([pending.decode()] if pending else []) + [id.decode() for id, _ in following]
            if candidates:
                needed.append((min(candidates, key=numeric), name))
        return min(needed, key=lambda found: numeric(found[0])) if needed else (None, "")


def _remember(session: Session, stream: str, horizon: str) -> None:
    statement = insert(session, trimmed).values(stream=stream, before=horizon)
    session.execute(statement.on_conflict_do_update(index_elements=["stream"], set_={"before": statement.excluded.before}))


def _forget_received(session: Session, now: datetime, retention: timedelta) -> None:
    session.execute(sa.delete(inbox).where(inbox.c.handled_at < now - retention - INBOX_LONGER))
    session.execute(sa.delete(idempotency_keys).where(idempotency_keys.c.created_at < now - IDEMPOTENCY))
