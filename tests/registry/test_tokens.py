"""Issuing tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shared import clock
from shared.messaging import tables
from shared.messaging.testing import Harness
from tests.registry.given import BASE, Town, open_town, refused


def test_an_operator_issues_tokens_that_work(registry: Harness, town: Town) -> None:
    operator = registry.as_("operator")
    with town.telling():
        issued = town.try_post("/tokens", {"role": "station", "community": town.id, "days": 3}, operator)
    assert issued.status_code == 201
    token = issued.json()
    assert (token["role"], token["community"], token["organization"]) == ("station", town.id, None)
    remaining = datetime.fromisoformat(token["expires_at"]) - clock.now()
    assert timedelta(days=3, minutes=-1) < remaining <= timedelta(days=3)
    organization = town.organization()
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert town.post(f"/organizations/{organization}/registration", headers=bearer)["status"] == "registered"
    assert town.post("/tokens", {"role": "operator"}, operator)["community"] is None


def test_a_station_issues_its_organizations_and_experts(registry: Harness, town: Town) -> None:
    organization = town.registered()
    token = town.post("/tokens", {"role": "organization", "organization": organization})
    assert (token["community"], token["organization"]) == (town.id, organization)
    bearer = {"Authorization": f"Bearer {token['token']}"}
    assert town.try_patch(f"/organizations/{organization}", {"name_en": "New"}, bearer).status_code == 200
    assert town.post("/tokens", {"role": "expert"})["community"] == town.id


def test_every_expert_and_station_token_stands_for_somebody(registry: Harness, town: Town) -> None:
    verifier = registry.host.verifier
    for role in ("expert", "station"):
        body = {"role": role, "community": town.id}
        issued = [town.post("/tokens", body, registry.as_("operator")) for _ in range(2)]
        subjects = [token["subject"] for token in issued]
        assert all(subjects) and subjects[0] != subjects[1]
        assert [verifier.caller(token["token"]).subject for token in issued] == subjects
    named = town.post("/tokens", {"role": "expert", "subject": "e-17"})
    assert (named["subject"], verifier.caller(named["token"]).subject) == ("e-17", "e-17")
    assert town.post("/tokens", {"role": "organization", "organization": town.registered()})["subject"] is None
    for subject in ("", "x" * 101):
        refused(town.try_post("/tokens", {"role": "expert", "subject": subject}), 422, "invalid", "subject")


def test_an_operator_belongs_to_no_community(registry: Harness, town: Town) -> None:
    body = {"role": "operator", "community": town.id}
    refused(town.try_post("/tokens", body, registry.as_("operator")), 422, "community-unexpected", "community")
    refused(town.try_post("/tokens", body), 403, "forbidden")


@pytest.mark.parametrize("caller", ["operator", "station"])
def test_a_token_is_refused(registry: Harness, town: Town, caller: Any) -> None:
    elsewhere = open_town(registry, "elsewhere")
    stranger = elsewhere.organization()
    headers = registry.as_(caller, town.id if caller == "station" else None)
    cases: list[tuple[dict[str, Any], int, str, str | None]] = [
        ({"role": "resident", "community": town.id}, 422, "invalid", "role"),
        ({"role": "organization", "community": town.id}, 422, "organization-missing", "organization"),
        ({"role": "organization", "organization": "nobody"}, 404, "organization-unknown", "organization"),
        (
            {"role": "organization", "organization": stranger, "community": town.id},
            422,
            "organization-elsewhere",
            "organization",
        ),
        (
            {"role": "expert", "community": town.id, "organization": stranger},
            422,
            "organization-unexpected",
            "organization",
        ),
        ({"role": "expert", "community": "nowhere"}, 404, "community-unknown", "community"),
        ({"role": "expert", "community": town.id, "days": 0}, 422, "invalid", "days"),
        ({"role": "expert", "community": town.id, "days": 401}, 422, "invalid", "days"),
    ]
    for body, status, kind, field in cases:
        refused(town.try_post("/tokens", body, headers), status, kind, field)
    for body in (
        {"role": "operator"},
        {"role": "system"},
        {"role": "station", "community": town.id},
        {"role": "expert", "community": elsewhere.id},
        {"role": "organization", "community": elsewhere.id, "organization": stranger},
    ):
        answer = town.try_post("/tokens", body, headers)
        if caller == "station":
            refused(answer, 403, "forbidden")
        else:
            assert answer.status_code == 201
    for others in (registry.as_("expert", town.id), registry.as_("organization", town.id, stranger)):
        refused(town.try_post("/tokens", {"role": "expert"}, others), 403, "forbidden")
    refused(town.try_post("/tokens", {"role": "expert", "community": town.id}, {}), 401, "unauthenticated")


def test_only_an_operator_may_leave_the_community_out(registry: Harness, town: Town) -> None:
    operator = registry.as_("operator")
    refused(town.try_post("/tokens", {"role": "station"}, operator), 422, "community-missing", "community")


def test_a_token_is_stored_nowhere(registry: Harness, town: Town) -> None:
    headers = town.station | {"Idempotency-Key": "one"}
    tokens = [town.try_post("/tokens", {"role": "expert"}, headers).json()["token"] for _ in range(2)]
    assert all(tokens)
    with registry.session() as session:
        assert session.execute(sa.select(tables.idempotency_keys)).all() == []


def test_the_routes_are_described(registry: Harness) -> None:
    paths = registry.client.get(f"{BASE}/openapi.json").json()["paths"]
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation.get("summary") and operation.get("description"), f"{method} {path}"
