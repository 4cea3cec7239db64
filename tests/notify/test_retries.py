"""Webhooks that are not taken: what is tried again, when, in which order, for how long, and what its owner is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count

import pytest

from services.notify.models import Webhook as WebhookRow
from services.notify.webhooks import rules
from shared.events import notify as n
from shared.identifiers import new_id
from tests.messaging.test_supervision import until
from tests.notify.receiver import Answer, Received
from tests.notify.subscriber import Subscriber


def failing(*, until_attempt: int = 10**9, status: int = 500) -> Callable[[Received], Answer]:
    attempts = count(1)
    return lambda request: Answer(status if next(attempts) < until_attempt else 200)


def test_nothing_of_a_subject_overtakes_what_is_tried_again_and_others_do_not_wait(subscriber: Subscriber) -> None:
    held = new_id()
    taken: set[str] = set()

    def answer(request: Received) -> Answer:
        if request.message["subject"] == held and "held" not in taken:
            return Answer(503)
        taken.add(request.id)
        return Answer()

    subscriber.receiver.answer = answer
    webhook = subscriber.subscribe()
    mine = [subscriber.happen(about=held)[0] for _ in range(3)]
    subscriber.settled(webhook, waiting=1)
    subscriber.later(seconds=1)  # a receiver that answers 503 is given a pause
    others = subscriber.happen(4)
    subscriber.later(seconds=10)
    subscriber.settled(webhook, delivered=4)
    assert [request.id for request in subscriber.receiver.received if request.message["subject"] == held] == [mine[0].id] * 2
    log = {one["fact"]: one for one in subscriber.log(webhook)}
    assert [log[event.id]["status"] for event in mine] == ["waiting"] * 3
    assert [len(log[event.id]["attempts"]) for event in mine] == [2, 0, 0]
    assert {log[event.id]["status"] for event in others} == {"delivered"}
    taken.add("held")
    subscriber.later(hours=1)
    subscriber.settled(webhook, delivered=7)
    order = [
        request.id for request in subscriber.receiver.received if request.id in taken and request.message["subject"] == held
    ]
    assert order[-3:] == [event.id for event in mine]


def test_it_is_tried_by_the_schedule_for_three_days_with_the_same_id_then_disabled_and_its_owner_told(
    subscriber: Subscriber,
) -> None:
    subscriber.receiver.answer = failing()
    webhook = subscriber.subscribe()
    (fact,) = subscriber.happen()
    for attempt, pause in enumerate(rules.SCHEDULE):
        if attempt:
            subscriber.later(seconds=pause.total_seconds() * (1 + rules.JITTER) + 2)
        subscriber.attempted(webhook, attempt + 1)
        log = subscriber.log(webhook)[0]
        if attempt + 1 < len(rules.SCHEDULE):
            due = datetime.fromisoformat(log["next_attempt_at"]) - datetime.fromisoformat(log["attempts"][-1]["at"])
            planned = rules.SCHEDULE[attempt + 1]
            assert planned <= due <= planned * (1 + rules.JITTER) + timedelta(seconds=1)
    (log,) = subscriber.settled(webhook, failed=1)
    assert len(log["attempts"]) == 10 and log["next_attempt_at"] is None
    assert log["attempts"][0]["error"] == {"kind": "refused", "zh": "接收方没有收下。", "en": "The receiver did not take it."}
    assert {request.id for request in subscriber.receiver.received} == {fact.id}
    shown = subscriber.show(webhook)
    assert (shown["status"], shown["because"]) == ("disabled", "failing")
    (lost,) = subscriber.notify.told(n.DeliveryFailed)
    assert (lost.data.webhook, lost.data.fact, lost.data.attempts) == (webhook["id"], fact.id, 10)
    (disabled,) = subscriber.notify.told(n.WebhookDisabled)
    assert disabled.data.because == "failing"
    inbox = subscriber.notify.client.get("/api/notify/inbox", headers=subscriber.headers).json()["items"]
    (notice,) = [one for one in inbox if one["kind"] == "webhook.disabled"]
    assert "停用" in notice["zh"] and "disabled" in notice["en"] and notice["parameters"] == {"webhook": webhook["id"]}
    # What came meanwhile is not lost: resumed, it goes on where it stopped, and what was given up is replayed.
    (after,) = subscriber.happen()
    subscriber.receiver.answer = lambda request: Answer()
    assert subscriber.call("POST", f"/{webhook['id']}/resumption")["status"] == "active"
    assert subscriber.call("POST", f"/{webhook['id']}/replays", {"failed_only": True}) == {"deliveries": 1, "next": None}
    subscriber.settled(webhook, delivered=2)
    assert {request.id for request in subscriber.receiver.received[10:]} == {fact.id, after.id}


def test_a_receiver_that_takes_nothing_is_tried_with_one_fact_at_a_time(subscriber: Subscriber) -> None:
    subscriber.receiver.answer = failing()
    webhook = subscriber.subscribe()
    subscriber.happen(60)
    until(
        lambda: len(subscriber.receiver.received) >= rules.FAILING and subscriber.show(webhook)["state"]["en"].startswith("The")
    )
    before = len(subscriber.receiver.received)
    assert before <= 2 * 8
    subscriber.happen(20)
    subscriber.receiver.answer = lambda request: Answer()
    subscriber.later(seconds=10)
    subscriber.settled(webhook, delivered=80)
    assert len({request.id for request in subscriber.receiver.received}) == 80
    assert subscriber.show(webhook)["failing_since"] is None


def test_410_disables_and_nothing_is_lost(subscriber: Subscriber) -> None:
    subscriber.receiver.answer = lambda request: Answer(410)
    webhook = subscriber.subscribe()
    subscriber.happen(3)
    until(lambda: subscriber.show(webhook)["status"] == "disabled")
    assert subscriber.show(webhook)["because"] == "gone"
    subscriber.receiver.answer = lambda request: Answer()
    subscriber.happen(2)
    count = len(subscriber.receiver.received)
    subscriber.call("POST", f"/{webhook['id']}/resumption")
    subscriber.settled(webhook, delivered=5)
    assert len(subscriber.receiver.received) == count + 5
    assert [event.type for event in subscriber.notify.told()] == [
        f"fenghe.webhook.{verb}.v1" for verb in ("created", "disabled", "resumed")
    ]


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept_to_and_uses_up_nothing(subscriber: Subscriber, status: int) -> None:
    subscriber.receiver.answer = lambda request: Answer(status, [("Retry-After", "1800")])
    webhook = subscriber.subscribe()
    subscriber.happen(20)
    subscriber.attempted(webhook, 1)
    until(lambda: subscriber.notify.rows(WebhookRow)[0].leased_until is None)
    busy = len(subscriber.receiver.received)
    assert busy <= 8, "the others of a busy receiver wait"
    subscriber.later(minutes=29)
    subscriber.happen(1)
    log = subscriber.log(webhook)
    due = [datetime.fromisoformat(one["next_attempt_at"]) for one in log if one["attempts"]]
    at = [datetime.fromisoformat(one["attempts"][0]["at"]) for one in log if one["attempts"]]
    assert {round((later - when).total_seconds()) for later, when in zip(due, at, strict=True)} == {1800}
    assert {row.tries for row in subscriber.rows()} == {0}
    assert len(subscriber.receiver.received) == busy
    subscriber.receiver.answer = lambda request: Answer()
    subscriber.later(minutes=2)
    subscriber.settled(webhook, delivered=21)


def test_what_a_receiver_asks_for_is_bounded_by_a_day_and_by_three(subscriber: Subscriber) -> None:
    subscriber.receiver.answer = lambda request: Answer(503, [("Retry-After", "99999999999")])
    webhook = subscriber.subscribe()
    subscriber.happen()
    for attempt in range(1, 5):
        subscriber.attempted(webhook, attempt)
        subscriber.later(days=1, seconds=5)
    (log,) = subscriber.settled(webhook, failed=1)
    assert len(log["attempts"]) == 4
