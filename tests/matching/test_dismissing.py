"""What goes to no organization comes to an end all the same: the station says why, and whoever asked reads it."""

from __future__ import annotations

import pytest

from services.matching.models import Request
from shared.events.matching import RequestClosed
from tests.matching.given import GIBBERISH, LEAK, REQUESTS, holder

REASON = {"reason": "站里已电话联系，帮着拨打了供热热线"}


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize("text", [LEAK, GIBBERISH, "楼下有人晕倒了，快来"])
def test_what_stands_unmatched_is_closed_with_a_reason_that_its_resident_reads(matching, town, steps, text):
    town.open_with(matching)
    request = town.submit(matching, text=text)
    before = steps.told()
    assert problem(steps.do(request, "dismissal", {}, station=True)) == (422, "invalid")
    assert problem(steps.do(request, "dismissal", REASON)) == (403, "forbidden")
    elsewhere = matching.as_("station", community="another")
    assert steps.post(f"{REQUESTS}/{request['id']}/dismissal", elsewhere, REASON).status_code == 403
    assert steps.told() == before
    answer = steps.do(request, "dismissal", REASON, station=True)
    assert answer.is_success, answer.text
    dismissed = answer.json()
    assert (dismissed["status"], dismissed["served_at"], dismissed["unserved"]) == ("closed", None, None)
    seen = matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request)).json()
    assert [(one["verb"], one["role"], one["reason"]) for one in seen["remarks"]] == [("dismiss", "station", REASON["reason"])]
    assert (seen["emergency"] is None) or seen["emergency"]["attended_at"]
    (told,) = matching.told(RequestClosed)
    assert (told.data.closed_by, told.data.organization) == ("station", None)
    assert steps.told() == [*before, "request.closed"]
    # It is looked at no more when somebody can serve it.
    matching.hear(*town.member("甲"))
    assert steps.seen(request["id"])["status"] == "closed"


def test_those_that_follow_it_are_closed_with_it_for_the_same_reason(matching, town, steps):
    town.open_with(matching)
    one, two = town.submit(matching), town.submit(matching)
    assert steps.do(two, "merging", {"into": one["id"]}, station=True).is_success
    assert problem(steps.do(two, "dismissal", REASON, station=True)) == (409, "request-merged")
    assert steps.do(one, "dismissal", REASON, station=True).is_success
    assert {row.status for row in matching.rows(Request)} == {"closed"}
    assert {event.data.request for event in matching.told(RequestClosed)} == {one["id"], two["id"]}
    for request in (one, two):
        seen = matching.client.get(f"{REQUESTS}/{request['id']}", headers=holder(request)).json()
        assert seen["remarks"][-1]["reason"] == REASON["reason"]


def test_who_closed_a_served_request_stands_in_the_fact(matching, town, steps):
    town.open_with(matching, "甲")
    requests = [town.submit(matching) for _ in range(2)]
    for request, station in zip(requests, (False, True), strict=True):
        for verb in ("acceptance", "delivery"):
            steps.decide(request["id"], verb)
        assert problem(steps.do(request, "dismissal", REASON, station=True)) == (409, "request-served")
        assert steps.do(request, "closing", station=station).is_success
    assert [event.data.closed_by for event in matching.told(RequestClosed)] == ["resident", "station"]
