"""A rehearsal community's clock was moved: matching lives by it, whatever it hears first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clock import civil_date, now
from shared.events.matching import RequestSubmitted
from shared.events.registry import CommunityClockMoved
from shared.messaging.testing import Harness
from tests.matching.given import PLUMBING, Town

MONTH = timedelta(days=31)


def moved(town: Town, ahead: timedelta) -> CommunityClockMoved:
    state = town.opened().model_dump() | {"rehearsal": True, "clock_ahead": int(ahead.total_seconds())}
    return CommunityClockMoved.model_validate(state)


def run_out(town: Town, name: str, days: int = 20) -> Any:
    return town.agreement(name, PLUMBING, ends_on=civil_date(now() + timedelta(days=days)))


def test_an_agreement_that_ran_out_gets_no_more_requests(matching: Harness, town: Town) -> None:
    town.open_with(matching)
    matching.hear(town.organization("A"), run_out(town, "A"), town.offer("A"))
    assert status(matching, town) == "matched"
    matching.hear(moved(town, MONTH))
    assert status(matching, town) == "unmatched"
    [_, late] = matching.told(RequestSubmitted)
    assert late.time >= datetime.now(UTC) + MONTH - timedelta(hours=1)
    assert late.data.submitted_at >= datetime.now(UTC) + MONTH - timedelta(hours=1)


def test_a_resident_follows_a_request_made_when_the_clock_was_moved(matching: Harness, town: Town) -> None:
    town.open_with(matching)
    matching.hear(moved(town, MONTH))
    request = town.submit(matching)
    headers = {"Authorization": f"Bearer {request['link']}"}
    assert matching.client.get(f"/api/matching/requests/{request['id']}", headers=headers).status_code == 200


def test_a_referral_is_not_accepted_under_an_agreement_that_has_run_out(matching: Harness, town: Town, steps: Any) -> None:
    town.open_with(matching)
    matching.hear(town.organization("A"), run_out(town, "A", days=0), town.offer("A"))
    request = town.submit(matching)
    matching.hear(moved(town, timedelta(days=1)))  # before the referral expires
    answer = steps.decide(request["id"], "acceptance")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:fenghe:problem:agreement-missing")


def test_a_listener_that_hears_of_the_moved_clock_alone_knows_the_community(matching: Harness, town: Town) -> None:
    matching.hear(moved(town, MONTH), town.taxonomy(), *town.member("A"))
    assert status(matching, town) == "matched"


def status(matching: Harness, town: Town) -> str:
    id = town.submit(matching)["id"]
    told = [event.data for event in matching.told() if event.subject == id]
    return str(told[-1].status)  # type: ignore[attr-defined]
