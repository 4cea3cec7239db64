"""The CSV files registry takes in, one row at a time."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from services.registry.app import service
from services.registry.models import Agreement, Offer, Organization
from shared.access import Caller
from shared.messaging.testing import Harness
from shared.problems import Problem
from tests.registry.given import Town, open_town

SAMPLE = Path(__file__).parents[2] / "deploy" / "sample"
IMPORTS = {kind.name: kind for kind in service.imports}


def rows_of(file: str) -> list[dict[str, str]]:
    with (SAMPLE / f"{file}.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    # The town of these tests has only some of the sample's compounds.
    return [row | {"based_in": "fenghe-garden"} if "based_in" in row else row for row in rows]


def take_in(town: Town, kind: str, values: Mapping[str, str], caller: Caller | None = None) -> None:
    caller = caller or Caller("station", community=town.id)
    town.registry.host.run(IMPORTS[kind].row, caller, town.id, values)


@pytest.fixture
def town(registry: Harness) -> Town:
    taxonomy = yaml.safe_load((SAMPLE / "taxonomy.yaml").read_text(encoding="utf-8"))
    town = open_town(registry, taxonomy=taxonomy)
    assert town.get(f"/communities/{town.id}/taxonomy") == taxonomy
    return town


@pytest.mark.parametrize("kind", ["organizations", "offers"])
def test_the_header_is_that_of_the_sample(kind: str) -> None:
    assert IMPORTS[kind].columns == tuple(rows_of(kind)[0])


def test_rows_become_organizations_with_agreements_and_offers(registry: Harness, town: Town) -> None:
    row = rows_of("organizations")[0]
    with town.telling("org.applied", "org.registered", "agreement.signed"):
        take_in(town, "organizations", row)
    offers = [offer for offer in rows_of("offers") if offer["organization_zh"] == row["name_zh"]]
    area = "heping-lane;fenghe-garden"
    with town.telling("offer.published", "offer.published"):
        take_in(town, "offers", offers[0] | {"area": area})
        take_in(town, "offers", offers[1] | {"area": " all ", "fee_mode": "free", "price": ""}, Caller("operator"))
    [organization] = registry.rows(Organization)
    [agreement] = registry.rows(Agreement)
    assert (organization.name_zh, organization.status) == (row["name_zh"], "registered")
    assert str(agreement.starts_on) == row["agreement_starts_on"]
    assert {"meal-service", "home-care"} <= set(agreement.items)
    by_area = {offer.area and tuple(offer.area): offer for offer in registry.rows(Offer)}
    assert by_area["fenghe-garden", "heping-lane"].price == offers[0]["price"]
    assert by_area[None].price is None


def test_a_row_may_be_a_hub_with_an_origin_and_another_its_member(registry: Harness, town: Town) -> None:
    rows = rows_of("organizations")
    hub, member = [row for row in rows if "大家乐文体协会" in (row["name_zh"], row["parents"])][:2]
    with town.telling("org.applied", "org.registered", "org.changed", "agreement.signed"):
        take_in(town, "organizations", hub | {"origin": "formed"})
    with town.telling("org.applied", "org.registered", "org.changed", "agreement.signed"):
        take_in(town, "organizations", member)
    kept = {row.name_zh: row for row in registry.rows(Organization)}
    assert (kept[hub["name_zh"]].hub, kept[hub["name_zh"]].origin) == (True, "formed")
    assert kept[member["name_zh"]].parents == [kept[hub["name_zh"]].id]


def test_every_hub_of_the_sample_stands_before_its_members() -> None:
    seen: set[str] = set()
    for row in rows_of("organizations"):
        assert {name for name in row["parents"].split(";") if name} <= seen
        seen.add(row["name_zh"])


def refuse(town: Town, kind: str, row: dict[str, str], cases: list[tuple[dict[str, str], str]]) -> None:
    """Each change makes this row a broken one, and the problem names the column."""
    for change, column in cases:
        with town.telling(), pytest.raises(Problem) as problem:
            take_in(town, kind, row | change)
        assert problem.value.field == column, problem.value.detail


def test_a_broken_organization_changes_nothing(registry: Harness, town: Town) -> None:
    cases = [
        ({"name_zh": " "}, "name_zh"),
        ({"class": "club"}, "class"),
        ({"origin": "found"}, "origin"),
        ({"hub": "maybe"}, "hub"),
        ({"parents": "没有这个协会"}, "parents"),
        ({"agreement_categories": "elderly;cooking"}, "agreement_categories"),
        ({"agreement_categories": ""}, "agreement_categories"),
        ({"agreement_starts_on": "soon"}, "agreement_starts_on"),
        ({"agreement_ends_on": "2020-01-01"}, "agreement_ends_on"),
        ({"based_in": "atlantis"}, "based_in"),
    ]
    refuse(town, "organizations", rows_of("organizations")[0], cases)
    assert registry.rows(Organization) == []


def test_a_broken_offer_changes_nothing(registry: Harness, town: Town) -> None:
    take_in(town, "organizations", rows_of("organizations")[0])
    cases = [
        ({"organization_zh": "没有这个组织"}, "organization_zh"),
        ({"item": "cooking"}, "item"),
        ({"item": "job-referral"}, "item"),
        ({"price": ""}, "price"),
        ({"price": "1,50"}, "price"),
        ({"area": "fenghe-garden;atlantis"}, "area"),
        ({"area": ""}, "area"),
        ({"hours": "8-5"}, "hours"),
        ({"weekly_capacity": "many"}, "weekly_capacity"),
    ]
    refuse(town, "offers", rows_of("offers")[0], cases)
    assert registry.rows(Offer) == []


def test_a_row_of_another_community_is_refused(registry: Harness, town: Town) -> None:
    for kind in IMPORTS:
        with town.telling(), pytest.raises(Problem) as problem:
            take_in(town, kind, rows_of(kind)[0], Caller("station", community="elsewhere"))
        assert problem.value.status == 403


def test_a_second_row_of_the_same_name_is_refused(town: Town) -> None:
    take_in(town, "organizations", rows_of("organizations")[0])
    with town.telling(), pytest.raises(Problem) as problem:
        take_in(town, "organizations", rows_of("organizations")[0])
    assert (problem.value.kind, problem.value.field) == ("name-taken", "name_zh")
