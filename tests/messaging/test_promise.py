"""The kit's promise, on a service of its own: heard takes effect once, in any order; poison is kept."""

from __future__ import annotations

import random
from collections.abc import Callable

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shared.database import NAMING
from shared.events import CloudEvent
from shared.events.examples import STATES, example
from shared.events.registry import OfferChanged, OfferPublished, OfferWithdrawn, OrganizationApplied
from shared.messaging import Handlers, Transaction
from shared.messaging.testing import Harness
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


on = Handlers()


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def keep_offers(tx: Transaction, events: list[CloudEvent[OfferPublished]]) -> None:
    if any(event.data.title_en == "poison" for event in events):
        raise RuntimeError("a bug in the handler")
    tx.keep(Offer, [{"id": e.subject, "title": e.data.title_zh, "sequence": e.sequence} for e in events])


@on(OfferPublished, OfferChanged, OfferWithdrawn)
def count_offers(tx: Transaction, event: CloudEvent[OfferPublished]) -> None:
    row = tx.session.get(Count, event.id) or Count(id=event.id, times=0)
    row.times += 1
    tx.session.add(row)


service = Service("listener", "Listener", "A service of the tests", "listener", Table.metadata, handlers=[on])


def offer(n: int, title: str, title_en: str = "x") -> OfferChanged:
    state = {**STATES["offer"], "offer": f"offer-{n}", "title_zh": title, "title_en": title_en}
    return OfferChanged.model_validate({"community": "c", **state})


def test_any_order_and_any_number_of_deliveries_leave_the_newest_and_count_each_once(
    harness: Callable[[Service], Harness],
) -> None:
    listener = harness(service)
    told = [listener.event(offer(n, f"title {sequence}"), sequence) for n in range(40) for sequence in range(1, 6)]
    deliveries = told * 3
    random.Random(7).shuffle(deliveries)
    listener.deliver(deliveries)
    assert {row.title for row in listener.rows(Offer)} == {"title 5"}
    assert [row.times for row in listener.rows(Count)] == [1] * len(told)
    assert listener.dead_letters() == []


def test_a_poison_fact_holds_up_nobody_and_is_kept_with_its_cause(harness: Callable[[Service], Harness]) -> None:
    listener = harness(service)
    events = [listener.event(offer(n, "good", "poison" if n == 17 else "x")) for n in range(50)]
    listener.deliver(events)
    assert len(listener.rows(Offer)) == 49
    (letter,) = listener.dead_letters()
    assert letter["fact_id"] == events[17].id
    assert letter["attempts"] == 5
    assert "a bug in the handler" in letter["cause"]
    assert "keep_offers" in letter["traceback"]


def test_what_it_does_not_hear_is_passed_over(harness: Callable[[Service], Harness]) -> None:
    listener = harness(service)
    listener.hear(example(OrganizationApplied).data)
    assert listener.dead_letters() == []
