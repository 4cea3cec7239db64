"""No referral is dropped: whoever does not answer, or may not serve any more, is passed over for the next; hubs hand on."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.matching.models import Referral, Request
from services.matching.rules import TIME_TO_ANSWER
from shared.events.matching import ReferralExpired, ReferralMade
from shared.messaging.tables import timers
from tests.matching.given import LEAK, PLUMBING, REFERRALS, REQUESTS, holder


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_an_overdue_referral_goes_to_the_next_candidate(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    request = town.submit(matching)
    first = steps.open_referral(request["id"])
    assert first.due_at - first.made_at == TIME_TO_ANSWER["routine"]
    matching.hear(town.clock_moved(TIME_TO_ANSWER["routine"] + timedelta(hours=1)))
    second = steps.open_referral(request["id"])
    assert second.organization != first.organization
    assert steps.told()[4:] == ["referral.expired", "referral.made"]
    (told,) = matching.told(ReferralExpired)
    assert (told.data.status, told.data.due_at) == ("expired", first.due_at)
    answer = steps.post(f"{REFERRALS}/{first.id}/acceptance", steps.of(town.name_of(first.organization)))
    assert problem(answer) == (409, "referral-expired")
    # Nobody else is left, and nobody is asked twice.
    matching.hear(town.clock_moved(2 * TIME_TO_ANSWER["routine"] + timedelta(hours=2)))
    assert steps.seen(request["id"])["status"] == "unmatched"
    assert [step["status"] for step in steps.seen(request["id"])["trail"]] == ["expired", "expired"]
    figures = matching.client.get(f"/api/matching/communities/{town.community}/figures").json()
    assert figures["overdue"] == 2


def test_what_is_answered_in_time_does_not_expire(matching, town, steps):
    town.open_with(matching, "甲")
    accepted, declined, withdrawn = (town.submit(matching) for _ in range(3))
    steps.decide(accepted["id"], "acceptance")
    steps.decide(declined["id"], "decline")
    steps.do(withdrawn, "withdrawal")
    with matching.session() as session:
        assert session.execute(timers.select()).all() == []
    matching.hear(town.clock_moved(TIME_TO_ANSWER["routine"] * 2))
    assert steps.told().count("referral.expired") == 0
    assert steps.decide(accepted["id"], "delivery").status_code == 200


def test_when_an_organization_is_suspended_what_it_accepted_is_handed_on_too(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    request = town.submit(matching)
    first = steps.asked(request["id"])
    steps.decide(request["id"], "acceptance")
    matching.hear(town.suspended(first))
    assert {first, steps.asked(request["id"])} == {"甲", "乙"}
    assert steps.seen(request["id"])["status"] == "matched"
    assert steps.told()[-3:] == ["referral.handed-on", "referral.made", "request.matched"]
    made = matching.told(ReferralMade)[-1].data
    assert made.handed_on_from == matching.rows(Referral)[0].id
    assert made.hub is None
    assert steps.decide(request["id"], "acceptance").status_code == 200
    matching.hear(town.suspended(steps.asked(request["id"])))
    assert steps.seen(request["id"])["status"] == "unmatched"
    assert steps.told()[-2:] == ["referral.handed-on", "request.unmatched"]


def test_whoever_is_asked_again_reads_the_words_again(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    matching.hear(town.suspended("甲"))
    path = f"{REQUESTS}/{request['id']}"
    assert matching.client.get(path, headers=steps.of("甲")).json()["text"] is None
    matching.hear(town.organization("甲"))
    assert steps.asked(request["id"]) == "甲"
    assert matching.client.get(path, headers=steps.of("甲")).json()["text"] == LEAK


@pytest.mark.parametrize("gone", ["agreement ended", "agreement over", "agreement of another item"])
def test_when_its_agreement_ends_what_an_organization_accepted_is_handed_on_too(matching, town, steps, gone):
    town.open_with(matching, "甲", "乙")
    request, other = town.submit(matching), town.submit(matching, text="马桶堵了，谁来修")
    assert steps.do(other, "merging", {"into": request["id"]}, station=True).status_code == 200
    first = steps.asked(request["id"])
    steps.decide(request["id"], "acceptance")
    matching.hear(
        {
            "agreement ended": town.agreement_ended(first),
            "agreement over": town.agreement(first, ends_on=date(2020, 12, 31)),
            "agreement of another item": town.agreement(first, "choir-music"),
        }[gone]
    )
    assert {first, steps.asked(request["id"])} == {"甲", "乙"}
    assert steps.seen(request["id"])["status"] == "matched"
    trail = steps.seen(request["id"])["trail"]
    assert [step["status"] for step in trail] == ["handed-on", "made"]
    assert steps.seen(other["id"])["status"] == "merged"
    refused = steps.post(f"{REFERRALS}/{trail[0]['referral']}/delivery", steps.of(first))
    assert problem(refused) == (409, "referral-handed-on")
    for verb in ("acceptance", "delivery"):
        assert steps.decide(request["id"], verb).status_code == 200
    assert {steps.seen(one["id"])["status"] for one in (request, other)} == {"served"}


def hub_with_members(matching, town, *members):
    """A hub that is asked first, for it alone is on the menu, and members with agreements."""
    matching.hear(town.opened(), town.taxonomy())
    hub = town.organization("抢修总队", hub=True)
    matching.hear(hub, town.agreement("抢修总队"), town.offer("抢修总队"))
    for member in members:
        matching.hear(town.organization(member, parents=(town.id_of("抢修总队"),)), town.agreement(member))


def test_a_hub_hands_a_request_on_to_a_member_with_the_trail(matching, town, steps):
    hub_with_members(matching, town, "一分队", "二分队")
    matching.hear(town.organization("外人"), town.agreement("外人"))
    # A member without an agreement for it is not among those to hand it on to.
    matching.hear(town.organization("三分队", parents=(town.id_of("抢修总队"),)))
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    hub = steps.of("抢修总队")
    members = matching.client.get(f"{REFERRALS}/{referral.id}/members", headers=hub).json()
    assert [member["name_zh"] for member in members] == ["一分队", "二分队"]

    path = f"{REFERRALS}/{referral.id}/handing-on"
    assert problem(steps.post(path, hub, {"member": town.id_of("外人")})) == (422, "member-unknown")
    assert problem(steps.post(path, steps.of("一分队"), {"member": town.id_of("一分队")})) == (403, "forbidden")
    answer = steps.post(path, hub, {"member": town.id_of("一分队")})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["hub"], answer.json()["handed_on_from"]) == (town.id_of("抢修总队"), referral.id)
    assert steps.asked(request["id"]) == "一分队"
    assert steps.told()[4:] == ["referral.handed-on", "referral.made"]
    assert problem(steps.post(path, hub, {"member": town.id_of("二分队")})) == (409, "referral-handed-on")

    seen = matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request)).json()
    assert [(step["organization_name_zh"], step["status"], step["hub"]) for step in seen["trail"]] == [
        ("抢修总队", "handed-on", None),
        ("一分队", "made", town.id_of("抢修总队")),
    ]
    # The member does it like any other; the hub, which is out of it, does not read the words any more.
    assert steps.decide(request["id"], "acceptance").status_code == 200
    assert matching.client.get(f"{REQUESTS}/{request['id']}", headers=hub).json()["text"] is None
    assert steps.decide(request["id"], "delivery").status_code == 200
    (row,) = matching.rows(Request)
    assert (row.status, row.organization) == ("served", town.id_of("一分队"))


def test_a_member_that_declines_passes_it_back_to_no_one_who_had_it(matching, town, steps):
    hub_with_members(matching, town, "一分队")
    town_wide = town.member("乙")
    matching.hear(*town_wide)
    request = town.submit(matching)
    while steps.asked(request["id"]) != "抢修总队":
        steps.decide(request["id"], "decline")
    referral = steps.open_referral(request["id"])
    steps.post(f"{REFERRALS}/{referral.id}/handing-on", steps.of("抢修总队"), {"member": town.id_of("一分队")})
    steps.decide(request["id"], "decline")
    view = steps.seen(request["id"])
    assert view["status"] == "unmatched" or steps.asked(request["id"]) == "乙"
    asked = [step["organization_name_zh"] for step in view["trail"]]
    assert len(asked) == len(set(asked))


def test_only_hubs_hand_on_and_only_to_members_that_may_serve(matching, town, steps):
    hub_with_members(matching, town, "一分队")
    matching.hear(town.agreement_ended("一分队"))
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    path = f"{REFERRALS}/{referral.id}/handing-on"
    before = steps.told()
    assert problem(steps.post(path, steps.of("抢修总队"), {"member": town.id_of("一分队")})) == (409, "member-cannot-serve")
    matching.hear(town.organization("抢修总队", hub=False))
    assert problem(steps.post(path, steps.of("抢修总队"), {"member": town.id_of("一分队")})) == (409, "not-a-hub")
    assert steps.told() == before
    assert steps.open_referral(request["id"]).item == PLUMBING


@pytest.mark.parametrize("about", [{"compound": "garden"}, {"item": PLUMBING}, {"request": True}])
def test_a_hub_hands_nothing_on_to_a_member_with_a_recorded_conflict(matching, town, steps, about):
    hub_with_members(matching, town, "一分队", "二分队")
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    hub = steps.of("抢修总队")
    terms = {"organization": town.id_of("一分队"), "reason": "队长住在这个小区"} | about
    if about.get("request"):
        terms["request"] = request["id"]
    recorded = steps.post(f"/api/matching/communities/{town.community}/conflicts", steps.station, terms)
    assert recorded.status_code == 201, recorded.text
    members = matching.client.get(f"{REFERRALS}/{referral.id}/members", headers=hub).json()
    assert [member["name_zh"] for member in members] == ["二分队"]
    path = f"{REFERRALS}/{referral.id}/handing-on"
    answer = steps.post(path, hub, {"member": town.id_of("一分队")})
    assert problem(answer) == (409, "member-cannot-serve")
    assert "conflict of interests" in answer.json()["detail"]
    assert steps.post(f"/api/matching/conflicts/{recorded.json()['id']}/ending", steps.station).status_code == 200
    assert steps.post(path, hub, {"member": town.id_of("一分队")}).status_code == 200


def test_a_member_serves_with_its_own_offer_however_many_stand_before_it(matching, town, steps, monkeypatch):
    monkeypatch.setattr("services.matching.queries.ranking.SHORTLIST", 1)
    hub_with_members(matching, town, "一分队")
    matching.hear(town.offer("一分队", fee_mode="paid", price="60.00"))
    request = town.submit(matching)
    assert steps.asked(request["id"]) == "抢修总队"
    matching.hear(*town.member("外人"), town.satisfaction("外人", 99, 4.9, 30))
    referral = steps.open_referral(request["id"])
    handed_on = steps.post(f"{REFERRALS}/{referral.id}/handing-on", steps.of("抢修总队"), {"member": town.id_of("一分队")})
    assert handed_on.json()["offer"] == town.id_of("offer of 一分队")
