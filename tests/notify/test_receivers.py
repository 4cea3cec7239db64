"""T24: receivers that flap, hang, trickle, redirect, want no more, are busy, fail, break off, never end or talk nonsense: each
is tried again, none holds up anybody else, and every fact arrives once the receiver behaves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from services.notify.models import Webhook
from services.notify.webhooks import work
from services.notify.webhooks.rules import SCHEDULE
from tests.messaging.test_supervision import until
from tests.notify.receiver import Answer, Received
from tests.notify.subscriber import Subscriber

BAD: dict[str, tuple[Answer, str]] = {
    "hangs": (Answer(behaviour="hang"), "timeout"),
    "trickles": (Answer(200, behaviour="trickle"), "timeout"),
    "redirects": (Answer(301, [("Location", "/elsewhere")]), "redirect"),
    "redirects keeping the method": (Answer(307, [("Location", "/elsewhere")]), "redirect"),
    "redirects inside": (Answer(308, [("Location", "http://169.254.169.254/latest/meta-data/")]), "redirect"),
    "is busy": (Answer(429), "throttled"),
    "fails": (Answer(500), "refused"),
    "has not been found": (Answer(404), "refused"),
    "sits behind a broken gateway": (Answer(502), "throttled"),
    "closes without a word": (Answer(behaviour="close"), "closed"),
    "breaks off": (Answer(behaviour="cut"), "closed"),
    "fails without end": (Answer(500, behaviour="endless"), "refused"),
    "speaks another protocol": (Answer(behaviour="nonsense"), "not-http"),
}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_bad_receiver_is_tried_again_and_holds_up_nobody(subscribing: Callable[..., Subscriber]) -> None:
    subscriber = subscribing(webhook_timeout=5)
    paths = {f"/bad/{place}": name for place, name in enumerate(BAD)}
    mended = False

    def answer(request: Received) -> Answer:
        return Answer() if mended or request.path not in paths else BAD[paths[request.path]][0]

    subscriber.receiver.answer = answer
    bad = {path: subscriber.subscribe(path) for path in paths}
    gone = subscriber.subscribe("/bad/nobody", url="http://127.0.0.1:1/")
    good = subscriber.subscribe("/good")
    facts = subscriber.happen(3)
    subscriber.settled(good, delivered=3)
    assert all(not any(one["status"] == "delivered" for one in subscriber.log(webhook)) for webhook in bad.values())
    for path, webhook in bad.items():
        subscriber.attempted(webhook, 1)
        attempts = [one for delivery in subscriber.log(webhook) for one in delivery["attempts"]]
        answered, kind = BAD[paths[path]]
        assert {one["error"]["kind"] for one in attempts} == {kind}, (paths[path], attempts)
        expected = answered.status if kind in ("redirect", "throttled", "refused") else None
        assert {one["status_code"] for one in attempts} == {expected}, paths[path]
    subscriber.attempted(gone, 1)
    assert subscriber.log(gone)[-1]["attempts"][0]["error"]["kind"] == "unreachable"
    assert subscriber.receiver.at("/elsewhere") == []
    mended = True
    # Every attempt is over and written; then the clock moves on beyond the first pauses.
    until(lambda: all(row.leased_until is None for row in subscriber.notify.rows(Webhook)), seconds=180)
    for _ in range(2):
        subscriber.later(minutes=7)
        later = subscriber.happen(1)
        facts += later
        subscriber.settled(good, delivered=len(facts))
    for path, webhook in bad.items():
        subscriber.settled(webhook, delivered=len(facts))
        assert {request.id for request in subscriber.receiver.at(path)} == {event.id for event in facts}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_answer_that_never_ends_was_an_answer(subscriber: Subscriber) -> None:
    subscriber.receiver.answer = lambda request: Answer(200, behaviour="endless")
    webhook = subscriber.subscribe()
    subscriber.happen(3)
    log = subscriber.settled(webhook, delivered=3)
    assert [one["attempts"][0]["status_code"] for one in log] == [200] * 3
    assert subscriber.receiver.connections == 3  # an answer that is not read to its end leaves no connection to use again


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_flapping_receiver_gets_everything_in_order(subscriber: Subscriber) -> None:
    calls = count()
    subscriber.receiver.answer = lambda request: Answer(500 if next(calls) % 2 == 0 else 204)
    webhook = subscriber.subscribe()
    subjects = {event.subject: [event] for event in subscriber.happen(5)}
    for subject, events in subjects.items():
        events.extend(subscriber.happen(2, about=subject))
    for _ in range(2 * len(SCHEDULE)):
        if sum(one["status"] == "delivered" for one in subscriber.log(webhook)) == 15:
            break
        subscriber.later(hours=30)
        until(lambda: subscriber.show(webhook)["waiting"] == 0 or bool(resting(subscriber, webhook)))
    taken: dict[str, list[str]] = {}
    for request in subscriber.receiver.received:
        ids = taken.setdefault(request.message["subject"], [])
        if request.id not in ids:
            ids.append(request.id)
    assert taken == {subject: [event.id for event in events] for subject, events in subjects.items()}
    assert all(one["status"] == "delivered" for one in subscriber.log(webhook))


def resting(subscriber: Subscriber, webhook: dict[str, str]) -> bool:
    """Whether nothing is due of a webhook, and nobody at work on it."""
    (row,) = [row for row in subscriber.notify.rows(Webhook) if row.id == webhook["id"]]
    (standing,) = [one for one in subscriber.notify.host.read(work.glance) if one.id == webhook["id"]]
    return row.leased_until is None and not standing.due


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_receiver_gets_so_many_requests_at_a_time_and_each_subject_one(
    subscribing: Callable[..., Subscriber],
) -> None:
    subscriber = subscribing(webhook_timeout=60)
    subscriber.receiver.answer = lambda request: Answer(behaviour="hang")
    webhook = subscriber.subscribe()
    subject = subscriber.happen(1)[0].subject
    subscriber.arrived(1)
    subscriber.call("POST", f"/{webhook['id']}/pause")
    assert subscriber.receiver.most_under_way == 1
    subscriber.happen(3, about=subject)
    subscriber.happen(40)
    subscriber.subscribe("/other", after=webhook["cursor"])
    subscriber.arrived(8, "/other")
    assert subscriber.receiver.most_under_way == 9
    assert len({request.message["subject"] for request in subscriber.receiver.at("/other")}) == 8
    subscriber.receiver.release()
