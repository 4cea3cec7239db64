"""Public facts are told again on the feed: unchanged, once, and no others."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete

from services.notify.app import service
from services.notify.models import FeedFact, Notice
from shared.events.feedback import EvaluationRecorded
from shared.identifiers import new_id
from shared.messaging import entries, tables
from tests.notify.given import MOMENT, Neighbourhood


@pytest.fixture
def notify(harness):
    return harness(service)


def feed_entries(notify):
    return [entries.read(fields) for _, fields in notify.redis.xrange("fenghe:feed")]


def evaluation(community):
    return EvaluationRecorded(
        community=community,
        evaluation=new_id(),
        party="resident",
        organization=new_id(),
        offer=None,
        item=None,
        score=75,
        season="2026-Q4",
        recorded_at=MOMENT,
    )


def test_the_feed_has_the_public_facts_once_and_unchanged(notify):
    fenghe = Neighbourhood()
    told = [notify.event(fact) for fact in [*fenghe.all(), fenghe.taxonomy(), evaluation(fenghe.community)]]
    notify.deliver(told * 2)
    notify.drain()
    public = {event.id: event for event in told if event.data.public}
    assert 0 < len(public) < len(told)
    retold = feed_entries(notify)
    assert sorted(event.id for event in retold) == sorted(public)
    for event in retold:
        original = public[event.id]
        for attribute in ("source", "type", "subject", "time", "community", "sequence", "data"):
            assert getattr(event, attribute) == getattr(original, attribute)
    assert sorted(row.fact for row in notify.rows(FeedFact)) == sorted(public)
    assert notify.redis.xlen("fenghe:notify") == 2 * sum(event.source == "/fenghe/notify" for event in told)


def test_what_is_republished_when_the_inbox_has_forgotten_it_changes_nothing(notify):
    told = notify.hear(*Neighbourhood().all())
    feed, notices = feed_entries(notify), notify.rows(Notice)
    assert feed
    assert notices
    notify.host.database.transact(lambda session: session.execute(delete(tables.inbox)))
    late = notify.event(Neighbourhood().opened())
    notify.deliver([*told, late])
    assert notify.dead_letters() == []
    assert feed_entries(notify)[: len(feed)] == feed
    assert [event.id for event in feed_entries(notify)[len(feed) :]] == [late.id]
    assert sum(notice.fact != late.id for notice in notify.rows(Notice)) == len(notices)


def test_the_feed_is_read_by_anyone_page_by_page(notify):
    fenghe, elsewhere = Neighbourhood(), Neighbourhood()
    told = notify.hear(fenghe.opened(), fenghe.taxonomy(), fenghe.registered(), elsewhere.opened())

    def read(**query):
        answer = notify.client.get("/api/notify/events", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert {item["id"] for item in read()["items"]} == {event.id for event in told}
    ours = read(community=fenghe.community)["items"]
    assert {item["type"] for item in ours} == {
        "fenghe.community.opened.v1",
        "fenghe.taxonomy.published.v1",
        "fenghe.org.registered.v1",
    }
    opened = read(type="fenghe.community.opened.v1")["items"]
    assert {item["community"] for item in opened} == {fenghe.community, elsewhere.community}
    first = read(limit=3)
    second = read(limit=3, after=first["next"])
    assert len({item["id"] for item in first["items"] + second["items"]}) == 4
    assert read(limit=3, after=second["next"]) == {"items": [], "next": second["next"]}
    notify.hear(elsewhere.registered())
    assert [item["type"] for item in read(after=second["next"])["items"]] == ["fenghe.org.registered.v1"]

    item = next(item for item in opened if item["community"] == fenghe.community)
    assert (item["specversion"], item["sequence"], item["source"]) == ("1.0", "0000000001", "/fenghe/registry")
    assert item["data"]["name_zh"] == "丰和社区"


def test_what_this_version_does_not_know_is_passed_on(notify):
    """A newer teller's additional field reaches the feed."""
    event = notify.event(Neighbourhood().registered())
    body = event.data.model_dump_json()[:-1] + ',"motto":"one more thing"}'
    fields = entries.fields_of({**event.as_json(), "sequence": event.sequence, "data": body})
    notify.redis.xadd("fenghe:registry", fields)
    notify.drain()
    (retold,) = feed_entries(notify)
    assert "one more thing" in retold.body
    assert notify.client.get("/api/notify/events").json()["items"][0]["data"]["motto"] == "one more thing"


def test_a_fact_stands_for_its_own_place_in_the_list_and_in_the_stream(notify):
    """Who read the facts elsewhere goes on here after the last one, without a gap and without a repetition."""
    fenghe = Neighbourhood()
    notify.hear(fenghe.opened(), fenghe.taxonomy(), fenghe.registered(), fenghe.offered())
    order = [event.id for event in feed_entries(notify)]
    for place, fact in enumerate(order):
        items = notify.client.get("/api/notify/events", params={"after": fact}).json()["items"]
        assert [item["id"] for item in items] == order[place + 1 :]
        asked = {"headers": {"Last-Event-ID": fact}, "params": {"follow": "false"}}
        streamed = notify.client.get("/api/notify/events/stream", **asked).text
        assert [json.loads(line[6:])["id"] for line in streamed.splitlines() if line.startswith("data: ")] == order[place + 1 :]


@pytest.mark.parametrize("after", ["01a214cf-2622-770c-ac4b-b940572eee77", "yesterday", "MTI", "!", ""])
def test_what_is_no_place_in_the_feed_is_said_to_be_none(notify, after):
    answers = {
        "after": notify.client.get("/api/notify/events", params={"after": after}),
        "Last-Event-ID": notify.client.get("/api/notify/events/stream", headers={"Last-Event-ID": after or "!"}),
    }
    for field, answer in answers.items():
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field
