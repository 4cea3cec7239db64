"""The life of an organization and its agreements."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from services.registry.models import Agreement, Organization
from shared.events.registry import (
    AgreementEnded,
    AgreementSigned,
    OrganizationApplied,
    OrganizationChanged,
    OrganizationRegistered,
)
from shared.messaging.testing import Harness
from tests.registry.given import BASE, Town, open_town, refused

CREDIT_CODE = "91110000600037341L"


def test_an_organization_applies_is_registered_and_changes(registry: Harness, town: Town) -> None:
    with town.telling("org.applied"):
        id = town.organization(credit_code=CREDIT_CODE.lower())
    with town.telling("org.registered"):
        town.post(f"/organizations/{id}/registration")
    with town.telling("org.changed"):
        changed = town.try_patch(f"/organizations/{id}", {"introduction_en": " Meals and company. "})
    assert changed.json()["introduction_en"] == "Meals and company."
    assert changed.json()["name_zh"] == "春晖助老服务中心"

    facts = [registry.told(type)[0] for type in (OrganizationApplied, OrganizationRegistered, OrganizationChanged)]
    assert [(fact.subject, fact.sequence, fact.data.status) for fact in facts] == [
        (id, 1, "applied"),
        (id, 2, "registered"),
        (id, 3, "registered"),
    ]
    assert facts[2].data.introduction_en == "Meals and company."
    assert all(CREDIT_CODE not in fact.data.model_dump_json() for fact in facts)
    [row] = registry.rows(Organization)
    assert (row.status, row.credit_code, row.registered_at is not None) == ("registered", CREDIT_CODE, True)


def test_nothing_is_told_where_nothing_is_different(registry: Harness, town: Town) -> None:
    id = town.registered()
    own = registry.as_("organization", town.id, id)
    with town.telling():
        same = {"name_zh": "春晖助老服务中心", "organization_class": "public-welfare"}
        assert town.try_patch(f"/organizations/{id}", same, own).status_code == 200
        assert town.try_patch(f"/organizations/{id}", {}, own).status_code == 200


def test_an_application_is_refused(town: Town) -> None:
    town.organization()
    with town.telling():
        for terms, status, kind, field in [
            ({}, 409, "name-taken", "name_zh"),
            ({"community": "nowhere"}, 404, "community-unknown", "community"),
            ({"name_zh": "新", "credit_code": "91110000600037341X"}, 422, "credit-code-malformed", "credit_code"),
            ({"name_zh": "新", "organization_class": "club"}, 422, "invalid", "organization_class"),
            ({"name_zh": "  "}, 422, "invalid", "name_zh"),
            ({"name": "新"}, 422, "invalid", "name"),
        ]:
            refused(town.try_post("/organizations", town.application(**terms), {}), status, kind, field)


def test_the_same_name_is_free_in_another_community(registry: Harness, town: Town) -> None:
    assert town.organization() != open_town(registry, "elsewhere").organization()


def test_registration_and_changes_are_refused(registry: Harness, town: Town) -> None:
    elsewhere = open_town(registry, "elsewhere")
    id, other = town.organization(), town.registered(name_zh="大家乐文体协会")
    path = f"/organizations/{id}"
    with town.telling():
        refused(town.try_patch(path, {"name_en": "New"}), 409, "organization-applied", "status")
        refused(town.try_post(f"{path}/registration", headers=elsewhere.station), 403, "forbidden")
        refused(town.try_post(f"{path}/registration", headers=registry.as_("expert", town.id)), 403, "forbidden")
        refused(town.try_post(f"{path}/registration", headers={}), 401, "unauthenticated")
        refused(town.try_post("/organizations/nobody/registration"), 404, "organization-unknown")
    town.post(f"{path}/registration")
    own = registry.as_("organization", town.id, id)
    with town.telling():
        refused(town.try_post(f"{path}/registration"), 409, "organization-registered", "status")
        refused(town.try_patch(path, {"name_zh": "大家乐文体协会"}, own), 409, "name-taken", "name_zh")
        refused(town.try_patch(path, {"name_zh": None}, own), 422, "invalid", "name_zh")
        refused(town.try_patch(path, {"status": "applied"}, own), 422, "invalid", "status")
        refused(town.try_patch(path, {"name_en": "New"}, registry.as_("organization", town.id, other)), 403, "forbidden")
        refused(town.try_patch(path, {"name_en": "New"}, elsewhere.station), 403, "forbidden")
        # The right organization, but in a token of another community.
        refused(town.try_patch(path, {"name_en": "New"}, registry.as_("organization", elsewhere.id, id)), 403, "forbidden")


def test_of_many_registrations_at_once_one_counts(registry: Harness, town: Town) -> None:
    id = town.organization()
    with town.telling("org.registered"), ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: town.try_post(f"/organizations/{id}/registration"), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7


def test_an_applicant_is_seen_by_its_station_and_itself(registry: Harness, town: Town) -> None:
    applied, registered = (
        town.organization(),
        town.registered(name_zh="大家乐文体协会", organization_class="culture", credit_code=CREDIT_CODE),
    )
    elsewhere = open_town(registry, "elsewhere")

    def listed(headers: dict[str, str] | None = None, **query: str) -> list[str]:
        page = town.get("/organizations", headers, community=town.id, **query)
        return [organization["id"] for organization in page["items"]]

    assert listed() == listed(elsewhere.station) == [registered]
    assert listed(town.station) == listed(registry.as_("operator")) == [applied, registered]
    assert listed(town.station, status="applied") == [applied]
    assert listed(status="applied") == []
    assert listed(organization_class="culture") == [registered]
    assert listed(organization_class="harmony") == []

    hidden = registry.client.get(f"{BASE}/organizations/{applied}")
    refused(hidden, 404, "organization-unknown")
    for headers in (town.station, registry.as_("organization", town.id, applied)):
        assert town.get(f"/organizations/{applied}", headers)["status"] == "applied"
    assert town.get(f"/organizations/{registered}")["credit_code"] is None
    assert town.get(f"/organizations/{registered}", elsewhere.station)["credit_code"] is None
    assert town.get(f"/organizations/{registered}", town.station)["credit_code"] == CREDIT_CODE


def test_an_agreement_is_signed_over_categories_and_items(registry: Harness, town: Town) -> None:
    organization = town.registered()
    with town.telling("agreement.signed"):
        id = town.agreement(organization, categories=["elderly"], items=["choir", "home-care"])
    [event] = registry.told(AgreementSigned)
    assert event.data.items == ("meal-service", "home-care", "choir")
    assert (event.subject, event.data.organization, event.data.status) == (id, organization, "in-force")
    shown = town.get(f"/agreements/{id}")
    assert (shown["items"], shown["starts_on"], shown["ends_on"]) == (
        ["meal-service", "home-care", "choir"],
        "2020-01-01",
        "2999-12-31",
    )
    other = town.registered(name_zh="大家乐文体协会")
    assert town.get("/agreements", community=town.id)["items"] == [shown]
    assert town.get("/agreements", community=town.id, organization=organization)["items"] == [shown]
    assert town.get("/agreements", community=town.id, organization=other)["items"] == []


def test_an_agreement_is_refused(registry: Harness, town: Town) -> None:
    elsewhere = open_town(registry, "elsewhere")
    applied, organization = town.organization(), town.registered(name_zh="大家乐文体协会")
    with town.telling():
        for terms, status, kind, field in [
            ({"organization": "nobody"}, 404, "organization-unknown", "organization"),
            ({"organization": applied}, 409, "organization-applied", "organization"),
            ({"categories": ["cooking"]}, 422, "category-unknown", "categories"),
            ({"items": ["cooking"]}, 422, "item-unknown", "items"),
            ({"categories": []}, 422, "scope-empty", "items"),
            ({"categories": ["mobility"]}, 422, "scope-empty", "items"),
            ({"starts_on": "2026-01-02", "ends_on": "2026-01-01"}, 422, "term-reversed", "ends_on"),
            ({"starts_on": "soon"}, 422, "invalid", "starts_on"),
            ({"starts_on": "0001-01-01"}, 422, "term-far", "starts_on"),
            ({"ends_on": "9999-12-31"}, 422, "term-far", "ends_on"),
        ]:
            answer = town.try_post("/agreements", town.agreement_terms(organization) | terms)
            refused(answer, status, kind, field)
        terms = town.agreement_terms(organization)
        refused(town.try_post("/agreements", terms, elsewhere.station), 403, "forbidden")
        refused(town.try_post("/agreements", terms, registry.as_("organization", town.id, organization)), 403, "forbidden")
        refused(town.try_post("/agreements", terms, {}), 401, "unauthenticated")
    assert registry.rows(Agreement) == []


def test_ending_an_agreement_takes_its_offers_off_the_menu(registry: Harness, town: Town) -> None:
    organization, other = town.registered(), town.registered(name_zh="大家乐文体协会")
    ended = town.agreement(organization, categories=["elderly", "leisure"])
    town.agreement(organization, categories=[], items=["choir"])
    town.agreement(organization, ends_on="2020-02-01")
    town.agreement(other)
    meals, care = town.offer(organization), town.offer(organization, item="home-care")
    kept = [town.offer(organization, item="choir"), town.offer(other)]
    withdrawn_before = town.offer(organization)
    town.post(f"/offers/{withdrawn_before}/withdrawal")

    with town.telling("agreement.ended", "offer.withdrawn", "offer.withdrawn"):
        answer = town.post(f"/agreements/{ended}/ending", {"reason": "双方同意提前结束"})
    assert (answer["status"], answer["reason"]) == ("ended", "双方同意提前结束")
    assert [offer["id"] for offer in town.menu()] == kept
    assert {town.get(f"/offers/{id}")["status"] for id in (meals, care)} == {"withdrawn"}
    [event] = [event for event in registry.told(AgreementEnded) if event.subject == ended]
    assert (event.sequence, event.data.status, event.data.ended_because) == (2, "ended", "terminated")
    assert "双方" not in event.data.model_dump_json()

    elsewhere = open_town(registry, "elsewhere")
    with town.telling():
        path, reason = f"/agreements/{ended}/ending", {"reason": "again"}
        refused(town.try_post(path, reason), 409, "agreement-ended", "status")
        refused(town.try_post(path, {"reason": " "}), 422, "invalid", "reason")
        refused(town.try_post(path, reason, elsewhere.station), 403, "forbidden")
        refused(town.try_post("/agreements/none/ending", reason), 404, "agreement-unknown")


def test_why_an_agreement_ended_is_between_station_and_organization(registry: Harness, town: Town) -> None:
    organization, other = town.registered(), town.registered(name_zh="大家乐文体协会")
    id = town.agreement(organization)
    town.post(f"/agreements/{id}/ending", {"reason": "王女士投诉"})
    elsewhere = open_town(registry, "elsewhere")

    def reasons(headers: dict[str, str] | None = None) -> set[str | None]:
        [listed] = town.get("/agreements", headers, community=town.id)["items"]
        return {listed["reason"], town.get(f"/agreements/{id}", headers)["reason"]}

    for headers in (town.station, registry.as_("operator"), registry.as_("organization", town.id, organization)):
        assert reasons(headers) == {"王女士投诉"}
    strangers = [registry.as_("organization", town.id, other), registry.as_("expert", town.id), elsewhere.station, None]
    for stranger in strangers:
        assert reasons(stranger) == {None}


@pytest.mark.parametrize("path", ["/organizations", "/agreements", "/offers"])
def test_a_list_is_of_one_community(registry: Harness, path: str) -> None:
    refused(registry.client.get(BASE + path), 422, "invalid", "community")
    refused(registry.client.get(BASE + path, params={"community": "nowhere"}), 404, "community-unknown")
