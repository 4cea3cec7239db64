"""A small service that keeps offers and counts how often each fact took effect. A title in English can be a bug."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shared.database import NAMING
from shared.events import CloudEvent
from shared.events.examples import STATES
from shared.events.registry import OfferChanged, OfferPublished, OfferWithdrawn
from shared.messaging import Handlers, Transaction
from shared.service import Service


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Offer(Table, table=True):
    __tablename__ = "offers"
    id: str = Field(primary_key=True)
    title: str
    sequence: int


class Count(Table, table=True):
    __tablename__ = "counts"
    id: str = Field(primary_key=True)
    times: int


POISON = {"poison"}
"""English titles that the handler cannot stand; a test that mends the bug empties it."""

on = Handlers()


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferPublished]]) -> None:
    if any(event.data.title_en in POISON for event in events):
        raise RuntimeError("a bug in the handler")
    tx.keep(Offer, [{"id": e.subject, "title": e.data.title_zh, "sequence": e.sequence} for e in events])


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def count_offers(tx: Transaction, event: CloudEvent[OfferPublished]) -> None:
    row = tx.session.get(Count, event.id) or Count(id=event.id, times=0)
    row.times += 1
    tx.session.add(row)


service = Service("listener", "Listener", "A service of the tests", "listener", Table.metadata, handlers=[on])


def offer(n: int, title: str, title_en: str = "x") -> OfferChanged:
    """A fact about the n-th offer."""
    state = {**STATES["offer"], "offer": f"offer-{n}", "title_zh": title, "title_en": title_en}
    return OfferChanged.model_validate({"community": "c", **state})
