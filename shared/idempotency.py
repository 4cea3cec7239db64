"""Idempotency-Key: a POST that is sent again does nothing again and is answered as the first time.

The key is written in the transaction of the effect, so there is no moment at which one is there without the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, get_type_hints

import sqlalchemy as sa
from pydantic import TypeAdapter

from shared.database import insert
from shared.messaging import Transaction
from shared.messaging.tables import idempotency_keys
from shared.problems import Problem

T = TypeVar("T")

MAX_LENGTH = 255
UNGUESSABLE = 22
"""The length of a UUID in its shortest usual writing."""


def once(
    tx: Transaction,
    scope: str,
    key: str,
    body: bytes,
    action: Callable[..., T],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[T, bool]:
    """Do `action(tx, …)`, or, where this key was used in this scope before, return what it returned then. The second
    value says whether it is such a repetition. Raises Problem 422 when the key came with another body."""
    fingerprint = hashlib.sha256(body).hexdigest()
    result_type: TypeAdapter[T] = TypeAdapter(get_type_hints(action)["return"])
    table = idempotency_keys
    # By what it returns: psycopg does not say how many rows an INSERT like this one wrote.
    statement = insert(tx.session, table).on_conflict_do_nothing().returning(table.c.key)
    row = {"scope": scope, "key": key, "fingerprint": fingerprint, "created_at": datetime.now(UTC)}
    if tx.session.execute(statement, row).first():
        result = action(tx, *args, **kwargs)
        mine = (table.c.scope == scope) & (table.c.key == key)
        tx.session.execute(sa.update(table).where(mine).values(result=result_type.dump_json(result).decode()))
        return result, False
    first = tx.session.execute(
        sa.select(table.c.fingerprint, table.c.result).where(table.c.scope == scope, table.c.key == key)
    ).one()
    if first.fingerprint != fingerprint:
        detail = "This Idempotency-Key was used before, with another body; use a new key for a new request."
        raise Problem(422, "idempotency-key-reused", detail, "Idempotency-Key")
    return result_type.validate_json(first.result), True
