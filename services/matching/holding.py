"""Rows held until the transaction ends, changed as values, and written back.

Requests are read locked and detached and written back in one statement. Whoever ranks holds the community's row shared,
whoever changes its menu holds it alone: so no request is left unmatched by an offer that was being put on the menu at that
moment on another replica. (SQLite has one writer anyway and no such locks.) Always in this order: community, meeting,
project, requests, referrals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Table, bindparam, update
from sqlmodel import Session, SQLModel, col, select

from services.matching.models import Community, Referral, Request
from services.matching.rules import REFERRAL
from shared.lifecycle import follow
from shared.messaging import Transaction, sets
from shared.problems import Conflict

REFERRAL_DUE = "referral-due"
"""The kind of the timers by which referrals expire."""

WRITTEN = (
    "id",
    "status",
    "item",
    "category",
    "confidence",
    "classifier",
    "understood",
    "candidates",
    "organization",
    "offer",
    "matched_at",
    "served_at",
    "supporters",
    "merged_into",
    "project",
    "unserved",
    "attended_at",
)


_REQUESTS: Table = Request.__table__  # type: ignore[attr-defined]

_COMMUNITIES = (
    select(Community.id).where(col(Community.id).in_(bindparam("communities", expanding=True))).order_by(col(Community.id))
)
_SHARED, _ALONE = _COMMUNITIES.with_for_update(read=True), _COMMUNITIES.with_for_update()


def hold_shared(session: Session, communities: Iterable[str]) -> None:
    """From here to the end of the transaction nobody changes the menu of these communities."""
    _hold(session, _SHARED, communities)


def hold_alone(session: Session, communities: Iterable[str]) -> None:
    """From here to the end of the transaction nobody else ranks requests of these communities."""
    _hold(session, _ALONE, communities)


def _hold(session: Session, statement: Any, communities: Iterable[str]) -> None:
    if session.get_bind().dialect.name != "sqlite":
        session.connection().execute(statement, {"communities": set(communities)})


def load(session: Session, *conditions: Any) -> list[Request]:
    """Requests, locked until the transaction ends, detached: whoever changes one calls `save`."""
    return load_by(session, loading(*conditions), {})


def loading(*conditions: Any) -> Any:
    """The statement by which `load_by` loads. Where it is built once, with bound parameters, for what happens with every
    request, it costs a third less."""
    statement = select(Request).where(*conditions).order_by(Request.id).with_for_update()
    return statement.execution_options(populate_existing=True)


def load_by(session: Session, statement: Any, given: Mapping[str, Any]) -> list[Request]:
    """As `load`, by a statement of `loading` and its parameters."""
    requests = list(session.execute(statement, given).scalars())
    for request in requests:
        session.expunge(request)
    return requests


def insert(session: Session, requests: Sequence[Request]) -> None:
    """Write new requests, in one statement."""
    _insert(session, Request, requests)


def insert_referrals(session: Session, referrals: Sequence[Referral]) -> None:
    """Write new referrals, in one statement."""
    _insert(session, Referral, referrals)


def _insert(session: Session, model: type[SQLModel], values: Sequence[SQLModel]) -> None:
    table: Table = model.__table__  # type: ignore[attr-defined]
    names = [column.name for column in table.columns]
    sets.insert(session, table, names, [[getattr(value, name) for name in names] for value in values])


def save(session: Session, requests: Sequence[Request]) -> None:
    """Write changed requests back, in one statement."""
    sets.update(session, _REQUESTS, WRITTEN, [[getattr(request, name) for name in WRITTEN] for request in requests])


def seen_to(tx: Transaction, request: Request) -> None:
    """The station decided something about a request, and so has read its words: an emergency does not stand before all others
    any more. The caller saves the request."""
    if request.alarm is not None and request.attended_at is None:
        request.attended_at = tx.now(request.community)


def decide(tx: Transaction, referral: Referral, verb: str, **values: Any) -> None:
    """Move a referral on, if it still stands where the verb needs it: of two at once one changes the row. Raises
    Conflict (`referral-decided`) for the other."""
    before = referral.status
    changed = {"status": follow(REFERRAL, "referral", before, verb), "decided_at": tx.now(referral.community), **values}
    tx.session.expunge(referral)
    statement = update(Referral).where(col(Referral.id) == referral.id, col(Referral.status) == before)
    result = tx.session.execute(statement.values(**changed).execution_options(synchronize_session=False))
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Conflict("referral-decided", "This referral has just been decided on; read it again.", "status")
    for name, value in changed.items():
        setattr(referral, name, value)
    if before == "made":
        tx.unschedule(REFERRAL_DUE, referral.id)
