"""The feed is sent in the order of its places, by one replica at a time, so that its stream stands in the order of its list:
whoever has read as far as a fact, and asks the list for what comes after it, misses nothing.

Places are given under a lock that is held until the commit (the service's own table, `places`), so a place that can be seen
has none below it that is still to come. A replica that stands still while it sends loses its turn with its connection; what it
sends when it wakes up stands in the stream already, and its id says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from shared.database import Database
from shared.messaging.streams import FEED
from shared.messaging.tables import outbox
from shared.messaging.transaction import Row

TURN = "15s"
"""How long a turn may stand still before PostgreSQL ends it: longer than Redis is waited for."""
LOCK = 0x66656E676865
"""The number of the advisory lock that is the turn, in the service's own database."""


class Feeding:
    """Sends, for a relay, what of the feed is unsent. `send` takes rows to Redis, `mark` records what became of them."""

    def __init__(
        self,
        database: Database,
        places: sa.Table,
        send: Callable[[Sequence[Row]], None],
        mark: Callable[[Session], None],
    ) -> None:
        self._database = database
        self._send = send
        self._mark = mark
        here = (places.c.source == outbox.c.source) & (places.c.fact == outbox.c.id)
        # Not `stream = …`: SQLite would take the table's key by it and go through all that was ever fed.
        fed = outbox.c.stream.concat("") == FEED
        self._unsent = (
            sa.select(outbox).outerjoin(places, here).where(outbox.c.entry_id.is_(None), fed).order_by(places.c.position)
        )

    def turn(self, most: int) -> int | None:
        """Send so many of what is unsent, from the first on; how many there were. None where it is another replica's turn.
        Raises redis.RedisError, and what the database raises."""
        if self._database.sqlite:  # one process, with one relay
            with self._database.reading() as session:
                rows = self._rows(session, most)
            if rows:
                self._send(rows)
                self._database.transact(self._mark)
            return len(rows)
        return self._database.transact(lambda session: self._turn(session, most))

    def _turn(self, session: Session, most: int) -> int | None:
        if not session.execute(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))).scalar():
            return None
        session.execute(sa.text(f"SET LOCAL idle_in_transaction_session_timeout = '{TURN}'"))
        rows = self._rows(session, most)
        if rows:
            self._send(rows)
            self._mark(session)
        return len(rows)

    def _rows(self, session: Session, most: int) -> list[dict[str, Any]]:
        return [dict(row) for row in session.execute(self._unsent.limit(most)).mappings()]
