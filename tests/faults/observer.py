"""A second service: it only listens, and counts how often each fact took effect."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shared.database import NAMING, insert
from shared.events import CloudEvent
from shared.events.registry import OfferChanged
from shared.messaging import Handlers, Transaction
from shared.service import Service
from tests.messaging.lending import LoanAsked, LoanChanged, LoanOverdue


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Heard(Table, table=True):
    """How often a fact took effect."""

    __tablename__ = "heard"
    id: str = Field(primary_key=True)
    times: int


class Newest(Table, table=True):
    """A projection: the newest fact heard about a subject."""

    __tablename__ = "newest"
    id: str = Field(primary_key=True)
    sequence: int


on = Handlers()


@on(LoanAsked, LoanChanged, LoanOverdue, OfferChanged)
def hear(tx: Transaction, events: list[CloudEvent[OfferChanged]]) -> None:
    table = Heard.__table__  # type: ignore[attr-defined]
    statement = insert(tx.session, table).on_conflict_do_update(index_elements=["id"], set_={"times": table.c.times + 1})
    tx.session.execute(statement, [{"id": event.id, "times": 1} for event in events])
    tx.keep(Newest, [{"id": event.subject, "sequence": event.sequence} for event in events])


service = Service("observer", "Observer", "A listener of the tests", "observer", Table.metadata, handlers=[on])
