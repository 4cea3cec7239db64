"""A second service: it only listens, and counts how often each fact took effect."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel import Field, Session, SQLModel

from shared.access import Caller, allow
from shared.database import NAMING, insert
from shared.events import CloudEvent
from shared.events.registry import OfferChanged
from shared.messaging import Handlers, Transaction
from shared.service import Service
from shared.web import EDGE, Edge
from tests.faults.commands import dead_letters, pairs
from tests.messaging.lending import LoanAsked, LoanChanged, LoanOverdue


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Heard(Table, table=True):
    """How often a fact took effect."""

    __tablename__ = "heard"
    id: str = Field(primary_key=True)
    times: int


class Newest(Table, table=True):
    """A read model: what the newest fact heard about a subject says."""

    __tablename__ = "newest"
    id: str = Field(primary_key=True)
    sequence: int
    data: str


on, router = Handlers(), APIRouter()


@on(LoanAsked, LoanChanged, LoanOverdue, OfferChanged)
def hear(tx: Transaction, events: list[CloudEvent[OfferChanged]]) -> None:
    table = Heard.__table__  # type: ignore[attr-defined]
    statement = insert(tx.session, table).on_conflict_do_update(index_elements=["id"], set_={"times": table.c.times + 1})
    tx.session.execute(statement, [{"id": event.id, "times": 1} for event in events])
    tx.keep(Newest, [{"id": event.subject, "sequence": event.sequence, "data": event.body} for event in events])


@router.get("/witness")
def show(caller: Caller = allow("anyone"), edge: Edge = EDGE) -> JSONResponse:
    """How often each fact took effect, the read model, the dead letters."""

    def rows(session: Session) -> dict[str, object]:
        return {
            "heard": pairs(session, Heard.id, Heard.times),
            "newest": pairs(session, Newest.id, Newest.sequence, Newest.data),
            "dead_letters": dead_letters(session),
        }

    return JSONResponse(edge.read(rows))


service = Service(
    "observer", "Observer", "A listener of the tests", "observer", Table.metadata, routers=[router], handlers=[on]
)
