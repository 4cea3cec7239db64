"""Everybody concerned finds a notice in the own inbox: a sentence in both languages, with place and date."""

from __future__ import annotations

import random

import pytest

from services.notify.app import service
from services.notify.models import Notice
from services.notify.rules import CONCERNS_NOBODY, NOTICES
from services.notify.sentences import SENTENCES
from shared.events import catalogue
from shared.events import matching as m
from shared.events import registry as r
from tests.notify.given import Neighbourhood, at_the_moment


@pytest.fixture
def notify(harness):
    return harness(service)


@pytest.fixture
def fenghe():
    return Neighbourhood()


def inbox(notify, role, **query):
    owner = query.pop("owner")
    answer = notify.client.get("/api/notify/inbox", params=query, headers=notify.as_(role, **owner))
    assert answer.status_code == 200, answer.text
    return answer.json()


def owners(fenghe):
    return {
        "resident": {"community": fenghe.community, "request": fenghe.request},
        "organization": {"community": fenghe.community, "organization": fenghe.organization},
        "station": {"community": fenghe.community},
    }


def test_every_fact_is_in_the_catalogue_or_concerns_nobody():
    assert set(NOTICES) | set(CONCERNS_NOBODY) == set(catalogue())
    assert not set(NOTICES) & set(CONCERNS_NOBODY)
    assert set(SENTENCES) == {(kind, recipient) for recipients, kind in NOTICES.values() for recipient in recipients}
    assert {type(fact) for fact in Neighbourhood().all()} == set(NOTICES)


def test_every_kind_is_said_in_both_languages_with_place_and_date(notify, fenghe):
    events = [notify.event(fact) for fact in [*fenghe.all(), fenghe.taxonomy()]]
    notify.deliver([at_the_moment(event) for event in events])
    assert notify.dead_letters() == []
    read = [(role, notice) for role, owner in owners(fenghe).items() for notice in inbox(notify, role, owner=owner)["items"]]
    assert sorted((notice["kind"], role) for role, notice in read) == sorted(SENTENCES)
    for _, notice in read:
        assert "11月22日" in notice["zh"], notice
        assert "22 November" in notice["en"], notice
        of_compound = notice["kind"].startswith(("request.", "referral."))
        assert ("丰和花园" if of_compound else "丰和社区") in notice["zh"], notice
        assert ("Fenghe Garden" if of_compound else "Fenghe Community") in notice["en"], notice
        assert not set("{}") & set(notice["zh"] + notice["en"])
        assert "None" not in notice["zh"] + notice["en"]
        assert notice["occurred_at"].startswith("2026-11-21T17:30")
    said = {(notice["kind"], role): notice for role, notice in read}
    assert said["request.submitted", "resident"]["zh"] == ("您11月22日在丰和花园提出的需求已经收到，我们正在为您找合适的组织。")
    matched = said["request.matched", "resident"]
    assert "春晖助老服务中心" in matched["zh"]
    assert "助餐送餐" in matched["zh"]
    assert "Chunhui" in matched["en"]
    assert matched["parameters"]["organization"] == fenghe.organization
    assert "中午送餐到家" in said["offer.published", "organization"]["zh"]
    counted = notify.client.get(f"/api/notify/communities/{fenghe.community}/figures").json()
    assert counted == {"notices": len(SENTENCES)}


def test_a_sentence_is_right_before_the_names_are_known_and_better_after(notify, fenghe):
    notify.hear(fenghe.referred(m.ReferralAccepted))
    resident = owners(fenghe)["resident"]
    (before,) = inbox(notify, "resident", owner=resident)["items"]
    assert "一家组织" in before["zh"]
    assert "an organization" in before["en"]
    assert "社区" in before["zh"]
    assert "the community" in before["en"]
    notify.hear(*fenghe.names())
    (after,) = inbox(notify, "resident", owner=resident)["items"]
    assert "春晖助老服务中心" in after["zh"]
    assert "Chunhui" in after["en"]
    assert "丰和花园" in after["zh"]
    assert before["id"] == after["id"]


def test_a_late_older_name_is_not_taken(notify, fenghe):
    newer = fenghe.registered().model_copy(update={"name_zh": "春晖新名"})
    notify.hear(r.OrganizationChanged(**newer.model_dump()), sequence=3)
    notify.hear(fenghe.applied(), sequence=1)
    (notice,) = inbox(notify, "station", owner=owners(fenghe)["station"])["items"]
    assert "春晖新名" in notice["zh"]


def test_facts_heard_twice_and_in_any_order_give_one_notice_each(notify, fenghe):
    events = [notify.event(fact) for fact in fenghe.all() + fenghe.names()] * 3
    random.Random(20261122).shuffle(events)
    notify.deliver(events)
    notices = notify.rows(Notice)
    assert sorted((notice.kind, notice.recipient_kind) for notice in notices) == sorted(
        [*SENTENCES, ("community.opened", "station")]
    )
    assert notify.dead_letters() == []


def test_an_organization_nobody_named_gets_no_notice(notify, fenghe):
    notify.hear(fenghe.requested(m.RequestClosed))
    assert notify.rows(Notice) == []


def test_an_inbox_is_its_owners_alone(notify, fenghe):
    notify.hear(*fenghe.all())
    elsewhere = Neighbourhood()
    for role, owner in owners(elsewhere).items():
        assert inbox(notify, role, owner=owner)["items"] == []
    for role, owner in owners(fenghe).items():
        items = inbox(notify, role, owner=owner)["items"]
        assert {(notice["kind"], role) for notice in items} == {key for key in SENTENCES if key[1] == role}
    assert notify.client.get("/api/notify/inbox").status_code == 401
    for role in ("expert", "operator", "system"):
        headers = notify.as_(role, community=fenghe.community)
        assert notify.client.get("/api/notify/inbox", headers=headers).status_code == 403
    for role in ("resident", "organization", "station"):
        assert notify.client.get("/api/notify/inbox", headers=notify.as_(role)).status_code == 403


def test_the_inbox_goes_on_after_the_cursor(notify, fenghe):
    notify.hear(*fenghe.all())
    station = owners(fenghe)["station"]
    whole = inbox(notify, "station", owner=station)
    first = inbox(notify, "station", owner=station, limit=3)
    rest = inbox(notify, "station", owner=station, after=first["next"])
    assert first["items"] + rest["items"] == whole["items"]
    assert (len(first["items"]), rest["next"]) == (3, None)


def test_notices_keep_ids_only(notify, fenghe):
    notify.hear(*fenghe.all())
    ids = {fenghe.community, fenghe.organization, fenghe.offer, fenghe.request, fenghe.referral, fenghe.agreement}
    ids |= {"fenghe-garden", "meal-service", "elderly"}
    assert {value for notice in notify.rows(Notice) for value in notice.parameters.values()} <= ids
