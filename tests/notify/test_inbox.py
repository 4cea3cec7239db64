"""Everybody concerned finds a notice in the own inbox: a sentence in both languages, with place and date."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from deploy.services import NAMES
from services.notify import queries
from services.notify.app import service
from services.notify.models import Notice
from services.notify.rules import (
    AGAIN,
    CALLED_OFF,
    CANNOT_CARRY,
    CONCERNS_NOBODY,
    NOT_UNDERSTOOD,
    NOTHING_FITS,
    NOTICES,
    UNSERVED,
    URGENT,
    WITH_GUARANTOR,
)
from services.notify.sentences import SENTENCES, STEPS, Names, Text, render
from services.registry.rules import GATES
from shared.events import catalogue
from shared.events import matching as m
from shared.events import registry as r
from tests.feedback.given import organization_registered
from tests.notify.given import MOMENT, Neighbourhood, at_the_moment

# What is said of one of each fact, with everything known.
OTHERWISE = {(kind, role) for kind in (NOT_UNDERSTOOD, *URGENT.values()) for role in ("resident", "station")}
OTHERWISE |= {(kind, role) for kind in (CANNOT_CARRY, WITH_GUARANTOR) for role in ("organization", "station")}
OTHERWISE |= {(CALLED_OFF, "organization")}
OTHERWISE |= {(kind, "resident") for kind in (*AGAIN.values(), NOTHING_FITS, UNSERVED)}
SAID = set(SENTENCES) - OTHERWISE
NAMED = {"organization", "name_zh", "name_en"}


@pytest.fixture
def notify(harness):
    return harness(service)


@pytest.fixture(autouse=True)
def _the_year_of_the_moment(monkeypatch):
    monkeypatch.setattr(queries, "clocks", SimpleNamespace(now=lambda session, community: MOMENT))


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
    assert set(NOTICES) | set(CONCERNS_NOBODY) == {fact for fact in catalogue() if fact.teller in NAMES}
    assert not set(NOTICES) & set(CONCERNS_NOBODY)
    said = {(kind, recipient) for recipients, kind in NOTICES.values() for recipient in recipients}
    assert said == SAID
    assert set(SENTENCES) - said == OTHERWISE
    assert {type(fact) for fact in Neighbourhood().all()} == set(NOTICES)


def test_every_kind_is_said_in_both_languages_with_place_and_date(notify, fenghe):
    events = [notify.event(fact) for fact in [*fenghe.all(), fenghe.taxonomy()]]
    notify.deliver([at_the_moment(event) for event in events])
    assert notify.dead_letters() == []
    read = [(role, notice) for role, owner in owners(fenghe).items() for notice in inbox(notify, role, owner=owner)["items"]]
    assert sorted((notice["kind"], role) for role, notice in read) == sorted(SAID)
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
    assert counted == {"notices": len(SAID)}


def test_a_sentence_is_right_before_the_names_are_known_and_better_after(notify, fenghe):
    notify.hear(fenghe.served_by(m.RequestAccepted))
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


def test_a_request_that_went_to_the_next_names_who_is_asked_now(notify, fenghe):
    notify.hear(*fenghe.names())
    other = fenghe.registered().model_copy(update={"organization": "another", "name_zh": "睦邻社", "name_en": "Mulin"})
    notify.hear(r.OrganizationChanged(**other.model_dump()))
    # Found first was 春晖, which had accepted it and may serve no longer.
    notify.hear(fenghe.requested(m.RequestMatched, organization="another"))
    (notice,) = inbox(notify, "resident", owner=owners(fenghe)["resident"])["items"]
    assert "睦邻社" in notice["zh"] and "春晖" not in notice["zh"]
    assert "Mulin" in notice["en"]


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
        [*SAID, ("community.opened", "station")]
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
        assert {(notice["kind"], role) for notice in items} == {key for key in SAID if key[1] == role}
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
    assert len(first["items"]) == 3
    # The end of the list has a cursor too: with it only what is new is read.
    assert rest["next"] == whole["next"] is not None
    assert inbox(notify, "station", owner=station, after=rest["next"]) == {"items": [], "next": rest["next"]}
    notify.hear(fenghe.requested(m.RequestSubmitted, item=None))
    new = inbox(notify, "station", owner=station, after=rest["next"])
    assert [notice["kind"] for notice in new["items"]] == ["request.submitted"]
    assert inbox(notify, "station", owner={"community": "nobody-heard-of-it"}) == {"items": [], "next": None}


@pytest.mark.parametrize("cursor", ["MDE5OWEwMDAtMDAwMA==", "LTE=", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "2Lc=", "?"])
def test_what_is_no_cursor_is_refused(notify, fenghe, cursor):
    answer = notify.client.get(
        "/api/notify/inbox", params={"after": cursor}, headers=notify.as_("station", community=fenghe.community)
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "after")


def test_what_was_not_understood_is_said_so(notify, fenghe):
    notify.deliver([at_the_moment(notify.event(fact)) for fact in fenghe.names()])
    unmatched = fenghe.requested(m.RequestUnmatched, item=None, category=None)
    notify.deliver([at_the_moment(notify.event(unmatched))])
    (resident,) = inbox(notify, "resident", owner=owners(fenghe)["resident"])["items"]
    assert resident["kind"] == "request.unmatched"
    assert resident["zh"] == "您11月22日在丰和花园提出的需求，我们还没看明白，已请服务站的同事来看。"
    assert resident["en"] == (
        "We have not understood the request you made in Fenghe Garden on 22 November yet; we have asked a colleague at the "
        "service station to read it."
    )
    station = inbox(notify, "station", owner=owners(fenghe)["station"])["items"][-1]
    assert station["zh"] == "11月22日，丰和花园有一项需求没能自动归类，请查看原文并为它选一个服务项目。"
    assert "choose a service item" in station["en"]


def test_a_cry_for_help_is_said_so_and_read_first(notify, fenghe):
    notify.deliver([at_the_moment(notify.event(fact)) for fact in fenghe.names()])
    urgent = {"item": None, "category": None, "urgency": "urgent"}
    notify.deliver(
        [at_the_moment(notify.event(fenghe.requested(fact, **urgent))) for fact in (m.RequestSubmitted, m.RequestUnmatched)]
    )
    for notice in inbox(notify, "resident", owner=owners(fenghe)["resident"])["items"]:
        assert "120、119或110" in notice["zh"] and "call 120, 119 or 110 first" in notice["en"]
    for notice in inbox(notify, "station", owner=owners(fenghe)["station"])["items"][-2:]:
        assert "紧急需求" in notice["zh"] and "马上查看原文" in notice["zh"]
        assert "urgent request" in notice["en"]


def test_the_year_is_said_when_it_is_not_the_current_one(notify, fenghe, monkeypatch):
    notify.deliver([at_the_moment(notify.event(fenghe.requested(m.RequestSubmitted, item=None)))])
    resident = owners(fenghe)["resident"]

    def said_at(now):
        monkeypatch.setattr(queries, "clocks", SimpleNamespace(now=lambda session, community: now))
        (notice,) = inbox(notify, "resident", owner=resident)["items"]
        return notice

    # In Changchun the new year begins eight hours before it does in UTC.
    assert "您11月22日在" in said_at(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))["zh"]
    later = said_at(datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert "您2026年11月22日在" in later["zh"]
    assert "on 22 November 2026," in later["en"]


def test_notices_keep_ids_only(notify, fenghe):
    notify.hear(*fenghe.all())
    ids = {fenghe.community, fenghe.organization, fenghe.offer, fenghe.request, fenghe.referral, fenghe.agreement}
    ids |= {"fenghe-garden", "meal-service", "elderly"}
    ids |= {"left"} | set(STEPS)  # and words of the catalogue: why a claim was withdrawn, a step of the incubation
    ids |= {fenghe.project, fenghe.meeting, fenghe.question, fenghe.objection, fenghe.webhook, fenghe.group}
    assert {value for notice in notify.rows(Notice) for value in notice.parameters.values()} <= ids


def test_a_claim_withdrawn_says_whose_and_whether_the_organization_did_it_itself(notify, fenghe):
    def told(because):
        return fenghe.project_told(
            m.ProjectClaimWithdrawn, withdrawn=m.ClaimWithdrawal(organization=fenghe.organization, because=because)
        )

    former = fenghe.project_told(m.ProjectClaimWithdrawn)
    facts = [*fenghe.names(), former, told("by-the-organization"), told("left")]
    notify.deliver([at_the_moment(notify.event(fact)) for fact in facts])
    read = {role: inbox(notify, role, owner=owners(fenghe)[role])["items"] for role in ("station", "organization")}
    station = [notice["zh"] for notice in read["station"] if notice["kind"] == "project.claim-withdrawn"]
    assert ["一家组织撤回了" in station[0], "撤回了" in station[1], "已不能承接" in station[2]] == [True] * 3
    assert "一家组织" not in station[1] + station[2], "the organization is named"
    (own,) = [notice for notice in read["organization"] if notice["kind"] == "project.claim-withdrawn"]
    assert "目前不能承接" in own["zh"]
    assert "may not carry it" in own["en"]


def test_whoever_claimed_at_a_meeting_that_was_called_off_is_told_and_the_station_is_not(notify, fenghe):
    called_off = fenghe.project_told(m.ProjectClaimWithdrawn, called_off=fenghe.organization)
    notify.deliver([at_the_moment(notify.event(fact)) for fact in (*fenghe.names(), called_off)])
    assert [notice.recipient_kind for notice in notify.rows(Notice) if notice.kind == "project.claim-withdrawn"] == [
        "organization"
    ]
    (own,) = inbox(notify, "organization", owner=owners(fenghe)["organization"])["items"]
    assert "认领大会取消了" in own["zh"] and "独居老人助餐" in own["zh"]
    assert "called off" in own["en"]


def test_a_resident_is_told_of_a_closing_that_was_the_stations_and_whether_it_had_been_served(notify, fenghe):
    closed = fenghe.served_by(m.RequestClosed, closed_by="resident")
    by_station = fenghe.served_by(m.RequestClosed, closed_by="station")
    unserved = fenghe.requested(m.RequestClosed, closed_by="station")
    notify.deliver([at_the_moment(notify.event(fact)) for fact in (*fenghe.names(), closed, by_station, unserved)])
    told = inbox(notify, "resident", owner=owners(fenghe)["resident"])["items"]
    assert [one["kind"] for one in told] == ["request.closed"] * 2
    assert "评分" in told[0]["zh"] and "rate it" in told[0]["en"]
    assert "评分" not in told[1]["zh"] and "why nothing could be" in told[1]["en"]
    own = inbox(notify, "organization", owner=owners(fenghe)["organization"])["items"]
    assert [one["kind"] for one in own].count("request.closed") == 2


def test_what_the_station_itself_read_is_not_said_to_wait_for_its_reading(notify, fenghe):
    read = fenghe.requested(m.RequestUnmatched, item=None, category=None, classifier="station")
    notify.deliver([at_the_moment(notify.event(fact)) for fact in (*fenghe.names(), read)])
    (told,) = inbox(notify, "resident", owner=owners(fenghe)["resident"])["items"]
    assert "服务站看过了" in told["zh"] and "None" not in told["en"]
    assert not [one for one in notify.rows(Notice) if one.kind == "request.unmatched" and one.recipient_kind == "station"]


def test_a_notice_of_an_incubation_names_the_step_as_registry_does(notify, fenghe):
    assert {step: (text.zh, text.en) for step, text in STEPS.items()} == {step: names for step, (names, _) in GATES.items()}
    moved = [
        fact.model_copy(update={"incubation": f"{type(fact).__name__} {step}", "step": step})
        for fact in fenghe.joining()
        if isinstance(fact, r.IncubationAdvanced | r.IncubationReturned)
        for step in STEPS
    ]
    notify.deliver([at_the_moment(notify.event(fact)) for fact in (*fenghe.names(), *moved)])
    read = inbox(notify, "organization", owner=owners(fenghe)["organization"])["items"]
    told = [notice for notice in read if notice["kind"].startswith("incubation.")]
    assert len(told) == 2 * len(STEPS)
    for notice in told:
        text = STEPS[notice["parameters"]["step"]]
        assert f"“{text.zh}”这一步" in notice["zh"]
        assert f"the step “{text.en}”" in notice["en"]


def test_a_notice_of_an_incubation_from_before_steps_were_kept_is_right():
    names = Names(place=Text("丰和社区", "Fenghe Community"), organization=Text("棋友会", "Chess Friends"))
    advanced = render("incubation.advanced", "organization", MOMENT, MOMENT, names)
    assert advanced.zh == "11月22日，棋友会在丰和社区的孵化进入了另一步，辛苦了！"
    assert "went back to another step; please" in render("incubation.returned", "organization", MOMENT, MOMENT, names).en


def test_the_station_is_told_of_whoever_loses_its_guarantor(notify, fenghe):
    guarantor = "guarantor of both"
    others = [
        organization_registered(fenghe.community, id).model_copy(update={"name_zh": zh, "name_en": en})
        for id, zh, en in ((guarantor, "睦邻社", "Mulin"), (fenghe.group, "银发队", "Silver Team"))
    ]
    ended = fenghe.agreed(r.AgreementEnded).model_copy(
        update={"provisional": True, "guarantor": guarantor, "ended_because": "terminated"}
    )
    by_station = ended.model_copy(update={"agreement": "ended by the station itself"})
    with_guarantor = ended.model_copy(update={"agreement": "ended with it", "with_guarantor": True})
    (suspended,) = [fact for fact in fenghe.joining() if isinstance(fact, r.OrganizationSuspended)]
    both = (fenghe.organization, fenghe.group, "nobody has told its name yet")
    suspended = suspended.model_copy(update=others[0].model_dump(include=NAMED) | {"answers_for": both})
    for_nobody = suspended.model_copy(update=others[1].model_dump(include=NAMED) | {"answers_for": ()})
    facts = (*fenghe.names(), *others, by_station, with_guarantor, suspended, for_nobody)
    notify.deliver([at_the_moment(notify.event(fact)) for fact in facts])

    told = inbox(notify, "station", owner=owners(fenghe)["station"])["items"]
    told = [notice for notice in told if notice["kind"] in ("agreement.ended", "org.suspended")]
    assert [notice["kind"] for notice in told] == ["agreement.ended", "org.suspended"]
    assert "睦邻社在丰和社区已没有有效的服务协议，不能再为春晖助老服务中心担保" in told[0]["zh"]
    assert "Mulin had no agreement in force in Fenghe Community any more and can no longer answer for Chunhui" in told[0]["en"]
    assert "它还是春晖助老服务中心、银发队、其他团队临时协议的担保组织" in told[1]["zh"]
    assert "It is the guarantor of Chunhui, Silver Team, others, whose" in told[1]["en"]
    own = inbox(notify, "organization", owner=owners(fenghe)["organization"])["items"]
    ended = [notice["zh"] for notice in own if notice["kind"] == "agreement.ended"]
    assert ["另找担保组织" in zh for zh in ended] == [False, True]
