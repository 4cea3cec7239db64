"""Replaying dead letters after what killed them was mended: the fact takes effect as if it had just been heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlmodel import Session

from shared.database import Database
from shared.events import CloudEvent, Fact
from shared.identifiers import new_id
from shared.messaging import entries, inbox
from shared.messaging.dead_letters import WAITS, cause_of, traceback_of
from shared.messaging.handlers import Dispatch
from shared.messaging.steps import step
from shared.messaging.tables import dead_letters, replays
from shared.messaging.transaction import Transaction, transact

Outcome = Literal["took effect", "had taken effect before", "dead again"]


@dataclass(frozen=True)
class Group:
    """Dead letters that died of one cause: of which type, how many, since when, and one of them to look at."""

    cause: str
    type: str | None
    letters: int
    first: datetime
    last: datetime
    example: str


def groups(session: Session) -> list[Group]:
    """The dead letters that wait, grouped by cause and type, the most first."""
    table = dead_letters
    count = sa.func.count()
    statement = (
        sa.select(
            table.c.cause,
            table.c.type,
            count,
            sa.func.min(table.c.died_at),
            sa.func.max(table.c.died_at),
            sa.func.min(table.c.id),
        )
        .where(WAITS)
        .group_by(table.c.cause, table.c.type)
        .order_by(count.desc(), table.c.cause)
    )
    return [Group(*row) for row in session.execute(statement)]


def whole(session: Session, letter: str) -> dict[str, Any] | None:
    """A dead letter as it is kept: the entry's fields, cause, traceback, attempts, whether it was replayed, and by whom and why
    it was set aside; None where there is none of this id."""
    row = session.execute(sa.select(dead_letters).where(dead_letters.c.id == letter)).mappings().first()
    return None if row is None else dict(row)


def chosen(session: Session, letter: str | None, cause: str | None) -> list[str]:
    """The ids of dead letters, the oldest first: one that did not take effect since, also where it was set aside; or, of those
    that wait, those of a cause, or all. `cause`: its words, or the id of one that died of it."""
    example = session.execute(sa.select(dead_letters.c.cause).where(dead_letters.c.id == cause)).scalar() if cause else None
    cause = example or cause
    which = WAITS if letter is None else sa.and_(dead_letters.c.replayed_at.is_(None), dead_letters.c.id == letter)
    statement = sa.select(dead_letters.c.id).where(which).order_by(dead_letters.c.id)
    if cause is not None:
        statement = statement.where(dead_letters.c.cause == cause)
    return list(session.execute(statement).scalars())


@dataclass(frozen=True)
class SetAside:
    """A dead letter that was set aside: when, by whom and why, and of what it had died."""

    at: datetime
    letter: str
    type: str | None
    cause: str
    by: str
    because: str


def set_aside(session: Session) -> list[SetAside]:
    """The dead letters that were set aside and did not take effect since, the last one first."""
    table = dead_letters
    columns = ("set_aside_at", "id", "type", "cause", "set_aside_by", "set_aside_because")
    statement = sa.select(*(table.c[name] for name in columns)).order_by(table.c.set_aside_at.desc(), table.c.id)
    statement = statement.where(table.c.replayed_at.is_(None), table.c.set_aside_at.is_not(None))
    return [SetAside(*row) for row in session.execute(statement)]


@dataclass(frozen=True)
class Replayed:
    """A replay: of which dead letter, when, what became of it, and why it is dead again, where it is."""

    at: datetime
    letter: str
    type: str | None
    outcome: Outcome
    cause: str


def history(session: Session, limit: int, letter: str | None = None) -> list[Replayed]:
    """The last replays (of one dead letter), the newest first."""
    statement = (
        sa.select(replays.c.at, replays.c.letter, dead_letters.c.type, replays.c.outcome, replays.c.cause)
        .join(dead_letters, dead_letters.c.id == replays.c.letter)
        .order_by(replays.c.id.desc())
        .limit(limit)
    )
    if letter is not None:
        statement = statement.where(replays.c.letter == letter)
    return [Replayed(*row) for row in session.execute(statement)]


def replay(database: Database, dispatch: Dispatch, teller: str, public_url: str, letters: Sequence[str]) -> dict[str, str]:
    """Let dead letters take effect, each in a transaction of its own, once as always: what took effect meanwhile is only
    marked. Each replay is recorded. Returns, by id, why any of them cannot; it stays with its new cause."""
    failed = {}
    for letter in letters:
        try:
            dispatch.prepare([_event(database, letter)])
            _transact(database, dispatch, teller, public_url, letter)
        except Exception as error:  # a handler may raise anything
            failed[letter] = cause_of(error)
            database.transact(partial(_failed_again, letter=letter, cause=failed[letter], where=traceback_of(error)))
    return failed


def _transact(database: Database, dispatch: Dispatch, teller: str, public_url: str, letter: str) -> None:
    def work(tx: Transaction) -> None:
        _take_effect(tx, dispatch, letter)

    transact(database, teller, public_url, work, lambda: step("replay:before-commit"))
    step("replay:after-commit")


def _event(database: Database, letter: str) -> CloudEvent[Fact]:
    with database.reading() as session:
        fields = session.execute(sa.select(dead_letters.c.fields).where(dead_letters.c.id == letter)).scalar_one()
    return entries.read(entries.restored(fields))


def _take_effect(tx: Transaction, dispatch: Dispatch, letter: str) -> None:
    mine = dead_letters.c.id == letter
    row = tx.session.execute(sa.select(dead_letters.c.fields, dead_letters.c.consumer).where(mine)).one()
    event = entries.read(entries.restored(row.fields))
    new = inbox.admit(tx.session, row.consumer, [event])
    if new:
        tx.because_of(new)
        dispatch.run(tx, new)
    tx.session.execute(sa.update(dead_letters).where(mine).values(replayed_at=datetime.now(UTC)))
    _record(tx.session, letter, "took effect" if new else "had taken effect before")


def _failed_again(session: Session, letter: str, cause: str, where: str) -> None:
    mine = dead_letters.c.id == letter
    session.execute(
        sa.update(dead_letters).where(mine).values(cause=cause, traceback=where, attempts=dead_letters.c.attempts + 1)
    )
    _record(session, letter, "dead again", cause)


def _record(session: Session, letter: str, outcome: Outcome, cause: str = "") -> None:
    row = {"id": new_id(), "letter": letter, "outcome": outcome, "cause": cause, "at": datetime.now(UTC)}
    session.execute(sa.insert(replays).values(row))
