"""The inbox: which facts have taken effect at a consumer. It decides; everything before it may deliver twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session

from shared.events import CloudEvent, Fact
from shared.messaging import sets
from shared.messaging.entries import Fields, storable
from shared.messaging.tables import inbox


def admit(session: Session, consumer: str, events: Sequence[CloudEvent[Fact]]) -> list[CloudEvent[Fact]]:
    """Of these facts, those that have not taken effect yet, each once; from now on (if the transaction is committed) they
    have. Set-based, sorted by key so that two replicas never deadlock."""
    by_key = {(event.source, event.id): event for event in events}
    if not by_key:
        return []
    key = ("source", "id")
    alike = {"consumer": consumer, "handled_at": datetime.now(UTC)}
    new = set(map(tuple, sets.insert(session, inbox, key, sorted(by_key), "ON CONFLICT DO NOTHING", key, alike)))
    return [event for key, event in by_key.items() if key in new]


def has(session: Session, consumer: str, fields: Fields) -> bool:
    """Whether the fact of an entry has taken effect."""
    stored = storable(fields)
    mine = (inbox.c.consumer == consumer) & (inbox.c.source == stored.get("source")) & (inbox.c.id == stored.get("id"))
    return session.execute(sa.select(inbox.c.id).where(mine)).first() is not None
