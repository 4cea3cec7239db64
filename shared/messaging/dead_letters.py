"""Dead letters: entries that could not be handled, kept whole with their cause, so that they can be replayed."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Session

from shared.database import insert
from shared.identifiers import new_id
from shared.messaging.entries import Fields, Unreadable, storable
from shared.messaging.tables import dead_letters


@dataclass(frozen=True)
class DeadLetter:
    """An entry that could not be handled, why, and after how many attempts."""

    stream: str
    entry_id: str
    fields: Fields
    cause: str
    traceback: str = ""
    attempts: int = 1
    died_at: datetime = field(default_factory=lambda: datetime.now(UTC))


def cause_of(error: Exception) -> str:
    """What a fact is said to have died of: the same words for the same error, however often it is tried."""
    if isinstance(error, Unreadable):
        return str(error)
    return f"{type(error).__name__} in the handler: {(str(error).splitlines() or [''])[0][:300]}"


def traceback_of(error: Exception) -> str:
    """Where it died: the end of the traceback; nothing for an entry that no handler was given."""
    return "" if isinstance(error, Unreadable) else "".join(traceback.format_exception(error))[-8000:]


def bury(session: Session, consumer: str, letters: Sequence[DeadLetter]) -> None:
    """Write dead letters; one that is there already is left as it is."""
    rows = []
    for letter in letters:
        stored = storable(letter.fields)
        rows.append(
            {
                "id": new_id(),
                "consumer": consumer,
                "stream": letter.stream,
                "entry_id": letter.entry_id,
                "source": stored.get("source"),
                "fact_id": stored.get("id"),
                "type": stored.get("type"),
                "community": stored.get("community"),
                "cause": letter.cause,
                "traceback": letter.traceback,
                "attempts": letter.attempts,
                "fields": stored,
                "died_at": letter.died_at,
            }
        )
    if rows:
        session.execute(insert(session, dead_letters).on_conflict_do_nothing(), rows)


WAITS = sa.and_(dead_letters.c.replayed_at.is_(None), dead_letters.c.set_aside_at.is_(None))
"""What is true of a dead letter that somebody has to see to: it did not take effect since, and was not set aside."""


def waiting(session: Session) -> int:
    """How many dead letters wait for somebody."""
    return int(session.execute(sa.select(sa.func.count()).select_from(dead_letters).where(WAITS)).scalar_one())


def count(session: Session, community: str) -> int:
    """How many dead letters that wait belong to a community, or to nobody knows which."""
    statement = sa.select(sa.func.count()).select_from(dead_letters).where(WAITS)
    statement = statement.where(sa.or_(dead_letters.c.community == community, dead_letters.c.community.is_(None)))
    return int(session.execute(statement).scalar_one())


def set_aside(session: Session, letters: Sequence[str], by: str, because: str) -> None:
    """Note of dead letters that nothing can be made of them: who says so, and why. They wait no longer, and are kept."""
    mine = dead_letters.c.id.in_(letters)
    values = {"set_aside_at": datetime.now(UTC), "set_aside_by": by, "set_aside_because": because}
    session.execute(sa.update(dead_letters).where(mine, WAITS).values(**values))
