"""Deliveries over replicas and crashes: shared, each once while nobody dies; none lost where one is killed."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest

from services.notify.app import service
from services.notify.models import Webhook
from services.notify.webhooks import work
from services.notify.webhooks.rules import Outcome
from shared import clock, logs
from shared.identifiers import new_id
from shared.messaging.testing import Harness
from shared.service import Host, Service
from shared.settings import Settings
from tests.messaging.test_supervision import until
from tests.notify.receiver import Answer, Received, Receiver
from tests.notify.subscriber import ALLOWED, REGISTERED, Subscriber


def test_replicas_share_webhooks_and_double_nothing(settings: Callable[[Service], Settings], receiver: Receiver) -> None:
    given = settings(service).model_copy(update={**ALLOWED, "sole": False})
    with ExitStack() as stack:
        first, second = (stack.enter_context(Harness(service, given)) for _ in range(2))
        subscriber = Subscriber(first, receiver)
        webhooks = [subscriber.subscribe(f"/{number}") for number in range(12)]
        subjects = [new_id() for _ in range(10)]
        facts = subscriber.keep_happening(subjects, 3) + subscriber.keep_happening(subjects, 3)
        for webhook in webhooks:
            subscriber.settled(webhook, delivered=len(facts))
        sent = Counter((request.path, request.id) for request in receiver.received)
        assert len(sent) == 12 * len(facts) and set(sent.values()) == {1}
        # Both replicas also hear facts; the order is the one in which they came into the feed.
        feed = first.client.get("/api/notify/events", params={"type": REGISTERED, "limit": 200}).json()["items"]
        for number in range(12):
            for subject in subjects:
                order = [request.id for request in receiver.at(f"/{number}") if request.message["subject"] == subject]
                assert order == [event["id"] for event in feed if event["subject"] == subject]

        def both_sent() -> bool:
            metrics = [replica.client.get("/api/notify/metrics").text for replica in (first, second)]
            if all('fenghe_webhook_attempts_total{outcome="delivered"}' in text for text in metrics):
                return True
            subscriber.happen()
            return False

        until(both_sent)


def test_a_replica_that_lost_its_lease_changes_nothing(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    subscriber.call("POST", f"/{webhook['id']}/pause")
    subscriber.happen(2)
    run = subscriber.notify.host.run

    def let_go() -> None:
        def change(tx: work.Transaction) -> None:
            row = tx.session.get(Webhook, webhook["id"])
            assert row is not None
            row.status, row.leased_until = "active", clock.now() - timedelta(seconds=1)

        run(change)

    subscriber.notify.host.part(service.loops[0]).stop()  # type: ignore[attr-defined]
    let_go()
    (old,) = run(work.claim, [webhook["id"]]).values()
    assert run(work.claim, [webhook["id"]]) == {}, "two hold one lease"
    taken = run(work.advance, webhook["id"], old, [], True)
    assert taken is not None and len(taken.jobs) == 2
    let_go()
    (new,) = run(work.claim, [webhook["id"]]).values()
    assert new > old
    late = [work.Result(job, Outcome(204, None, 5)) for job in taken.jobs]
    run(work.record, {(webhook["id"], old): late})
    assert run(work.advance, webhook["id"], old, late, True) is None
    assert {row.status for row in subscriber.rows()} == {"waiting"}
    again = run(work.advance, webhook["id"], new, [], True)
    assert again == taken


async def _serve(settings: Settings) -> None:
    host = Host(service, settings)
    await host.start()
    await asyncio.Event().wait()


def _replica(settings: Settings) -> None:
    logs.configure(level="ERROR", format="text")
    asyncio.run(_serve(settings))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_in_the_middle_nothing_is_lost(settings: Callable[[Service], Settings], receiver: Receiver) -> None:
    """SIGKILL of the process that sends, twice, each time while requests are under way; then another does the rest."""
    given = settings(service).model_copy(update=ALLOWED)
    with Harness(service, given) as notify:
        subscriber = Subscriber(notify, receiver)
        webhooks = [subscriber.subscribe(f"/{number}") for number in range(3)]
        for webhook in webhooks:
            subscriber.call("POST", f"/{webhook['id']}/pause")
        subjects = [new_id() for _ in range(20)]
        facts = subscriber.keep_happening(subjects, 5)
        for webhook in webhooks:
            subscriber.call("POST", f"/{webhook['id']}/resumption")
        notify.host.part(service.loops[0]).stop()  # type: ignore[attr-defined]
    expected = {(f"/{number}", event.id) for number in range(3) for event in facts}
    patience = 0
    hung: list[str] = []

    def answer(request: Received) -> Answer:
        if len(receiver.received) <= patience:
            return Answer()
        hung.append(request.id)
        return Answer(behaviour="hang")

    receiver.answer = answer
    context = multiprocessing.get_context("spawn")
    for _ in range(2):
        # Some are taken, then all others hang, and it dies with them in hand.
        patience, before = len(receiver.received) + 40, len(hung)
        replica = context.Process(target=partial(_replica, given), daemon=True)
        replica.start()
        try:
            until(lambda before=before: len(hung) > before, seconds=120)
        finally:
            assert replica.pid is not None
            os.kill(replica.pid, signal.SIGKILL)
            replica.join()
    patience = 10**9
    with Harness(service, given) as notify:
        subscriber.notify = notify
        for webhook in webhooks:
            subscriber.settled(webhook, delivered=len(facts))
    assert _sent(receiver) == expected


def _sent(receiver: Receiver) -> set[tuple[str, str]]:
    return {(request.path, request.id) for request in list(receiver.received)}
