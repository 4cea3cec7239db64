"""How SQLite goes about statements: which of them go through a whole table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

LOOKS = re.compile(r"\s*(?:SELECT|WITH|UPDATE|DELETE)\b")
CLEANS_UP = re.compile(r"DELETE FROM (?:outbox|idempotency_keys) WHERE \S+created_at <")
"""This goes through a table once an hour, to forget what is old."""
GOES_THROUGH = re.compile(
    r"AUTOMATIC|^SCAN (?!given\b|k\b|\(|CONSTANT ROW|\d+ CONSTANT ROW|\w+ VIRTUAL)"
    r"|^SEARCH .*\((?:stream|source|consumer|kind|type|status|scope)=\?\)"
)
"""Steps of a plan that go through a whole table, or all that is of one kind, or build an index over it for one question; not
what was just found, nor rows that are sent along."""
FEW = re.compile(
    r"^(?:SCAN|SEARCH) (?:communities|bodies|webhooks|clocks|dead_letters|trimmed|alembic_version)\b"
    r"|^SCAN outbox USING INDEX ix_outbox_unsent|^SCAN timers USING INDEX \w+timers_1"
)
"""Of these there are few beside what happens: communities and their evaluation bodies, subscriptions of systems, clocks that
were moved, streams, migrations, what is unsent or failed."""


@contextmanager
def plans() -> Iterator[dict[str, list[str]]]:
    """By statement, how SQLite goes about it where it goes through a whole table."""
    found: dict[str, list[str]] = {}

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if many or statement in found or CLEANS_UP.match(statement) or not LOOKS.match(statement):
            return
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [str(step[3]) for step in asking.fetchall()]
        asking.close()
        found[statement] = [step for step in steps if GOES_THROUGH.search(step) and not FEW.search(step)]

    sa.event.listen(sa.Engine, "after_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", explain)
