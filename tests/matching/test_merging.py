"""The same need from several residents: counted as "+1", served together, followed and rated by each over the own link."""

from __future__ import annotations

import pytest

from services.matching.models import Request
from shared.events.matching import RequestMerged, RequestServed, RequestSupported
from shared.identifiers import new_id
from tests.matching.given import LEAK, REFERRALS, REQUESTS, holder

PHONE = {"channel": "home-visit", "intake": "phone"}


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def merge(steps, request, into):
    return steps.do(request, "merging", {"into": into["id"]}, station=True)


def follow(matching, request):
    answer = matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request))
    assert answer.status_code == 200, answer.text
    return answer.json()


def take_in(matching, town, steps, **terms):
    """The station writes a request down."""
    answer = matching.client.post(REQUESTS, json=town.body(**terms), headers=steps.station)
    assert answer.status_code == 201, answer.text
    matching.drain()
    return answer.json()


@pytest.mark.parametrize("channel", ["website", "mailbox", "party-member", "questionnaire", "home-visit", "discussion"])
@pytest.mark.parametrize("intake", ["paper", "phone"])
def test_the_station_takes_in_paper_and_phone_over_every_channel(matching, town, steps, channel, intake):
    town.open_with(matching, "甲")
    refused = matching.client.post(REQUESTS, json=town.body(channel=channel, intake=intake))
    assert problem(refused) == (403, "forbidden")
    request = take_in(matching, town, steps, channel=channel, intake=intake)
    assert request["link"] in request["slip"]["zh"]
    assert request["link"] in request["slip"]["en"]
    seen = follow(matching, request)
    assert (seen["channel"], seen["intake"], seen["status"]) == (channel, intake, "matched")


def test_near_duplicates_are_offered_to_the_station(matching, town, steps):
    town.open_with(matching, "甲")
    one = town.submit(matching)
    two = take_in(matching, town, steps, text="厨房水龙头漏水，想请师傅来修一修", **PHONE)
    town.submit(matching, text="马桶堵了，谁来修")
    found = matching.client.get(f"{REQUESTS}/{two['id']}/similar", headers=steps.station)
    assert found.status_code == 200, found.text
    assert [entry["request"]["id"] for entry in found.json()] == [one["id"]]
    assert 0.5 <= found.json()[0]["similarity"] <= 1
    elsewhere = matching.as_("station", community=new_id())
    assert matching.client.get(f"{REQUESTS}/{two['id']}/similar", headers=elsewhere).status_code == 403


def test_a_merged_request_follows_the_other_to_its_end(matching, town, steps):
    town.open_with(matching, "甲")
    one, two = town.submit(matching), take_in(matching, town, steps, **PHONE)
    assert merge(steps, two, one).json()["status"] == "merged"
    assert steps.told()[-3:] == ["referral.withdrawn", "request.merged", "request.supported"]
    seen = follow(matching, two)
    assert (seen["status"], seen["merged_into"], seen["follows"]["status"]) == ("merged", one["id"], "matched")
    assert steps.seen(one["id"])["supporters"] == 2
    (told,) = matching.told(RequestSupported)
    assert (told.data.request, told.data.supporters) == (one["id"], 2)

    steps.decide(one["id"], "acceptance")
    assert follow(matching, two)["status"] == "accepted"
    referral = steps.open_referral(one["id"])
    for_organization = matching.client.get(f"{REFERRALS}/{referral.id}", headers=steps.of("甲")).json()
    assert [also["text"] for also in for_organization["also"]] == [LEAK]
    steps.decide(one["id"], "delivery")
    served = follow(matching, two)
    assert (served["status"], served["organization"]) == ("served", town.id_of("甲"))
    assert {event.data.request for event in matching.told(RequestServed)} == {one["id"], two["id"]}
    # Each goes its own way from here: one is content, the other is not.
    assert steps.do(one, "closing").json()["status"] == "closed"
    assert steps.do(two, "dispute", {"reason": "只修了他家"}).json()["status"] == "disputed"
    again = steps.do(two, "reopening", station=True).json()
    assert (again["merged_into"], again["status"]) == (None, "unmatched")
    # Who served it in vain is not asked for it again, unless the station says so.
    conflicts = f"/api/matching/communities/{town.community}/conflicts"
    (conflict,) = matching.client.get(conflicts, headers=steps.station).json()
    assert (conflict["organization"], conflict["request"]) == (town.id_of("甲"), two["id"])
    assert steps.post(f"/api/matching/conflicts/{conflict['id']}/ending", steps.station).is_success
    assert steps.asked(two["id"]) == "甲"


