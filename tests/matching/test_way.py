"""The whole way of a request: every step one fact, every wrong step refused and nothing told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.matching.models import Referral, Remark, Request
from services.matching.rank import WEIGHTS
from services.matching.rules import REFERRAL, REQUEST
from shared.clock import civil_date
from shared.events.matching import RequestMatched, RequestReopened, RequestServed
from tests.matching.given import LEAK, PLUMBING, REFERRALS, REQUESTS, holder


def test_from_submitted_to_closed(matching, town, steps):
    town.open_with(matching, "应急抢修队")
    request = town.submit(matching)
    assert (request["status"], request["language"], request["channel"]) == ("submitted", "zh", "website")
    assert "text" not in request
    view = steps.seen(request["id"])
    assert (view["status"], view["item"], view["category"]) == ("matched", PLUMBING, "housing")
    assert view["classifier"] == "ridge-words-v4/tiny/1"
    assert view["confidence"] > 0.5
    (candidate,) = view["candidates"]
    assert candidate["organization_name_zh"] == "应急抢修队"
    assert candidate["offer_title_en"] == "应急抢修队 comes"
    assert set(candidate["parts"]) == set(WEIGHTS)
    assert {
        "zh": "服务项目正好对口：水电维修",
        "en": "offers exactly this: Plumbing and electrical repair",
    } in candidate["reasons"]
    assert {"zh": "免费", "en": "free of charge"} in candidate["reasons"]

    assert steps.decide(request["id"], "acceptance").json()["status"] == "accepted"
    assert steps.seen(request["id"])["status"] == "accepted"
    assert steps.decide(request["id"], "delivery").json()["status"] == "delivered"
    served = steps.seen(request["id"])
    assert served["status"] == "served"
    assert served["served_at"] is not None
    assert steps.do(request, "closing").json()["status"] == "closed"

    assert steps.told() == [
        "request.submitted",
        "request.classified",
        "request.matched",
        "referral.made",
        "referral.accepted",
        "request.accepted",
        "request.served",
        "request.closed",
    ]
    (row,) = matching.rows(Request)
    assert (row.text, row.status, row.organization) == (LEAK, "closed", town.id_of("应急抢修队"))
    assert row.matched_at is not None
    (told,) = matching.told(RequestServed)
    assert told.data.organization == town.id_of("应急抢修队")
    assert told.data.offer == town.id_of("offer of 应急抢修队")


def test_sequences_of_a_request_count_its_facts(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    steps.decide(request["id"], "acceptance")
    steps.decide(request["id"], "delivery")
    told = [event for event in matching.told() if event.subject == request["id"]]
    assert [event.sequence for event in told] == [1, 2, 3, 4, 5]
    assert [event.data.status for event in told] == ["submitted", "classified", "matched", "accepted", "served"]


def test_a_dispute_upheld_goes_to_the_next_candidate(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    request = town.submit(matching)
    first = steps.asked(request["id"])
    steps.decide(request["id"], "acceptance")
    steps.decide(request["id"], "delivery")
    assert steps.do(request, "dispute", {"reason": "没来人"}).json()["status"] == "disputed"
    reopened = steps.do(request, "reopening", {"reason": "核实了"}, station=True)
    assert reopened.status_code == 200, reopened.text
    assert reopened.json()["status"] == "matched"
    second = steps.asked(request["id"])
    assert {first, second} == {"甲", "乙"}
    assert [candidate["organization_name_zh"] for candidate in reopened.json()["candidates"]] == [second]
    assert reopened.json()["served_at"] is None
    assert steps.told()[-4:] == ["request.disputed", "request.reopened", "request.matched", "referral.made"]
    (told,) = matching.told(RequestReopened)
    assert [candidate.organization for candidate in told.data.candidates] == [town.id_of(second)]
    assert [(remark.verb, remark.role, remark.reason) for remark in matching.rows(Remark)] == [
        ("dispute", "resident", "没来人"),
        ("reopen", "station", "核实了"),
    ]
    # The second one serves it and the season of the request goes on as before.
    steps.decide(request["id"], "acceptance")
    assert steps.decide(request["id"], "delivery").status_code == 200
    assert steps.do(request, "closing", station=True).json()["status"] == "closed"
    assert {row.status for row in matching.rows(Referral)} == {"delivered"}


def test_a_dispute_upheld_with_nobody_left_is_unmatched(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    steps.decide(request["id"], "acceptance")
    steps.decide(request["id"], "delivery")
    steps.do(request, "dispute")
    assert steps.do(request, "reopening", station=True).json()["status"] == "unmatched"
    assert steps.told()[-2:] == ["request.reopened", "request.unmatched"]


@pytest.mark.parametrize("decided", [False, True])
def test_a_withdrawal_takes_the_open_referral_along(matching, town, steps, decided):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    if decided:
        steps.decide(request["id"], "acceptance")
    answer = steps.do(request, "withdrawal", {"reason": "自己修好了"})
    assert answer.json()["status"] == "withdrawn"
    assert (answer.json()["organization"] is not None) is decided
    assert steps.told()[-2:] == ["request.withdrawn", "referral.withdrawn"]
    (referral,) = matching.rows(Referral)
    assert referral.status == "withdrawn"
    assert referral.decided_at is not None


def test_declines_go_down_the_candidates_to_unmatched(matching, town, steps):
    town.open_with(matching, "甲", "乙", "丙")
    request = town.submit(matching)
    candidates = [candidate["organization_name_zh"] for candidate in steps.seen(request["id"])["candidates"]]
    asked = []
    for _ in candidates:
        asked.append(steps.asked(request["id"]))
        answer = steps.decide(request["id"], "decline", {"reason": "人手不够"})
        assert (answer.status_code, answer.json()["status"]) == (200, "declined")
    assert asked == candidates
    assert [row.rank for row in matching.rows(Referral)] == [1, 2, 3]
    assert {row.reason for row in matching.rows(Referral)} == {"人手不够"}
    view = steps.seen(request["id"])
    assert (view["status"], view["candidates"], view["organization"]) == ("unmatched", [], None)
    assert steps.told()[4:] == [
        "referral.declined",
        "referral.made",
        "referral.declined",
        "referral.made",
        "referral.declined",
        "request.unmatched",
    ]
    # Who declined is not asked again; somebody new is.
    matching.hear(*town.member("丁"))
    assert steps.asked(request["id"]) == "丁"
    assert len(matching.told(RequestMatched)) == 2


def test_a_decline_passes_over_candidates_that_can_serve_no_longer(matching, town, steps):
    town.open_with(matching, "甲", "乙", "丙")
    request = town.submit(matching)
    first, second, third = (c["organization_name_zh"] for c in steps.seen(request["id"])["candidates"])
    matching.hear(town.offer_withdrawn(second))
    steps.decide(request["id"], "decline")
    assert steps.asked(request["id"]) == third
    assert steps.open_referral(request["id"]).rank == 3
    # An organization that came later is found when those found before are used up.
    matching.hear(*town.member("丁"))
    steps.decide(request["id"], "decline")
    assert steps.asked(request["id"]) == "丁"
    assert steps.told()[-3:] == ["referral.declined", "request.matched", "referral.made"]
    assert first != third


@pytest.mark.parametrize("gone", ["agreement ended", "agreement over", "agreement of another item", "offer withdrawn"])
def test_without_an_agreement_in_force_or_the_offer_a_referral_is_handed_on(matching, town, steps, gone):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    first = steps.open_referral(request["id"])
    matching.hear(
        {
            "agreement ended": town.agreement_ended("甲"),
            "agreement over": town.agreement("甲", ends_on=date(2020, 12, 31)),
            "agreement of another item": town.agreement("甲", "choir-music"),
            "offer withdrawn": town.offer_withdrawn("甲"),
        }[gone]
    )
    assert town.submit(matching, text="马桶堵了，谁来修")["status"] == "submitted"
    assert [row.status for row in matching.rows(Request)] == ["unmatched", "unmatched"]
    assert steps.told()[4:6] == ["referral.handed-on", "request.unmatched"]
    before = steps.told()
    answer = steps.post(f"{REFERRALS}/{first.id}/acceptance", steps.of("甲"))
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fenghe:problem:referral-handed-on")
    assert steps.told() == before
    # Once there is an agreement and the offer again, it is asked again.
    matching.hear(town.agreement("甲"), town.offer("甲"))
    assert steps.decide(request["id"], "acceptance").status_code == 200


def test_an_agreement_that_has_run_out_lets_nobody_accept_before_its_end_is_told(matching, town, steps):
    town.open_with(matching, "甲")
    today = civil_date(datetime.now(UTC))
    matching.hear(town.agreement("甲", ends_on=today))
    request = town.submit(matching)
    matching.hear(town.clock_moved(timedelta(days=1)))
    before = steps.told()
    answer = steps.decide(request["id"], "acceptance")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fenghe:problem:agreement-missing")
    assert "agreement in force" in answer.json()["detail"]
    assert steps.told() == before
    assert steps.open_referral(request["id"]).status == "made"
    assert steps.decide(request["id"], "decline").status_code == 200
    assert steps.seen(request["id"])["status"] == "unmatched"


def test_what_was_accepted_is_delivered_after_its_offer_left_the_menu(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    assert steps.decide(request["id"], "acceptance").status_code == 200
    matching.hear(town.offer_withdrawn("甲"))
    assert steps.decide(request["id"], "delivery").status_code == 200


WRONG = [
    ("submitted", "dispute"),
    ("submitted", "closing"),
    ("matched", "dispute"),
    ("matched", "closing"),
    ("matched", "reopening"),
    ("accepted", "dispute"),
    ("accepted", "closing"),
    ("served", "withdrawal"),
    ("served", "reopening"),
    ("disputed", "withdrawal"),
    ("disputed", "dispute"),
    ("disputed", "closing"),
    ("closed", "dispute"),
    ("closed", "withdrawal"),
    ("closed", "closing"),
    ("withdrawn", "withdrawal"),
    ("unmatched", "closing"),
]


def bring_to(status, matching, town, steps):
    """A request that stands in a status."""
    if status == "submitted":
        matching.hear(town.opened())
    else:
        town.open_with(matching, *([] if status == "unmatched" else ["甲"]))
    request = town.submit(matching)
    if status == "withdrawn":
        steps.do(request, "withdrawal")
    for verb in ("acceptance", "delivery")[: {"accepted": 1, "served": 2, "disputed": 2, "closed": 2}.get(status, 0)]:
        steps.decide(request["id"], verb)
    if status in ("disputed", "closed"):
        steps.do(request, {"disputed": "dispute", "closed": "closing"}[status])
    assert steps.seen(request["id"])["status"] == status
    return request


@pytest.mark.parametrize(("status", "verb"), WRONG)
def test_a_wrong_step_of_a_request_is_refused_and_tells_nothing(matching, town, steps, status, verb):
    request = bring_to(status, matching, town, steps)
    before, rows = steps.told(), matching.rows(Request)
    answer = steps.do(request, verb, {"reason": "试试"}, station=verb == "reopening")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, f"urn:fenghe:problem:request-{status}")
    assert f"This request is {status}" in problem["detail"]
    assert problem["errors"][0]["field"] == "status"
    assert steps.told() == before
    assert matching.rows(Request) == rows
    assert [remark for remark in matching.rows(Remark) if remark.reason == "试试"] == []


@pytest.mark.parametrize(
    ("way", "verb", "status"),
    [
        ((), "delivery", "made"),
        (("acceptance",), "acceptance", "accepted"),
        (("acceptance",), "decline", "accepted"),
        (("acceptance", "delivery"), "delivery", "delivered"),
        (("acceptance", "delivery"), "decline", "delivered"),
        (("decline",), "acceptance", "declined"),
        (("decline",), "decline", "declined"),
    ],
)
def test_a_wrong_step_of_a_referral_is_refused_and_tells_nothing(matching, town, steps, way, verb, status):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    for step in way:
        steps.decide(request["id"], step)
    before = steps.told()
    answer = steps.post(f"{REFERRALS}/{referral.id}/{verb}", steps.of("甲"))
    assert (answer.status_code, answer.json()["type"]) == (409, f"urn:fenghe:problem:referral-{status}")
    assert f"This referral is {status}" in answer.json()["detail"]
    assert steps.told() == before


def test_every_status_of_the_life_cycles_can_be_reached_and_every_end_is_an_end():
    for cycle, start in ((REQUEST, "submitted"), (REFERRAL, "made")):
        reached, waiting = {start}, [start]
        while waiting:
            status = waiting.pop()
            for (before, _), after in cycle.items():
                if before == status and after not in reached:
                    reached.add(after)
                    waiting.append(after)
        assert reached == {start} | set(cycle.values())
    ends = set(REQUEST.values()) - {before for before, _ in REQUEST}
    assert ends == {"closed", "withdrawn"}


def test_the_link_is_given_again_on_a_repetition_and_the_request_made_once(matching, town, steps):
    town.open_with(matching)
    headers = {"Idempotency-Key": "one-that-nobody-guesses-0123456789"}
    first = matching.client.post(REQUESTS, json=town.body(), headers=headers)
    again = matching.client.post(REQUESTS, json=town.body(), headers=headers)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(matching.rows(Request)) == 1
    assert matching.client.get(f"{REQUESTS}/{first.json()['id']}", headers=holder(again.json())).status_code == 200
