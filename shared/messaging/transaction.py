"""A transaction: what it changes and what it tells stand or fall together."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from shared import logs
from shared.database import Database
from shared.events import CloudEvent, Fact
from shared.identifiers import new_id
from shared.messaging import clocks, inbox, sets, tables, timers
from shared.messaging.entries import HEARD_BY
from shared.messaging.streams import FEED, stream_of

T = TypeVar("T")
FactT = TypeVar("FactT", bound=Fact)
Row = dict[str, Any]
_COLUMNS = [column.name for column in tables.outbox.columns if column.name not in ("entry_id", "created_at")]


class Transaction:
    """One write transaction of a service: `session` for its rows, `tell` for its facts. Whoever opened it commits; leaving
    it by an exception undoes both."""

    def __init__(self, session: Session, teller: str, public_url: str) -> None:
        self.session = session
        self._teller = teller
        self._stream = stream_of(teller)
        self._public_url = public_url
        self._rows: list[Row] = []
        self._traces: dict[str, str] = {}
        self._spans: dict[str, str] = {}
        self._timers: dict[tuple[str, str], Row | None] = {}
        self._facts: list[tuple[Row, Fact]] = []

    def because_of(self, events: Sequence[CloudEvent[Fact]]) -> None:
        """What is told from here on belongs to the traces of these facts, found by the ids both name."""
        self._traces = {event.subject: event.traceparent for event in events if event.traceparent}
        clocks.expect(self.session, {event.community for event in events})

    def now(self, community: str) -> datetime:
        """The community's clock, aware UTC. Only a rehearsal community's is ever ahead of the machine's."""
        return clocks.now(self.session, community)

    def schedule(self, kind: str, subject: str, community: str, due_at: datetime) -> None:
        """Set, or move, the one timer of (`kind`, `subject`): once the community's clock has reached `due_at` (aware; a
        moment that has passed is due at once), the service's function for this kind is called, in a transaction of its
        own. Raises ValueError where `due_at` has no time zone."""
        if due_at.tzinfo is None:
            raise ValueError(f"{due_at!r} has no time zone")
        self._timers[kind, subject] = timers.row(kind, subject, community, due_at)

    def unschedule(self, kind: str, subject: str) -> None:
        """Take back the timer of (`kind`, `subject`); nothing happens where there is none."""
        self._timers[kind, subject] = None

    def tell(self, fact: FactT) -> FactT:
        """Tell a fact, and return it: it is written with the transaction's other rows and sent once they are committed. Its
        id, sequence and time are given here and never again. Raises ValueError for a fact that belongs to another service."""
        if fact.teller != self._teller:
            raise ValueError(f"{type(fact).__name__} is told by {fact.teller}, not by {self._teller}")
        row = {
            "stream": self._stream,
            "id": new_id(),
            "source": fact.source(),
            "type": fact.type,
            "subject": fact.subject,
            "sequence": 0,
            "community": fact.community,
            "time": _rfc3339(self.now(fact.community)),
            "traceparent": self._trace(fact),
            "dataschema": self._public_url + fact.schema_path(),
            "data": fact.model_dump_json(),
        }
        self._rows.append(row)
        self._facts.append((row, fact))
        return fact

    def _trace(self, fact: Fact) -> str:
        if self._traces:
            if (subject := fact.subject) in self._traces:
                return self._spans.get(subject) or self._span(subject)
            for value in fact.__dict__.values():
                if isinstance(value, str) and value in self._traces:
                    return self._spans.get(value) or self._span(value)
            if len(self._traces) == 1:
                (subject,) = self._traces
                return self._spans.get(subject) or self._span(subject)
        return logs.traceparent()

    def _span(self, subject: str) -> str:
        self._spans[subject] = logs.new_traceparent(self._traces[subject])
        return self._spans[subject]

    def spans(self, events: Sequence[CloudEvent[Fact]]) -> dict[str, str]:
        """By the id of each of these facts, the traceparent under which what it led to was told."""
        given = dict(self._spans)
        return {
            event.id: (self._traces.get(event.subject) == event.traceparent and given.pop(event.subject, ""))
            or logs.new_traceparent(event.traceparent)
            for event in reversed(events)
        }

    def take_effect(
        self, facts: frozenset[type[Fact]], group: str, handle: Callable[[Transaction, list[CloudEvent[Fact]]], None]
    ) -> None:
        """Give what was told of these classes so far to `handle`, as the service's own listener in `group` will read it, and
        note in the inbox that it has taken effect."""
        told = [(row, fact) for row, fact in self._facts if type(fact) in facts]
        if told:
            self.session.flush()
            self._number()
            events = [_as_read(row, fact) for row, fact in told]
            inbox.admit(self.session, group, events)
            self.because_of(events)
            handle(self, events)
            for row, _ in told:
                row[HEARD_BY] = group

    def retell(self, event: CloudEvent[Fact]) -> None:
        """Tell somebody else's public fact again on the public feed, unchanged: same id, source and sequence. Raises
        ValueError for a fact that is not public."""
        if not event.data.public:
            raise ValueError(f"{event.type} is not public")
        self._rows.append(
            {
                "stream": FEED,
                "id": event.id,
                "source": event.source,
                "type": event.type,
                "subject": event.subject,
                "sequence": event.sequence,
                "community": event.community,
                "time": _rfc3339(event.time),
                "traceparent": event.traceparent,
                "dataschema": event.dataschema,
                "data": event.body or event.data.model_dump_json(),
            }
        )

    def keep(self, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
        """Write rows of a projection, set-based: each is inserted, or replaces the row with its primary key if that one has
        a lower `sequence`. A late older fact changes nothing; of several rows with one key the newest counts."""
        if rows:
            kept: Any = table.__table__  # type: ignore[attr-defined]
            names = list(rows[0])
            conflict = sets.replacing(kept, names, f'"{kept.name}"."sequence" < excluded."sequence"')
            sets.insert(self.session, kept, names, _newest(kept, names, rows), conflict)

    def finish(self) -> list[Row]:
        """Set the timers, number the told facts and write them to the outbox. Returns the outbox rows. Called once, right
        before commit."""
        timers.write(self.session, self._timers)
        if not self._rows:
            return []
        self.session.flush()
        self._number()
        rows = list(map(operator.itemgetter(*_COLUMNS), self._rows))
        sets.insert(self.session, tables.outbox, _COLUMNS, rows, alike={"created_at": datetime.now(UTC)})
        return self._rows

    def _number(self) -> None:
        # In the subject's own transaction and by RETURNING: read-then-write gave duplicates. Sorted: unsorted deadlocks. All
        # that were told so far: those of one subject in the order in which they were told.
        rows = [row for row in self._rows if row["stream"] != FEED and not row["sequence"]]
        if not rows:
            return
        told = Counter(row["subject"] for row in rows)
        conflict = "ON CONFLICT (subject) DO UPDATE SET last = subject_sequences.last + excluded.last"
        columns = ("subject", "last")
        given = sets.insert(self.session, tables.subject_sequences, columns, sorted(told.items()), conflict, columns)
        following = {subject: last - told[subject] + 1 for subject, last in given}
        for row in rows:
            row["sequence"] = following[row["subject"]]
            following[row["subject"]] += 1


def transact(
    database: Database,
    teller: str,
    public_url: str,
    work: Callable[[Transaction], T],
    before_commit: Callable[[], None],
) -> tuple[T, list[Row]]:
    """Do `work` in one transaction of a service; returns what it returned, and the outbox rows now committed."""

    def attempt(session: Session) -> tuple[T, list[Row]]:
        tx = Transaction(session, teller, public_url)
        result = work(tx)
        session.flush()
        rows = tx.finish()
        before_commit()
        return result, rows

    return database.transact(attempt)


def _as_read(row: Row, fact: Fact) -> CloudEvent[Fact]:
    names = ("id", "source", "type", "subject", "community", "sequence", "traceparent", "dataschema")
    return CloudEvent(
        **{name: row[name] for name in names}, time=datetime.fromisoformat(row["time"]), data=fact, body=row["data"]
    )


def _newest(table: sa.Table, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    """Of the rows with one key that with the highest sequence, sorted by key so that two writers never deadlock."""
    key, values = (operator.itemgetter(*columns) for columns in ([column.name for column in table.primary_key], names))
    newest: dict[Any, Mapping[str, Any]] = {}
    for row in rows:
        identity = key(row)
        if identity not in newest or newest[identity]["sequence"] < row["sequence"]:
            newest[identity] = row
    return [values(newest[identity]) for identity in sorted(newest)]


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
