"""Facts arrive in any order and more than once: the same requests find the same organizations."""

from __future__ import annotations

import random

import pytest

from services.matching.models import Community, Offer, Organization, Referral, Request, Taxonomy
from shared.events.matching import RequestSubmitted, RequestUnmatched
from tests.matching.given import CATEGORIES, CHOIR, GIBBERISH, LEAK, PLUMBING


def test_a_request_waits_for_the_taxonomy(matching, town, steps):
    matching.hear(town.opened(), *town.member("甲"))
    request = town.submit(matching)
    assert steps.seen(request["id"])["status"] == "submitted"
    assert steps.told() == ["request.submitted"]
    matching.hear(town.taxonomy())
    assert steps.seen(request["id"])["status"] == "matched"
    assert steps.told() == ["request.submitted", "request.classified", "request.matched", "referral.made"]


@pytest.mark.parametrize("last", ["organization", "agreement", "offer"])
def test_whatever_is_heard_last_finds_the_request_that_waits(matching, town, steps, last):
    matching.hear(town.opened(), town.taxonomy())
    request = town.submit(matching)
    assert steps.seen(request["id"])["status"] == "unmatched"
    facts = {name: getattr(town, name)("甲") for name in ("organization", "agreement", "offer")}
    late = facts.pop(last)
    matching.hear(*facts.values())
    assert steps.seen(request["id"])["status"] == "unmatched"
    matching.hear(late)
    assert steps.asked(request["id"]) == "甲"
    assert steps.told()[2:] == ["request.unmatched", "request.matched", "referral.made"]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_ends_in_the_same_place(matching, town, steps, seed):
    facts = [town.taxonomy(), *town.member("甲"), *town.member("丙", item=CHOIR)]
    matching.hear(town.opened())
    leak, song = town.submit(matching), town.submit(matching, text="想加入合唱团")
    random.Random(seed).shuffle(facts)
    for fact in facts:
        matching.hear(fact)
    assert (steps.asked(leak["id"]), steps.asked(song["id"])) == ("甲", "丙")
    assert matching.dead_letters() == []


def test_the_same_fact_told_twice_changes_nothing(matching, town, steps):
    town.open_with(matching, "甲")
    town.submit(matching)
    events = [matching.event(fact) for fact in (town.taxonomy(), *town.member("甲"))]
    matching.deliver(events)
    told = {event.id for event in matching.told()}
    before = (matching.rows(Request), matching.rows(Referral), matching.rows(Offer))
    matching.deliver(events * 3)
    matching.deliver(matching.told(RequestSubmitted) * 2)
    assert (matching.rows(Request), matching.rows(Referral), matching.rows(Offer)) == before
    assert {event.id for event in matching.told()} == told


def test_a_late_older_fact_changes_nothing(matching, town):
    matching.hear(town.offer_withdrawn("甲"), sequence=3)
    matching.hear(town.offer("甲"), sequence=2)
    matching.hear(town.taxonomy(version=2), sequence=2)
    matching.hear(town.taxonomy(version=1), sequence=1)
    matching.hear(town.organization("新名"), sequence=2)
    assert [offer.status for offer in matching.rows(Offer)] == ["withdrawn"]
    assert [taxonomy.version for taxonomy in matching.rows(Taxonomy)] == [2]
    assert len(matching.rows(Organization)) == 1
    assert matching.rows(Community) == []


def test_a_new_taxonomy_leaves_what_was_read_as_it_is(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    before = steps.seen(request["id"])
    matching.hear(town.taxonomy(version=2, categories=CATEGORIES[1:]))
    assert steps.seen(request["id"]) == before
    later = steps.seen(town.submit(matching, text="想加入合唱团唱歌")["id"])
    assert (later["classifier"], later["item"]) == ("ridge-words-v4/tiny/2", CHOIR)
    # An item that has no name any more is still served.
    steps.decide(request["id"], "decline")
    matching.hear(*town.member("乙"))
    assert steps.seen(request["id"])["candidates"][0]["reasons"][0]["zh"] == f"服务项目正好对口：{PLUMBING}"


def test_what_is_not_understood_is_unmatched_without_an_item(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching, text=GIBBERISH)
    view = steps.seen(request["id"])
    assert (view["status"], view["item"], view["category"], view["confidence"]) == ("unmatched", None, None, 0)
    assert steps.told() == ["request.submitted", "request.classified", "request.unmatched"]
    matching.hear(town.offer("甲", title_zh="新标题"), town.agreement("甲"), town.taxonomy(version=2))
    assert steps.seen(request["id"])["status"] == "unmatched"
    assert len(matching.told(RequestUnmatched)) == 1


def test_a_batch_of_two_communities_is_handled_at_once(matching, town, steps):
    other = type(town)()
    matching.hear(town.opened(), other.opened(), *town.member("甲"), *other.member("乙"))
    requests = [each.submit(matching, text=text) for each in (town, other) for text in (LEAK, "马桶堵了")]
    matching.hear(town.taxonomy(), other.taxonomy())
    asked = {row.request: row.organization for row in matching.rows(Referral)}
    assert [asked[request["id"]] for request in requests] == [town.id_of("甲")] * 2 + [other.id_of("乙")] * 2


def test_a_withdrawn_request_is_not_matched_any_more(matching, town, steps):
    matching.hear(town.opened())
    request = town.submit(matching)
    steps.do(request, "withdrawal")
    matching.hear(town.taxonomy(), *town.member("甲"))
    assert steps.told() == ["request.submitted", "request.withdrawn"]
    assert matching.rows(Referral) == []
