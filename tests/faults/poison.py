"""Entries that nobody can handle, of every kind."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.identifiers import new_id
from tests.messaging.lending import LoanAsked

KINDS = (
    "a bug in the handler",
    "bad JSON",
    "unknown version",
    "10 MB",
    "deep nesting",
    "NUL",
    "invalid UTF-8",
    "no attributes",
    "wrong subject",
)


def entry(kind: str, number: int) -> dict[bytes, bytes]:
    """The fields of a poisoned entry."""
    fact = LoanAsked(community="c", loan=f"poison-{number}", days=0, status="asked")
    good = {
        b"specversion": b"1.0",
        b"id": new_id().encode(),
        b"source": fact.source().encode(),
        b"type": fact.type.encode(),
        b"subject": fact.subject.encode(),
        b"time": datetime.now(UTC).isoformat().encode(),
        b"community": b"c",
        b"sequence": b"0000000001",
        b"data": fact.model_dump_json().encode(),
    }
    changed = {
        "a bug in the handler": {},
        "bad JSON": {b"data": b'{"loan": '},
        "unknown version": {b"type": fact.type.encode() + b"9"},
        "10 MB": {b"data": b'"' + b"x" * 10_000_000 + b'"'},
        "deep nesting": {b"data": b"[" * 100_000 + b"]" * 100_000},
        "NUL": {b"data": good[b"data"].replace(b"poison", b"poi\\u0000son")},
        "invalid UTF-8": {b"data": good[b"data"].replace(b"poison", b"poi\xff\xfeson")},
        "no attributes": {b"id": b"", b"source": b""},
        "wrong subject": {b"subject": b"somebody else"},
    }[kind]
    return {**good, **changed}