def test_when_the_first_is_withdrawn_the_others_go_on(matching, town, steps):
    town.open_with(matching, "甲")
    one, two, three = (town.submit(matching) for _ in range(3))
    merge(steps, two, one)
    merge(steps, three, one)
    assert steps.seen(one["id"])["supporters"] == 3
    steps.do(one, "withdrawal")
    for request in (two, three):
        assert follow(matching, request)["merged_into"] is None
    assert steps.told().count("request.released") == 2
    # They had been put before the only organization themselves, which never declined them: it is asked again.
    assert {row.status for row in matching.rows(Request)} == {"withdrawn", "matched"}
    assert steps.decide(two["id"], "acceptance").is_success


def test_a_follower_may_leave_and_a_chain_is_drawn_together(matching, town, steps):
    town.open_with(matching, "甲")
    one, two, three = (town.submit(matching) for _ in range(3))
    merge(steps, three, two)
    merge(steps, two, one)
    assert steps.seen(one["id"])["supporters"] == 3
    assert follow(matching, three)["merged_into"] == one["id"]
    assert [event.data.merged_into for event in matching.told(RequestMerged)] == [two["id"], one["id"], one["id"]]
    steps.do(three, "withdrawal")
    assert steps.seen(one["id"])["supporters"] == 2


def test_a_merged_request_is_taken_apart_again_until_the_other_is_served(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    one, two, three, far = (town.submit(matching) for _ in range(4))
    for request in (two, three):
        merge(steps, request, one)
    steps.decide(one["id"], "acceptance")
    before = steps.told()
    assert problem(steps.do(far, "separation", station=True)) == (409, "request-matched")
    assert problem(steps.do(one, "separation", station=True)) == (409, "request-not-merged")
    assert steps.post(f"{REQUESTS}/{two['id']}/separation", holder(three)).status_code == 403
    assert steps.told() == before

    # The station put together what is not the same; of two that are accepted one goes its own way.
    apart = steps.do(two, "separation", {"reason": "不是一回事"}, station=True).json()
    assert (apart["merged_into"], apart["status"], apart["supporters"]) == (None, "matched", 1)
    assert steps.told()[len(before) :] == ["request.supported", "request.released", "request.matched", "referral.made"]
    assert steps.seen(one["id"])["supporters"] == 2
    assert follow(matching, two)["remarks"][-1]["reason"] == "不是一回事"
    referral = steps.open_referral(one["id"])
    assert len(matching.client.get(f"{REFERRALS}/{referral.id}", headers=steps.station).json()["also"]) == 1
    # Its resident thinks better of it; what was served together is not taken apart any more.
    steps.decide(one["id"], "delivery")
    assert problem(steps.do(three, "separation")) == (409, "request-served")
    assert steps.decide(two["id"], "acceptance").is_success


def test_whoever_follows_into_a_project_is_counted_out_of_it_again(matching, town, desk):
    town.open_with(matching)
    one, two = town.submit(matching), town.submit(matching)
    merge(desk, two, one)
    project = desk.opened()
    assert desk.project(project)["beneficiaries"] == 2
    apart = desk.do(two, "separation").json()
    assert (apart["status"], apart["project"], apart["merged_into"]) == ("unmatched", None, None)
    assert desk.project(project)["beneficiaries"] == 1
    assert desk.told()[-3:] == ["request.supported", "request.released", "project.changed"]
    assert problem(desk.do(one, "separation", station=True)) == (409, "request-not-merged")


def test_the_words_of_whoever_withdrew_are_shown_to_no_organization_any_more(matching, town, steps):
    town.open_with(matching, "甲")
    one, two, three = town.submit(matching), town.submit(matching, text="水龙头漏了"), town.submit(matching)
    for request in (two, three):
        merge(steps, request, one)
    steps.do(two, "withdrawal")
    referral = steps.open_referral(one["id"])
    shown = matching.client.get(f"{REFERRALS}/{referral.id}", headers=steps.of("甲")).json()
    assert ([also["request"] for also in shown["also"]], shown["supporters"]) == ([three["id"]], 2)


def test_one_merged_into_an_accepted_request_is_accepted_and_falls_back_with_it(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    one, two = town.submit(matching), town.submit(matching)
    first = steps.asked(one["id"])
    steps.decide(one["id"], "acceptance")
    merge(steps, two, one)
    assert follow(matching, two)["status"] == "accepted"
    matching.hear(town.suspended(first))
    assert follow(matching, two)["status"] == "merged"
    steps.decide(one["id"], "acceptance")
    assert follow(matching, two)["status"] == "accepted"


def test_a_resident_joins_what_was_offered_as_the_same_and_nothing_else(matching, town, steps):
    town.open_with(matching)
    first = town.submit(matching, text="三楼水管漏水")
    elsewhere = town.submit(matching, text="三楼水管漏水", compound="court")
    other = town.submit(matching, text="家里有蟑螂")
    mine = town.submit(matching, text="三楼的水管又漏水了")
    (offered,) = mine["similar"]
    assert offered["id"] == first["id"]
    for into in (elsewhere["id"], other["id"], new_id()):
        answer = steps.do(mine, "merging", {"into": into})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:fenghe:problem:request-not-offered")
    path = f"{REQUESTS}/{other['id']}/merging"
    assert steps.post(path, holder(mine), {"into": first["id"]}).status_code == 403, "another's request"
    answer = steps.do(mine, "merging", {"into": first["id"]})
    assert (answer.status_code, answer.json()["status"], answer.json()["merged_into"]) == (200, "merged", first["id"])
    assert steps.seen(first["id"])["supporters"] == 2


def test_a_resident_joins_nobody_who_asks_less_of_whoever_comes(matching, town, steps):
    """Who comes for the other request comes for this one too, and keeps to its fee limit, language and time."""
    town.open_with(matching)
    moment = "2026-11-28T10:00:00+08:00"
    any_one = town.submit(matching, text="三楼水管漏水")
    strict = town.submit(matching, text="三楼的水管漏水", fee_limit="5", speaks="en", wanted_at=moment)
    assert strict["similar"] == []
    for wishes in ({"fee_limit": "4"}, {"fee_limit": "5", "speaks": "zh"}, {"wanted_at": "2026-11-29T10:00:00+08:00"}):
        picky = town.submit(matching, text="三楼水管又漏水", **wishes)
        assert picky["similar"] == [], wishes
        refused = steps.do(picky, "merging", {"into": strict["id"]})
        assert problem(refused) == (422, "request-not-offered")
        assert steps.do(picky, "withdrawal").status_code == 200
    for wishes in ({"fee_limit": "5.00"}, {"fee_limit": "9.5", "speaks": "en"}, {"wanted_at": "2026-11-28T02:00:00Z"}):
        modest = town.submit(matching, text="三楼水管又漏水", **wishes)
        assert [one["id"] for one in modest["similar"]] == [strict["id"]], wishes
        assert steps.do(modest, "merging", {"into": strict["id"]}).status_code == 200
    content = town.submit(matching, text="三楼水管又漏水")
    assert {one["id"] for one in content["similar"]} == {any_one["id"], strict["id"]}


def test_what_cannot_be_merged_is_refused_and_tells_nothing(matching, town, steps):
    town.open_with(matching, "甲")
    one, two, done = (town.submit(matching) for _ in range(3))
    for verb in ("acceptance", "delivery"):
        steps.decide(done["id"], verb)
    merge(steps, two, one)
    before = steps.told()
    assert problem(merge(steps, one, one)) == (422, "request-merged")
    assert problem(merge(steps, done, one)) == (409, "request-served")
    assert problem(merge(steps, one, done)) == (409, "request-served")
    assert problem(merge(steps, done, two)) == (422, "request-merged")
    assert problem(merge(steps, one, {"id": new_id()})) == (422, "request-unknown")
    assert problem(steps.do(one, "merging", {"into": new_id()})) == (422, "request-not-offered")
    assert steps.told() == before


def test_a_dispute_that_is_not_upheld_closes_the_request_with_a_reason(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    for verb in ("acceptance", "delivery"):
        steps.decide(request["id"], verb)
    steps.do(request, "dispute", {"reason": "没修好"})
    assert steps.do(request, "dispute-rejection", {}, station=True).status_code == 422
    assert steps.do(request, "dispute-rejection", {"reason": "试试"}).status_code == 403
    answer = steps.do(request, "dispute-rejection", {"reason": "上门看过，已经修好"}, station=True)
    assert answer.json()["status"] == "closed"
    assert steps.told()[-1] == "request.dispute-rejected"
    remarks = follow(matching, request)["remarks"]
    assert [(remark["verb"], remark["reason"]) for remark in remarks] == [
        ("dispute", "没修好"),
        ("reject", "上门看过，已经修好"),
    ]
