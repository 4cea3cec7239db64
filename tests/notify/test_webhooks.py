"""Webhooks: what is sent, to whom, in which order, how often, and what its owner sees of it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import Response
from standardwebhooks import Webhook, WebhookVerificationError

from services.notify.models import Webhook as WebhookRow
from services.notify.webhooks import rules
from services.notify.webhooks.signing import headers_of
from shared.events import catalogue
from shared.events import registry as r
from shared.identifiers import new_id
from tests.contracts.lifecycle import Life, Subject
from tests.messaging.test_supervision import until
from tests.notify.receiver import Answer, Received
from tests.notify.subscriber import REGISTERED, Subscriber

KEY = r"whsec_[A-Za-z0-9+/]{43}="


def test_the_references_own_vector_is_reproduced() -> None:
    # The vector of the specification's libraries (libraries/python/tests, libraries/javascript/src/index.test.ts).
    secret, id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek"
    sent_at = datetime.fromtimestamp(1614265330, UTC)
    headers = headers_of(id, sent_at, '{"test": 2432232314}', [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (id, "1614265330")


def test_a_fact_arrives_signed_as_the_standard_says_and_is_a_cloudevent(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe("/hooks?from=fenghe", types=[])
    assert re.fullmatch(KEY, webhook["secret"])
    (fact,) = subscriber.happen()
    (request,) = subscriber.arrived(1)
    message = Webhook(webhook["secret"]).verify(request.body, request.headers)
    assert message["timestamp"] == message["time"]
    assert {name: message[name] for name in ("id", "type", "subject", "community")} == {
        "id": fact.id,
        "type": fact.type,
        "subject": fact.subject,
        "community": fact.community,
    }
    assert message["data"]["name_zh"] == "春晖助老服务中心"
    assert (request.path, request.id) == ("/hooks?from=fenghe", fact.id)
    assert request.headers["content-type"] == "application/json"
    assert abs(int(request.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 60
    with pytest.raises(WebhookVerificationError):
        Webhook(webhook["secret"]).verify(request.body + b" ", request.headers)
    (log,) = subscriber.settled(webhook, delivered=1)
    assert log["attempts"][0]["status_code"] == 204 and log["attempts"][0]["error"] is None
    assert subscriber.notify.redis.xlen("fenghe:notify") == 1  # webhook.created, and nothing for what was taken


def test_the_secret_is_shown_once_and_two_are_valid_while_it_is_changed(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    path = f"/{webhook['id']}"
    first = webhook["secret"]
    assert not re.search(
        KEY, str(subscriber.call("GET", path)) + str(subscriber.call("GET", "", community=subscriber.community))
    )
    second = subscriber.call("POST", f"{path}/secret-rotation", {"overlap_hours": 5})
    assert second["secret"] != first and second["old_secret_until"]

    def verified_by(request: Received) -> set[str]:
        found = set()
        for secret in (first, second["secret"]):
            try:
                Webhook(secret).verify(request.body, request.headers)
                found.add(secret)
            except WebhookVerificationError:
                pass
        return found

    subscriber.happen()
    request = subscriber.arrived(1)[0]
    assert verified_by(request) == {first, second["secret"]}
    assert len(request.headers["webhook-signature"].split(" ")) == 2
    subscriber.later(hours=6)
    subscriber.happen()
    assert verified_by(subscriber.arrived(2)[1]) == {second["secret"]}
    assert subscriber.show(webhook)["old_secret_until"] is None
    third = subscriber.call("POST", f"{path}/secret-rotation", {"overlap_hours": 5})
    assert subscriber.call("POST", f"{path}/secret-rotation", {"overlap_hours": 0})["old_secret_until"] is None
    (row,) = subscriber.notify.rows(WebhookRow)
    assert row.previous_secret is None and row.secret not in (first, second["secret"], third["secret"])


def test_filters_by_type_subject_and_community(subscriber: Subscriber) -> None:
    organization, elsewhere = new_id(), new_id()
    subscriber.subscribe("/own")
    subscriber.subscribe("/one", types=[], subject=organization)
    subscriber.subscribe("/everywhere", types=[r.OrganizationSuspended.type, REGISTERED], everywhere=True)
    (about_one,) = subscriber.happen(about=organization)
    (other,) = subscriber.happen()
    (foreign,) = subscriber.happen(community=elsewhere)
    suspended = r.OrganizationSuspended(**subscriber.fenghe.registered().model_dump() | {"status": "suspended"})
    applied = r.OrganizationApplied(**subscriber.fenghe.registered().model_dump() | {"status": "applied"})
    (event, private) = subscriber.notify.hear(suspended, applied)
    assert not type(private.data).public

    def sent(path: str, count: int) -> list[str]:
        return sorted(request.id for request in subscriber.arrived(count, path))

    assert sent("/everywhere", 4) == sorted([about_one.id, other.id, foreign.id, event.id])
    assert sent("/own", 2) == sorted([about_one.id, other.id])
    assert sent("/one", 1) == [about_one.id]
    until(lambda: all(row.status == "delivered" for row in subscriber.rows()))
    assert len(subscriber.rows()) == 7


def test_paused_nothing_is_sent_and_nothing_lost(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    path = f"/{webhook['id']}"
    subscriber.happen()
    subscriber.settled(webhook, delivered=1)
    paused = subscriber.call("POST", f"{path}/pause")
    assert (paused["status"], paused["state"]["en"]) == ("paused", "Paused; once resumed it goes on where it stopped.")
    other = subscriber.subscribe("/other")
    facts = subscriber.happen(3)
    subscriber.settled(other, delivered=3)
    assert len(subscriber.receiver.at("/")) == 1
    subscriber.call("POST", f"{path}/resumption")
    subscriber.settled(webhook, delivered=4)
    assert {request.id for request in subscriber.receiver.at("/")[1:]} == {event.id for event in facts}
    subscriber.call("DELETE", path)
    assert subscriber.try_call("GET", path).status_code == 404
    assert {row.webhook for row in subscriber.rows()} == {other["id"]}


def test_a_range_is_replayed_by_place_or_time_in_its_order(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    organization = new_id()
    facts = [subscriber.happen(about=organization)[0] for _ in range(4)]
    log = subscriber.settled(webhook, delivered=4)

    def replayed(**terms: Any) -> list[str]:
        before = len(subscriber.receiver.received)
        answer = subscriber.call("POST", f"/{webhook['id']}/replays", terms)
        subscriber.settled(webhook, delivered=4, waiting=0)
        sent = [request.id for request in subscriber.receiver.received[before:]]
        assert answer == {"deliveries": len(sent), "next": None}
        return sent

    places = [one["cursor"] for one in log]
    assert replayed(after=places[0], up_to=places[2]) == [facts[1].id, facts[2].id]
    assert replayed(since=(datetime.now(UTC) - timedelta(hours=1)).isoformat()) == [fact.id for fact in facts]
    assert replayed(until=(datetime.now(UTC) - timedelta(hours=1)).isoformat()) == []
    assert replayed(failed_only=True) == []
    assert len(subscriber.log(webhook)[1]["attempts"]) == 3
    for terms, field in (({}, "after"), ({"after": "nonsense"}, "after"), ({"since": 5}, "since")):
        refused = subscriber.try_call("POST", f"/{webhook['id']}/replays", terms)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)


def test_a_new_webhook_may_begin_anywhere_in_the_feed(subscriber: Subscriber) -> None:
    facts = [subscriber.happen()[0] for _ in range(3)]
    places = subscriber.notify.client.get("/api/notify/events", params={"type": REGISTERED, "limit": 1}).json()
    assert places["items"][0]["id"] == facts[0].id
    subscriber.subscribe("/from-there", after=places["next"])
    assert {request.id for request in subscriber.arrived(2, "/from-there")} == {facts[1].id, facts[2].id}


def test_the_test_button_says_at_once_what_comes_of_it(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    path = f"/{webhook['id']}"
    taken = subscriber.call("POST", f"{path}/test")
    assert taken["status_code"] == 204 and taken["error"] is None
    (request,) = subscriber.receiver.received
    message = Webhook(webhook["secret"]).verify(request.body, request.headers)
    assert (message["type"], message["data"]) == ("fenghe.webhook.tested.v1", {"webhook": webhook["id"]})
    assert message["type"] not in {fact.type for fact in catalogue()}
    subscriber.receiver.answer = lambda request: Answer(302, [("Location", subscriber.receiver.url("/elsewhere"))])
    refused = subscriber.call("POST", f"{path}/test")
    assert (refused["status_code"], refused["error"]["kind"]) == (302, "redirect")
    assert "不跟随" in refused["error"]["zh"] and "not followed" in refused["error"]["en"]
    assert subscriber.receiver.at("/elsewhere") == [] and subscriber.log(webhook) == []


def test_what_is_changed_holds_for_what_comes(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe("/before")
    path = f"/{webhook['id']}"
    subscriber.happen()
    subscriber.arrived(1, "/before")
    changed = subscriber.call("PATCH", path, {"url": subscriber.receiver.url("/after"), "types": [], "description": "名册"})
    assert (changed["types"], changed["description"], changed["subject"]) == ([], "名册", None)
    subscriber.notify.hear(r.OrganizationChanged(**subscriber.fenghe.registered().model_dump()))
    subscriber.arrived(1, "/after")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"url": "ftp://example.org/"}, "url"),
        ({"url": "not an address"}, "url"),
        ({"url": None}, "url"),
        ({"types": ["fenghe.nonsense.v1"]}, "types.0"),
        ({"types": [REGISTERED, r.OrganizationApplied.type]}, "types.1"),
        ({"after": "?"}, "after"),
        ({"secret": "mine"}, "secret"),
    ],
)
def test_what_cannot_be_is_refused_by_the_field(subscriber: Subscriber, terms: dict[str, Any], field: str) -> None:
    given = {"community": subscriber.community, "url": subscriber.receiver.url()} | terms
    refused = subscriber.try_call("POST", "", given)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text
    assert subscriber.notify.rows(WebhookRow) == []


def test_an_unknown_community_is_refused_and_too_many_webhooks_too(
    subscriber: Subscriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = subscriber.receiver.url()
    operator = subscriber.notify.as_("operator")
    answer = subscriber.notify.client.post("/api/notify/webhooks", json={"community": "none", "url": url}, headers=operator)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "community")
    monkeypatch.setattr(rules, "MOST_OF_A_COMMUNITY", 1)
    system = subscriber.notify.as_("system", community=subscriber.community)
    terms = {"community": subscriber.community, "url": url}
    assert subscriber.notify.client.post("/api/notify/webhooks", json=terms, headers=system).status_code == 201
    assert subscriber.try_call("POST", "", terms).json()["type"] == "urn:fenghe:problem:webhooks-too-many"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_life_cycle(subscriber: Subscriber) -> None:
    def bear() -> Subject:
        path = f"/{subscriber.subscribe()['id']}"

        def do(verb: str) -> Response:
            calls: dict[str, tuple[str, str, Any]] = {
                "change": ("PATCH", path, {"description": "words"}),
                "rotate": ("POST", f"{path}/secret-rotation", {}),
                "pause": ("POST", f"{path}/pause", None),
                "resume": ("POST", f"{path}/resumption", None),
                "delete": ("DELETE", path, None),
            }
            answer: Response = subscriber.try_call(*calls[verb])
            return answer

        return Subject(path[1:], do)

    life = Life(subscriber.notify, rules.WEBHOOK, bear, "active", ("create",), ("disable",))
    assert life.try_everything() >= 10
    life.wander(examples=5)


def test_the_log_of_a_replica_counts_what_it_sent(subscriber: Subscriber) -> None:
    webhook = subscriber.subscribe()
    subscriber.happen(2)
    subscriber.settled(webhook, delivered=2)
    metrics = subscriber.notify.client.get("/api/notify/metrics").text
    assert 'fenghe_webhook_attempts_total{outcome="delivered"} 2.0' in metrics
    assert "fenghe_webhook_seconds_count 2.0" in metrics
