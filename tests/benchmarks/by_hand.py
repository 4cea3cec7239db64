"""The loop a good programmer would write by hand for the listener's work, and nothing else: one batch, one transaction,
set-based statements, one XACK, facts relayed and marked by the same process. No retries, no dead letters, no claiming, no
sweeper, no healing, no metrics, no logs, no shutdown: what the kit costs beyond it is the price of those.

`python -m tests.benchmarks.by_hand REDIS_URL DATABASE_URL`."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
import redis

from shared.events.registry import AgreementSigned
from shared.identifiers import new_id
from tests.benchmarks.listener import answer

HEARD, TOLD, GROUP, CONSUMER = "fenghe:registry", "fenghe:feedback", "listener", "by-hand"
COUNT = 100
MARK_AT = 500
"""Sent facts are marked together, as the kit does."""


class Books(Protocol):
    """What is written of a batch, set-based, on one database."""

    def begin(self) -> None: ...
    def commit(self) -> None: ...
    def admit(self, keys: list[tuple[str, str]]) -> set[tuple[str, str]]: ...
    def keep(self, rows: list[tuple[str, str, str, int]]) -> None: ...
    def number(self, subjects: list[str]) -> dict[str, int]: ...
    def tell(self, rows: list[tuple[Any, ...]]) -> None: ...
    def mark(self, rows: list[tuple[str, str]]) -> None: ...


KEEP = (
    " ON CONFLICT (id) DO UPDATE SET organization = excluded.organization, status = excluded.status,"
    " sequence = excluded.sequence WHERE agreements.sequence < excluded.sequence"
)
NUMBER = " ON CONFLICT (subject) DO UPDATE SET last = subject_sequences.last + 1 RETURNING subject, last"
OUTBOX = "stream, id, source, type, subject, sequence, community, time, traceparent, dataschema, data, created_at"


class OnSQLite:
    """With sqlite3: `executemany` where nothing is returned, a row of placeholders a row where something is."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            self._connection.execute(f"PRAGMA {pragma}")

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def admit(self, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
        statement = (
            f"INSERT INTO inbox (consumer, handled_at, source, id) VALUES {', '.join(['(?, ?, ?, ?)'] * len(keys))}"
            " ON CONFLICT DO NOTHING RETURNING source, id"
        )
        now = _now().isoformat(" ")
        return set(self._connection.execute(statement, [value for key in keys for value in (GROUP, now, *key)]))

    def keep(self, rows: list[tuple[str, str, str, int]]) -> None:
        self._connection.executemany(
            "INSERT INTO agreements (id, organization, status, sequence) VALUES (?, ?, ?, ?)" + KEEP, rows
        )

    def number(self, subjects: list[str]) -> dict[str, int]:
        statement = f"INSERT INTO subject_sequences (subject, last) VALUES {', '.join(['(?, 1)'] * len(subjects))}" + NUMBER
        return dict(self._connection.execute(statement, subjects))

    def tell(self, rows: list[tuple[Any, ...]]) -> None:
        created = _now().isoformat(" ")
        self._connection.executemany(
            f"INSERT INTO outbox ({OUTBOX}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [(*row, created) for row in rows]
        )

    def mark(self, rows: list[tuple[str, str]]) -> None:
        self._connection.executemany(f"UPDATE outbox SET entry_id = ? WHERE stream = '{TOLD}' AND id = ?", rows)


class OnPostgreSQL:
    """With psycopg: arrays in binary, and unnest."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)

    def begin(self) -> None:
        self._connection.execute("BEGIN")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def admit(self, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
        statement = (
            "INSERT INTO inbox (consumer, source, id, handled_at)"
            " SELECT %s, source, id, %s FROM unnest(%b::text[], %b::text[]) AS given (source, id)"
            " ON CONFLICT DO NOTHING RETURNING source, id"
        )
        return set(self._connection.execute(statement, (GROUP, _now(), *_columns(keys))).fetchall())

    def keep(self, rows: list[tuple[str, str, str, int]]) -> None:
        statement = "INSERT INTO agreements SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::int[])" + KEEP
        self._connection.execute(statement, _columns(rows))

    def number(self, subjects: list[str]) -> dict[str, int]:
        statement = "INSERT INTO subject_sequences (subject, last) SELECT unnest(%b::text[]), 1" + NUMBER
        return dict(self._connection.execute(statement, (subjects,)).fetchall())

    def tell(self, rows: list[tuple[Any, ...]]) -> None:
        arrays = ", ".join("%b::int[]" if name == "sequence" else "%b::text[]" for name in OUTBOX.split(", ")[:-1])
        self._connection.execute(
            f"INSERT INTO outbox ({OUTBOX}) SELECT given.*, %s FROM unnest({arrays}) AS given", (_now(), *_columns(rows))
        )

    def mark(self, rows: list[tuple[str, str]]) -> None:
        statement = (
            "UPDATE outbox SET entry_id = given.entry_id FROM unnest(%b::text[], %b::text[]) AS given (entry_id, id)"
            f" WHERE outbox.stream = '{TOLD}' AND outbox.id = given.id"
        )
        self._connection.execute(statement, _columns(rows))


def handle(client: Any, books: Books, entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[tuple[str, str]]:
    """One batch; returns the entry id and id of each fact told and sent."""
    heard = {}
    for _, fields in entries:
        fact = AgreementSigned.model_validate_json(fields[b"data"])
        heard[fields[b"source"].decode(), fields[b"id"].decode()] = (fact, int(fields[b"sequence"]), fields[b"traceparent"])
    books.begin()
    new = books.admit(sorted(heard))
    facts = [content for key, content in heard.items() if key in new]
    books.keep(sorted((fact.agreement, fact.organization, fact.status, sequence) for fact, sequence, _ in facts))
    given = books.number(sorted(fact.agreement for fact, _, _ in facts))
    time = _now().isoformat().replace("+00:00", "Z")
    told = []
    for fact, _, trace in facts:
        out = answer(fact)
        told.append(
            (
                TOLD,
                new_id(),
                "/fenghe/feedback",
                out.type,
                out.evaluation,
                given[out.evaluation],
                out.community,
                time,
                trace.decode(),
                "http://127.0.0.1:8080/api/feedback/schemas/fenghe.evaluation.recorded.v1.json",
                out.model_dump_json(),
            )
        )
    books.tell(told)
    books.commit()
    client.xack(HEARD, GROUP, *(id for id, _ in entries))
    names = OUTBOX.split(", ")[1:]
    constant = {"specversion": "1.0", "datacontenttype": "application/json"}
    with client.pipeline(transaction=False) as pipeline:
        for row in told:
            fields = {**constant, **dict(zip(names, row[1:], strict=False))}
            fields["sequence"] = f"{row[5]:010d}"
            pipeline.xadd(TOLD, fields)
        return [(entry_id.decode(), row[1]) for entry_id, row in zip(pipeline.execute(), told, strict=True)]


def main(redis_url: str, database_url: str) -> None:
    """Handle batches until killed."""
    books: Books = OnSQLite(database_url) if database_url.startswith("sqlite") else OnPostgreSQL(database_url)
    client: Any = redis.Redis.from_url(redis_url)
    read: Callable[..., Any] = client.xreadgroup
    sent: list[tuple[str, str]] = []
    while True:
        for _, entries in read(GROUP, CONSUMER, {HEARD: ">"}, count=COUNT, block=50) or [(None, [])]:
            if entries:
                sent += handle(client, books, entries)
            if sent and (len(sent) >= MARK_AT or not entries):
                books.begin()
                books.mark(sent)
                books.commit()
                sent = []


def _now() -> datetime:
    return datetime.now(UTC)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


if __name__ == "__main__":
    main(*sys.argv[1:])
