"""A request and a referral in every status they can stand in: what their tables do not let a resident, an organization or
the station do there is refused with a clear problem, told to nobody, and changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.matching.models import Referral, Request
from services.matching.rules import REFERRAL, REQUEST
from shared.messaging.testing import Harness
from tests.matching.conftest import Desk
from tests.matching.given import LEAK, PLUMBING, Town

REASON = {"reason": "试"}
TRANSIENT = {"submitted", "classified"}
"""Left at once, in the transaction in which the request is read and paired."""
OF_A_REQUEST: dict[str, tuple[str, ...]] = {
    "withdrawal": ("withdraw",),
    "dispute": ("dispute",),
    "closing": ("close",),
    "classification": ("classify",),
    "reopening": ("reopen",),
    "dispute-rejection": ("reject",),
    "merging": ("merge",),
    "separation": ("release",),
    "dismissal": ("dismiss",),
}
OF_A_REFERRAL = {"acceptance": "accept", "decline": "decline", "delivery": "deliver", "handing-on": "hand-on"}
OF_RESIDENTS = ("withdrawal", "dispute", "closing")


def a_desk(matching: Harness) -> Desk:
    """A community in which 乙, a hub, and its member 甲 serve what is asked for."""
    desk = Desk(matching, Town())
    hub = desk.town.organization("乙", hub=True)
    below = desk.town.organization("甲", parents=(desk.town.id_of("乙"),))
    matching.hear(desk.town.opened(), desk.town.taxonomy(), hub, below)
    return desk


def served_by(desk: Desk, *names: str) -> None:
    """Let organizations have an agreement and an offer from now on."""
    for name in names:
        desk.matching.hear(desk.town.agreement(name), desk.town.offer(name))


def request_that_is(desk: Desk, status: str) -> dict[str, Any]:
    """A request that has come to a status by what people did."""
    if status not in ("unmatched", "gathered"):
        served_by(desk, "甲")
    request = desk.town.submit(desk.matching)
    ways: dict[str, tuple[str, ...]] = {
        "accepted": ("acceptance",),
        "served": ("acceptance", "delivery"),
        "disputed": ("acceptance", "delivery", "dispute"),
        "closed": ("acceptance", "delivery", "closing"),
        "withdrawn": ("withdrawal",),
    }
    for verb in ways.get(status, ()):
        if verb in OF_RESIDENTS:
            assert desk.do(request, verb, REASON).is_success
        else:
            assert desk.decide(request["id"], verb).is_success
    if status == "merged":
        other = desk.town.submit(desk.matching, text=f"{LEAK}，急")
        assert desk.do(request, "merging", {"into": other["id"]}, station=True).is_success
    if status == "gathered":
        desk.propose()
    return request


def told_of(desk: Desk) -> int:
    return len([event for event in desk.matching.told() if event.community == desk.town.community])


def status_of(desk: Desk, model: Any, id: str) -> str:
    with desk.matching.session() as session:
        return str(session.get_one(model, id).status)


def refused(answer: Any, kind: str, status: str) -> None:
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (409, f"urn:fenghe:problem:{kind}-{status}"), answer.text
    assert problem["detail"].endswith(".") and problem["errors"][0]["field"] == "status"


STATUSES = sorted({status for status, _ in REQUEST} | set(REQUEST.values()))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a table of transitions says is not the database's
@pytest.mark.parametrize("status", [status for status in STATUSES if status not in TRANSIENT])
def test_what_cannot_be_done_to_a_request(matching: Harness, status: str) -> None:
    desk = a_desk(matching)
    request = request_that_is(desk, status)
    assert status_of(desk, Request, request["id"]) == status
    other = desk.town.submit(matching, text="马桶堵了")
    bodies: dict[str, Any] = {
        "classification": {"item": PLUMBING},
        "merging": {"into": other["id"]},
    }
    before = told_of(desk)
    for route, verbs in OF_A_REQUEST.items():
        if any((status, verb) in REQUEST for verb in verbs):
            continue
        refused(desk.do(request, route, bodies.get(route, REASON), station=route not in OF_RESIDENTS), "request", status)
        assert (told_of(desk), status_of(desk, Request, request["id"])) == (before, status), route


def referral_that_is(desk: Desk, status: str) -> str:
    """The id of a referral that has come to a status by what people did, or left undone."""
    served_by(desk, "乙")
    request = desk.town.submit(desk.matching)
    id = desk.open_referral(request["id"]).id
    if status in ("accepted", "delivered"):
        desk.decide(request["id"], "acceptance")
    if status == "delivered":
        desk.decide(request["id"], "delivery")
    if status == "declined":
        desk.decide(request["id"], "decline", REASON)
    if status == "withdrawn":
        desk.do(request, "withdrawal")
    if status == "expired":
        desk.matching.hear(desk.town.clock_moved(timedelta(days=5)))
        desk.matching.drain()
    if status == "handed-on":
        served_by(desk, "甲")
        assert desk.decide(request["id"], "handing-on", {"member": desk.town.id_of("甲")}).is_success
    return id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", sorted({status for status, _ in REFERRAL} | set(REFERRAL.values())))
def test_what_cannot_be_done_to_a_referral(matching: Harness, status: str) -> None:
    desk = a_desk(matching)
    id = referral_that_is(desk, status)
    assert status_of(desk, Referral, id) == status
    before = told_of(desk)
    bodies: dict[str, Any] = {"decline": REASON, "handing-on": {"member": desk.town.id_of("甲")}}
    for route, verb in OF_A_REFERRAL.items():
        if (status, verb) not in REFERRAL:
            refused(desk.ask(f"referrals/{id}/{route}", bodies.get(route), of="乙"), "referral", status)
            assert (told_of(desk), status_of(desk, Referral, id)) == (before, status), route
