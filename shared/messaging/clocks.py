"""Clocks of communities. A rehearsal community's may be ahead of the machine's, so that a season can be played in a minute;
it is moved in registry, told as a fact, and kept by every service that has `clocks.handlers` among its handlers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from shared import clock
from shared.database import insert
from shared.events import CloudEvent
from shared.events.registry import CommunityClockMoved
from shared.messaging import tables
from shared.messaging.handlers import Handlers

_KEPT = "fenghe.clocks"
_EXPECTED = "fenghe.clocks-expected"
_AHEAD = sa.select(tables.clocks.c.ahead_seconds).where(tables.clocks.c.community == sa.bindparam("community"))
_AHEAD_OF_MANY = sa.select(tables.clocks.c.community, tables.clocks.c.ahead_seconds).where(
    tables.clocks.c.community.in_(sa.bindparam("communities", expanding=True))
)


def now(session: Session, community: str) -> datetime:
    """The community's clock, aware UTC. However often it is asked, a session reads a clock once."""
    return clock.now() + timedelta(seconds=ahead(session, community))


def expect(session: Session, communities: Iterable[str]) -> None:
    """These communities' clocks will probably be asked for: the first question reads them all in one statement."""
    session.info.setdefault(_EXPECTED, set()).update(communities)


def ahead(session: Session, community: str) -> int:
    """How many seconds the community's clock is ahead of the machine's: 0 where it was never moved."""
    kept: dict[str, int] = session.info.setdefault(_KEPT, {})
    if community not in kept:
        # Those expected alone: there may be many. Past the session, for whoever asks may be in the middle of changing a row,
        # which is not to be written yet.
        wanted: set[str] = {community, *session.info.pop(_EXPECTED, ())} - kept.keys()
        connection = session.connection()
        if len(wanted) == 1:
            found = connection.execute(_AHEAD, {"community": community}).first()
            kept[community] = found.ahead_seconds if found else 0
        else:
            rows = connection.execute(_AHEAD_OF_MANY, {"communities": sorted(wanted)})
            kept.update(dict.fromkeys(wanted, 0) | {row.community: row.ahead_seconds for row in rows})
    return kept[community]


def move(session: Session, moved: Mapping[str, int]) -> None:
    """Let clocks be so many seconds ahead. A clock only moves forward: what was heard late changes nothing."""
    table = tables.clocks
    statement = insert(session, table)
    statement = statement.on_conflict_do_update(
        index_elements=[table.c.community],
        set_={"ahead_seconds": statement.excluded.ahead_seconds},
        where=table.c.ahead_seconds < statement.excluded.ahead_seconds,
    )
    session.execute(statement, [{"community": name, "ahead_seconds": ahead} for name, ahead in sorted(moved.items())])
    session.info.pop(_KEPT, None)


handlers = Handlers()
"""What a service has to hear to keep the clocks: `Service(…, handlers=[on, clocks.handlers])`."""


@handlers(CommunityClockMoved)
def keep_clocks(tx: Any, events: list[CloudEvent[CommunityClockMoved]]) -> None:
    """Keep how far each community's clock is ahead. (`tx` is a Transaction, which itself asks this module for the time.)"""
    moved: dict[str, int] = {}
    for event in events:
        moved[event.community] = max(event.data.clock_ahead, moved.get(event.community, 0))
    move(tx.session, moved)
