"""The kit's promise: what is heard takes effect once, in any order and however often; poison is kept with its cause."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from shared.events.examples import example
from shared.events.registry import OfferChanged, OrganizationApplied
from shared.messaging import CloudEvent, Handlers, Transaction, entries
from shared.messaging.consumer import Entry
from shared.messaging.testing import Harness
from tests.messaging.listener import Count, Offer, offer, service

STREAM = "fenghe:registry"


def test_any_order_and_any_number_of_deliveries_leave_the_newest_and_count_each_once(
    harness: Callable[[Any], Harness],
) -> None:
    listener = harness(service)
    told = [listener.event(offer(n, f"title {sequence}"), sequence) for n in range(40) for sequence in range(1, 6)]
    deliveries = [event for event in told for _ in range(random.Random(event.id).randint(2, 5))]
    random.Random(7).shuffle(deliveries)
    listener.deliver(deliveries)
    assert {row.title for row in listener.rows(Offer)} == {"title 5"}
    assert [row.times for row in listener.rows(Count)] == [1] * len(told)
    assert listener.dead_letters() == []


def test_a_bug_in_a_handler_holds_up_nobody_and_is_kept_with_its_cause(harness: Callable[[Any], Harness]) -> None:
    listener = harness(service)
    events = [listener.event(offer(n, "good", "poison" if n == 17 else "x")) for n in range(50)]
    listener.deliver(events)
    assert len(listener.rows(Offer)) == 49
    (letter,) = listener.dead_letters()
    assert letter["fact_id"] == events[17].id
    assert letter["attempts"] == 5
    assert "a bug in the handler" in letter["cause"]
    assert "keep_offers" in letter["traceback"]
    assert entries.read(entries.restored(letter["fields"])).id == events[17].id


def test_what_failed_before_the_database_went_away_is_retried_once_at_a_time(harness: Callable[[Any], Harness]) -> None:
    away = ["for a moment"]
    on = Handlers()

    @on(OfferChanged)
    def take(tx: Transaction, event: CloudEvent[OfferChanged]) -> None:
        if event.subject == "offer-1":
            raise RuntimeError("a bug in the handler")
        if away:
            away.pop()
            raise OperationalError("COMMIT", {}, ConnectionError())

    listener = harness(replace(service, handlers=[on]))
    batch = [Entry(STREAM, f"1-{n}", entry_of(listener, n)) for n in (1, 2)]
    assert listener.client.portal
    listener.client.portal.call(listener.host._consumer.handle, STREAM, batch)
    listener.drain()
    assert listener.host.metrics.dead._value.get() == len(listener.dead_letters()) == 1
    failed = listener.host.metrics.retried.labels(OfferChanged.type)._value.get()
    assert failed == 1 + listener.settings.retry_attempts


def entry_of(listener: Harness, n: int) -> dict[bytes, bytes]:
    """The entry of a fact about the n-th offer."""
    event = listener.event(offer(n, "x"))
    row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
    return {name.encode(): value.encode() for name, value in entries.fields_of(row).items()}


def entry(**changes: str | bytes | None) -> dict[bytes, bytes]:
    """A good entry, with some fields changed or (None) left out."""
    good = offer(1, "x")
    fields: dict[str, Any] = {
        **example(type(good)).as_json(),
        "subject": good.subject,
        "community": good.community,
        "data": good.model_dump_json(),
        **changes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return {name.encode(): value if isinstance(value, bytes) else str(value).encode() for name, value in given.items()}


GOOD = json.loads(offer(1, "x").model_dump_json())
POISON = {
    "bad JSON": (entry(data="{"), "data does not fit the type"),
    "no data": (entry(data=None), "data does not fit the type"),
    "not an object": (entry(data="[1, 2]"), "data does not fit the type"),
    "a field missing": (entry(data=json.dumps({**GOOD, "item": None})), "item: Input should be a valid string"),
    "an unknown version": (entry(type="fenghe.offer.changed.v9"), "unknown to this version"),
    "another specversion": (entry(specversion="0.3"), "specversion is '0.3'"),
    "no id": (entry(id=None), "the attribute 'id' is missing"),
    "a sequence that is none": (entry(sequence="many"), "sequence or time cannot be read"),
    "a time that is none": (entry(time="yesterday"), "sequence or time cannot be read"),
    "ten megabytes": (entry(data=json.dumps({**GOOD, "hours": "x" * 10_000_000})), "more than 1048576"),
    "deep nesting": (entry(data='{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), "data does not fit the type"),
    "NUL in the data": (entry(data=json.dumps({**GOOD, "hours": "\x00"})), "NUL"),
    "NUL in an attribute": (entry(id="a\x00b"), "NUL"),
    "invalid UTF-8 in the data": (entry(data=b'{"a": "\xff"}'), "data does not fit the type"),
    "invalid UTF-8 in an attribute": (entry(id=b"\xff\xfe"), "not valid UTF-8"),
    "half a surrogate": (entry(data='{"a": "\\ud800"}'), "data does not fit the type"),
    "another's subject": (entry(subject="somebody-else"), "is not that of the data"),
    "an endless id": (entry(id="".join(random.Random(1).choices("abcdefghij", k=5000))), "more than 255 characters"),
    "a field name that is no text": ({**entry(data="{"), b"\xff\x00name;base64": b"\xfe"}, "not valid UTF-8"),
    "no type at all": (entry(type=None), "the attribute 'type' is missing"),
}


@pytest.mark.parametrize("kind", POISON)
def test_an_entry_that_is_no_fact_goes_to_the_dead_letters_with_its_cause(harness: Callable[[Any], Harness], kind: str) -> None:
    fields, cause = POISON[kind]
    listener = harness(service)
    listener.redis.xadd(STREAM, fields)
    listener.hear(offer(1, "good"))
    assert [row.title for row in listener.rows(Offer)] == ["good"]
    (letter,) = listener.dead_letters()
    assert cause in letter["cause"]
    assert entries.restored(letter["fields"]) == fields


def test_what_it_does_not_hear_is_passed_over(harness: Callable[[Any], Harness]) -> None:
    listener = harness(service)
    listener.hear(example(OrganizationApplied).data)
    assert listener.dead_letters() == []


def test_what_was_told_before_its_first_start_is_heard(settings: Callable[[Any], Any]) -> None:
    given = settings(service)
    early = Harness(service, given)
    early.redis.xadd(STREAM, entry(subject="offer-1"))
    with early as listener:
        listener.drain()
        assert [row.id for row in listener.rows(Offer)] == ["offer-1"]
