"""The clock of a rehearsal community."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from shared.clock import civil_date, now
from shared.events.registry import CommunityClockMoved
from shared.messaging.testing import Harness
from tests.registry.given import COMPOUNDS, Town, open_town, refused


def move_clock(town: Town, to: datetime | str) -> Any:
    body = {"to": to if isinstance(to, str) else to.isoformat()}
    return town.try_post(f"/communities/{town.id}/clock", body, town.registry.as_("operator"))


def test_after_the_clock_was_moved_an_agreement_that_ran_out_is_no_longer_in_force(registry: Harness) -> None:
    town = open_town(registry, rehearsal=True)
    organization = town.registered()
    town.agreement(organization, ends_on=str(civil_date(now() + timedelta(days=30))))
    town.offer(organization)
    assert len(town.menu()) == 1
    to = now() + timedelta(days=32)
    with town.telling("community.clock-moved", "agreement.ended", "offer.withdrawn"):
        answer = move_clock(town, to)
    assert answer.status_code == 200, answer.text
    ahead = answer.json()["clock_ahead"]
    assert timedelta(days=31) < timedelta(seconds=ahead) <= timedelta(days=32)
    [moved] = registry.told(CommunityClockMoved)
    assert (moved.subject, moved.sequence, moved.data.clock_ahead) == (town.id, 2, ahead)
    assert (moved.data.rehearsal, len(moved.data.compounds)) == (True, len(COMPOUNDS))
    assert moved.time >= to
    assert town.get(f"/communities/{town.id}")["clock_ahead"] == ahead
    assert town.get("/communities")["items"][0]["clock_ahead"] == ahead
    assert town.menu() == []
    figures = town.get(f"/communities/{town.id}/figures")
    assert (figures["agreements"], figures["offers"]) == (0, 0)
    refused(town.try_post("/offers", town.offer_terms(organization)), 409, "agreement-missing", "item")


def test_a_clock_moves_forward_only_and_no_further_than_ten_years(registry: Harness) -> None:
    town = open_town(registry, rehearsal=True)
    assert move_clock(town, now() + timedelta(days=300)).status_code == 200
    assert move_clock(town, now() + timedelta(days=600)).status_code == 200
    with town.telling():
        refused(move_clock(town, now() + timedelta(days=599)), 422, "clock-backward", "to")
        refused(move_clock(town, now() + timedelta(days=4000)), 422, "clock-too-far", "to")
        refused(move_clock(town, "9999-12-31T23:59:59-12:00"), 422, "clock-too-far", "to")
        refused(move_clock(town, "0001-01-01T00:00:00+12:00"), 422, "clock-backward", "to")
        refused(move_clock(town, "2031-01-01T00:00:00"), 422, "invalid", "to")


def test_only_an_operator_moves_a_clock_and_only_a_rehearsals(registry: Harness, town: Town) -> None:
    to = now() + timedelta(days=1)
    with town.telling():
        refused(move_clock(town, to), 409, "community-real")
        refused(move_clock(Town(registry, "nowhere", {}), to), 404, "community-unknown")
        refused(town.try_post(f"/communities/{town.id}/clock", {"to": to.isoformat()}), 403, "forbidden")
    assert town.get(f"/communities/{town.id}")["clock_ahead"] == 0


def test_one_communitys_clock_is_not_anothers(registry: Harness, town: Town) -> None:
    rehearsal = open_town(registry, "rehearsal", rehearsal=True)
    organization = town.registered()
    town.agreement(organization, ends_on=str(civil_date(now() + timedelta(days=30))))
    town.offer(organization)
    assert move_clock(rehearsal, now() + timedelta(days=32)).status_code == 200
    assert len(town.menu()) == 1
