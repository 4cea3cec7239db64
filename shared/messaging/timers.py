"""Timers: what is to happen when a community's clock reaches a moment, once, whichever replica sees to it.

A timer is a row. `Transaction.schedule` writes it with the other rows of its transaction; it is taken away in the transaction
of its effect (`timekeeper.py`). There is one timer of a kind and subject: setting it again moves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session

from shared.messaging import sets
from shared.messaging.tables import clocks
from shared.messaging.tables import timers as table

if TYPE_CHECKING:
    from shared.messaging.transaction import Transaction

Row = dict[str, Any]
_COLUMNS = [column.name for column in table.columns]
_IN_PLACE = sets.replacing(table, _COLUMNS)


@dataclass(frozen=True)
class Timer:
    """A timer that is due: its kind, the id of what it is about, its community, and when it was due (aware UTC)."""

    kind: str
    subject: str
    community: str
    due_at: datetime


Effect = Callable[["Transaction", Timer], None]
EffectT = TypeVar("EffectT", bound=Callable[..., None])


class Timers:
    """A service's table of timers: which function a kind calls.

        timers = Timers()

        @timers("agreement-expiry")
        def end_expired(tx: Transaction, timer: Timer) -> None: ...

    The function is called once the community's clock has reached the moment that `tx.schedule` gave, in one transaction with
    the timer's end. It looks at the state it finds, which may have changed since the timer was set, and may set timers again.
    Where it raises, nothing has happened and it is called again, later and later, holding up no other timer. Raises
    ValueError for a kind that has a function already.
    """

    def __init__(self) -> None:
        self._functions: dict[str, Effect] = {}

    def __call__(self, kind: str) -> Callable[[EffectT], EffectT]:
        def register(function: EffectT) -> EffectT:
            if kind in self._functions:
                raise ValueError(f"timers of the kind {kind!r} call {self._functions[kind].__name__} already")
            self._functions[kind] = function
            return function

        return register

    def __iter__(self) -> Iterator[tuple[str, Effect]]:
        return iter(self._functions.items())


def functions(tables: Sequence[Timers]) -> dict[str, Effect]:
    """Several tables of timers as one, by kind. Raises ValueError for a kind that stands in two of them."""
    together: dict[str, Effect] = {}
    for kind, function in (entry for one in tables for entry in one):
        if kind in together:
            raise ValueError(f"timers of the kind {kind!r} have two functions")
        together[kind] = function
    return together


def row(kind: str, subject: str, community: str, due_at: datetime) -> Row:
    """A timer's row, not tried yet."""
    timer = {"kind": kind, "subject": subject, "community": community, "due_at": due_at}
    return {**timer, "attempts": 0, "next_attempt_at": None, "last_error": None}


def write(session: Session, timers: Mapping[tuple[str, str], Row | None]) -> None:
    """Set or move these timers, and take back those that are None; sorted, so that two writers never deadlock."""
    rows = [timer for _, timer in sorted(timers.items(), key=lambda one: one[0]) if timer]
    if rows:
        sets.insert(session, table, _COLUMNS, [[timer[name] for name in _COLUMNS] for timer in rows], _IN_PLACE)
    for kind, subject in sorted(key for key in timers if timers[key] is None):
        session.execute(sa.delete(table).where(table.c.kind == kind, table.c.subject == subject))


def claim(session: Session, timer: Timer) -> bool:
    """Take a due timer away; False where somebody else has, or is about to, or where it was moved or taken back."""
    mine = (table.c.kind == timer.kind) & (table.c.subject == timer.subject) & (table.c.due_at == timer.due_at)
    free = sa.select(table.c.subject).where(mine).with_for_update(skip_locked=True).scalar_subquery()
    statement = sa.delete(table).where(table.c.kind == timer.kind, table.c.subject == free).returning(table.c.subject)
    return session.execute(statement).first() is not None


def due(session: Session, now: datetime, limit: int) -> list[tuple[Timer, int]]:
    """Timers that are due, at most so many of a clock: those that never failed, by when they were due, then those to be tried
    again; and how often each has failed."""
    columns = sa.select(table.c.kind, table.c.subject, table.c.community, table.c.due_at, table.c.attempts).limit(limit)
    chosen = [columns.where(reached).order_by(table.c.due_at) for reached in _reached(session, now)]
    chosen.append(columns.where(table.c.next_attempt_at <= now).order_by(table.c.next_attempt_at))
    found = [found for statement in chosen for found in session.execute(statement)]
    return [(Timer(*values), attempts) for *values, attempts in found]


def waiting(session: Session, now: datetime, attempts: int) -> tuple[int, int]:
    """How many timers are due and were not tried yet, and how many failed less than `attempts` times."""
    count = sa.select(sa.func.count()).select_from(table)
    due = sum(session.execute(count.where(reached)).scalar_one() for reached in _reached(session, now))
    failed = count.where(table.c.next_attempt_at.is_not(None), table.c.attempts < attempts)
    return due, session.execute(failed).scalar_one()


@dataclass(frozen=True)
class Failing:
    """Timers of one kind that failed last with the same error, and are tried again."""

    kind: str
    error: str
    timers: int


def late(session: Session, now: datetime) -> tuple[int, datetime | None]:
    """How many timers are due by the machine's clock and were not tried yet, and since when the oldest of them."""
    count, oldest = session.execute(sa.select(sa.func.count(), sa.func.min(table.c.due_at)).where(_due(now))).one()
    return count, oldest


def failing(session: Session) -> list[Failing]:
    """The timers that fail, by kind and error."""
    statement = sa.select(table.c.kind, table.c.last_error, sa.func.count()).where(table.c.next_attempt_at.is_not(None))
    grouped = statement.group_by(table.c.kind, table.c.last_error).order_by(table.c.kind, table.c.last_error)
    return [Failing(*row) for row in session.execute(grouped)]


def _due(now: datetime) -> Any:
    return table.c.next_attempt_at.is_(None) & (table.c.due_at <= now)


def _reached(session: Session, now: datetime) -> Iterator[Any]:
    """The condition that the machine's clock has reached a timer, and one for each clock that was moved and has reached one.
    Of each of these the first timer is looked up in its index; a database that is asked for all timers together goes through
    every one there is."""
    yield _due(now)
    ahead, first = clocks.c.ahead_seconds, sa.func.min(table.c.due_at)
    of_clock = (table.c.next_attempt_at.is_(None)) & (table.c.community == clocks.c.community) & (table.c.due_at > now)
    next_due = sa.select(first).where(of_clock).correlate(clocks).scalar_subquery()
    for community, seconds, due_at in session.execute(sa.select(clocks.c.community, ahead, next_due)).all():
        there = now + timedelta(seconds=seconds)
        if due_at is not None and due_at <= there:
            yield _due(there) & (table.c.community == community) & (table.c.due_at > now)
