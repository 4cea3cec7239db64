"""What was announced and may not be held any more is cancelled; what was reported wrong is corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from services.registry.models import Activity
from shared.events import registry as facts
from shared.messaging.testing import Harness
from tests.registry.given import BASE, Town, refused

REASON = {"reason": "服务站研究决定"}


def announced(town: Town, organization: str, days: int = 3, **terms: Any) -> str:
    begin = datetime.now(UTC) + timedelta(days=days)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=2)).isoformat()}
    return str(town.post("/activities", town.activity_terms(organization) | times | terms)["id"])


def club_of(town: Town, association: str, name: str) -> str:
    club = town.registered(name_zh=name)
    answer = town.registry.client.put(f"{BASE}/organizations/{club}/parents/{association}", headers=town.station)
    assert answer.is_success, answer.text
    return club


def cancelled(registry: Harness) -> set[str]:
    return {row.id for row in registry.rows(Activity) if row.status == "cancelled"}


def test_what_no_agreement_covers_any_more_does_not_take_place(registry: Harness, town: Town) -> None:
    association = town.registered(name_zh="大家乐文体协会")
    assert town.try_patch(f"/organizations/{association}", {"hub": True}).is_success
    club = club_of(town, association, "快乐健身舞蹈队")
    agreement = town.agreement(association)
    other = town.agreement(association, categories=["leisure"])
    own = [announced(town, one) for one in (association, club)]
    begun, leisure = announced(town, association, days=-1), announced(town, association, category="leisure")
    with town.telling("agreement.ended", "activity.cancelled", "activity.cancelled"):
        town.post(f"/agreements/{agreement}/ending", REASON)
    assert cancelled(registry) == set(own)
    # Why, its station and its organization read.
    inside = town.get(f"/activities/{own[1]}", registry.as_("organization", town.id, club))
    assert "服务协议" in inside["reason"] and "agreement" in inside["reason"]
    assert town.get(f"/activities/{own[1]}")["reason"] is None
    assert [one["reason"] for one in town.get("/activities", community=town.id, status="cancelled")["items"]] == [None] * 2
    # What had begun is reported all the same, and what another agreement covers goes on.
    town.post(f"/activities/{begun}/holding", {"beneficiaries": 12})
    with town.telling("agreement.ended", "activity.cancelled"):
        town.post(f"/agreements/{other}/ending", REASON)
    assert leisure in cancelled(registry)


def test_a_club_that_leaves_its_association_holds_what_its_own_agreement_covers(registry: Harness, town: Town) -> None:
    association = town.registered(name_zh="大家乐文体协会")
    assert town.try_patch(f"/organizations/{association}", {"hub": True}).is_success
    town.agreement(association)
    bound, free = (club_of(town, association, name) for name in ("快乐健身舞蹈队", "好友乒乓球俱乐部"))
    town.agreement(free)
    activities = {club: announced(town, club) for club in (bound, free)}
    for club, told in ((bound, ["org.changed", "activity.cancelled"]), (free, ["org.changed"])):
        with town.telling(*told):
            path = f"{BASE}/organizations/{club}/parents/{association}"
            assert registry.client.delete(path, headers=town.station).is_success
    assert cancelled(registry) == {activities[bound]}


def test_who_leaves_reads_the_own_reason_with_the_activities(registry: Harness, town: Town) -> None:
    organization = town.registered()
    town.agreement(organization)
    id = announced(town, organization)
    town.post(f"/organizations/{organization}/leaving", {"reason": "协会搬走了"})
    assert town.get(f"/activities/{id}", town.station)["reason"] == "协会搬走了"


def test_a_number_that_was_reported_wrong_is_corrected(registry: Harness, town: Town) -> None:
    organization = town.registered()
    town.agreement(organization)
    id = str(town.post("/activities", town.activity_terms(organization))["id"])
    path = f"/activities/{id}/correction"
    with town.telling():
        refused(town.try_post(path, {"beneficiaries": 45}), 409, "activity-announced", "status")
    town.post(f"/activities/{id}/holding", {"beneficiaries": 4500})
    with town.telling():
        refused(town.try_post(path, {"beneficiaries": -1}), 422, "invalid", "beneficiaries")
        stranger = registry.as_("organization", town.id, "another")
        refused(town.try_post(path, {"beneficiaries": 45}, stranger), 403, "forbidden")
    with town.telling("activity.corrected"):
        for _ in range(2):
            corrected = town.post(path, {"beneficiaries": 45}, registry.as_("organization", town.id, organization))
            assert (corrected["status"], corrected["beneficiaries"]) == ("held", 45)
    [event] = registry.told(facts.ActivityCorrected)
    assert event.data.beneficiaries == 45
    assert town.get(f"/communities/{town.id}/figures")["beneficiaries"] == 45
