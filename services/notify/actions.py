"""What notify writes: lists that are followed by a cursor.

Whoever appends to a list locks its counter until the end of the transaction. The next one waits for that and gets higher
positions: so nothing ever appears below what a reader has already seen, whichever replica it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from services.notify.models import Counter, FeedFact, Notice
from shared.messaging import Transaction, sets


def append(tx: Transaction, table: type[Notice] | type[FeedFact], rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Write rows at the end of a list, in their order, save those that stand in it: a list keeps a fact for longer than the
    inbox knows it, and republishing brings back the oldest. Returns the ids of the facts that are new in it."""
    if not rows:
        return set()
    last = _take(tx.session, str(table.__tablename__), len(rows))
    first = last - len(rows) + 1
    names = [*rows[0], "position"]
    values = [(*row.values(), place) for place, row in enumerate(rows, start=first)]
    target: Any = table.__table__  # type: ignore[union-attr]
    return {fact for (fact,) in sets.insert(tx.session, target, names, values, "ON CONFLICT DO NOTHING", ("fact",))}


def _take(session: Session, counter: str, count: int) -> int:
    dialect: Any = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Counter).values(id=counter, position=count)
    statement = statement.on_conflict_do_update(index_elements=["id"], set_={"position": Counter.position + count})
    last: int = session.execute(statement.returning(Counter.position)).scalar_one()
    return last
