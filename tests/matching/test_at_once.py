"""Several at once: one wins, the others are told so, and no request is lost between two replicas."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.matching import pairing
from services.matching.models import Referral, Request
from shared.identifiers import new_id
from tests.matching.given import LEAK, REFERRALS, REQUESTS, holder

AT_ONCE = 8


def all_at_once(calls):
    """The answers to calls that start at the same moment."""
    barrier = Barrier(len(calls))

    def start(call):
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(start, calls))


def test_one_acceptance_wins(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    path = f"{REFERRALS}/{steps.open_referral(request['id']).id}/acceptance"
    headers = steps.of("甲")
    answers = all_at_once([lambda: matching.client.post(path, headers=headers)] * AT_ONCE)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
    refused = {answer.json()["type"] for answer in answers if answer.status_code == 409}
    assert refused == {"urn:fenghe:problem:referral-accepted"}
    assert steps.told().count("referral.accepted") == 1


def test_acceptance_against_decline_and_withdrawal(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    requests = [town.submit(matching, text=f"{LEAK}{number}") for number in range(4)]
    for request in requests:
        referral = steps.open_referral(request["id"])
        organization = steps.of(town.name_of(referral.organization))
        path = f"{REFERRALS}/{referral.id}"
        link = holder(request)
        calls = [
            lambda path=path, headers=organization: matching.client.post(f"{path}/acceptance", headers=headers),
            lambda path=path, headers=organization: matching.client.post(f"{path}/decline", headers=headers),
            lambda id=request["id"], headers=link: matching.client.post(f"{REQUESTS}/{id}/withdrawal", headers=headers),
        ]
        assert {answer.status_code for answer in all_at_once(calls)} <= {200, 409}
    matching.drain()
    rows = {row.id: row.status for row in matching.rows(Request)}
    assert set(rows.values()) == {"withdrawn"}
    assert all(row.status in ("withdrawn", "declined") for row in matching.rows(Referral))
    assert steps.told().count("request.withdrawn") == len(requests)


def test_requests_and_the_menu_at_once_leave_nobody_out(matching, town, steps):
    matching.hear(town.opened(), town.taxonomy())
    members = [matching.event(fact) for fact in town.member("甲", weekly_capacity=12)]
    calls = [
        lambda number=number: matching.client.post(REQUESTS, json=town.body(text=f"{LEAK}{number}")) for number in range(12)
    ]
    all_at_once([*calls, lambda: matching.deliver(members)])
    matching.drain()
    assert Counter(row.status for row in matching.rows(Request)) == {"matched": 12}
    assert Counter(row.status for row in matching.rows(Referral)) == {"made": 12}
    assert matching.dead_letters() == []


def test_a_request_that_is_read_while_the_menu_changes_is_not_left_out(matching, town, steps, monkeypatch):
    matching.hear(town.opened(), town.taxonomy(), town.organization("甲"), town.agreement("甲"))
    changing, paired = Event(), Event()
    match_again, pair_submitted = pairing.match_again, pairing.pair_submitted

    def match_again_and_linger(*args):
        match_again(*args)
        changing.set()
        paired.wait(0.5)  # long enough for the request to be read on another connection, if it may be

    def pair_and_say_so(*args):
        pair_submitted(*args)
        paired.set()

    monkeypatch.setattr(pairing, "match_again", match_again_and_linger)
    monkeypatch.setattr(pairing, "pair_submitted", pair_and_say_so)
    offer = matching.event(town.offer("甲"))
    with ThreadPoolExecutor(1) as pool:
        delivery = pool.submit(matching.deliver, [offer])
        assert changing.wait(60)
        request = town.submit(matching)
        delivery.result()
    assert steps.asked(request["id"]) == "甲"


def test_the_database_forbids_two_open_referrals(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    referral = steps.open_referral(request["id"])
    second = referral.model_dump() | {"id": new_id(), "organization": new_id()}
    same = referral.model_dump() | {"id": new_id(), "status": "declined", "decided_at": referral.made_at}
    for row in (second, same):
        with pytest.raises(IntegrityError):
            matching.host.database.transact(lambda session, row=row: session.execute(sa.insert(Referral), [row]))
