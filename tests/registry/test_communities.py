"""Communities, their taxonomy, and the figures."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from services.registry.models import Category, Community, Compound, Item
from shared.events.registry import CommunityOpened, TaxonomyPublished
from shared.messaging.testing import Harness
from tests.registry.given import BASE, COMPOUNDS, TAXONOMY, Town, open_town, refused


def test_a_community_is_opened_once(registry: Harness, town: Town) -> None:
    [event] = registry.told(CommunityOpened)
    assert (event.subject, event.data.community, event.sequence) == (town.id, town.id, 1)
    assert [compound.id for compound in event.data.compounds] == [compound["id"] for compound in COMPOUNDS]
    shown = town.get(f"/communities/{town.id}")
    assert (shown["slug"], shown["rehearsal"], shown["compounds"]) == ("fenghe", False, COMPOUNDS)
    assert town.get("/communities") == {"items": [shown], "next": None}

    operator = registry.as_("operator")
    body = {"slug": "fenghe", "name_zh": "丰和", "name_en": "Fenghe", "compounds": COMPOUNDS}
    with town.telling():
        refused(town.try_post("/communities", body, operator), 409, "slug-taken", "slug")
        refused(town.try_post("/communities", body | {"slug": "another"}), 403, "forbidden")
        refused(town.try_post("/communities", body | {"slug": "another"}, {}), 401, "unauthenticated")
        refused(town.try_post("/communities", body | {"slug": "Not a slug"}, operator), 422, "invalid", "slug")
        refused(town.try_post("/communities", body | {"compounds": []}, operator), 422, "invalid", "compounds")
        twice = body | {"slug": "another", "compounds": [*COMPOUNDS, COMPOUNDS[1]]}
        refused(town.try_post("/communities", twice, operator), 422, "compound-duplicate", "compounds.3.id")
    assert len(registry.rows(Community)) == 1
    assert len(registry.rows(Compound)) == len(COMPOUNDS)
    refused(registry.client.get(f"{BASE}/communities/nowhere"), 404, "community-unknown")


def test_a_taxonomy_comes_back_as_it_was_published(registry: Harness, town: Town) -> None:
    assert town.get(f"/communities/{town.id}/taxonomy") == TAXONOMY
    [first] = registry.told(TaxonomyPublished)
    assert (first.data.name, first.data.version, first.community) == ("fenghe", 1, town.id)
    assert [category.id for category in first.data.categories] == ["elderly", "leisure", "mobility"]
    assert first.data.categories[0].items[0].phrases_zh == ("老人中午吃饭咋整",)

    smaller = {
        "id": "other",
        "categories": [{"id": "needs", "name": {"zh": "需求"}, "items": [_item("walk", en="Walk")]}],
    }
    assert town.put_taxonomy(smaller, registry.as_("operator")).json()["version"] == 2
    shown = town.get(f"/communities/{town.id}/taxonomy")
    [category] = shown["categories"]
    assert (shown["id"], shown["version"], category["name"]) == ("other", 2, {"zh": "需求", "en": "需求"})
    assert category["items"] == [
        {"id": "walk", "name": {"zh": "Walk", "en": "Walk"}, "phrases": {"zh": [], "en": []}},
    ]
    second = registry.told(TaxonomyPublished)[1]
    assert (second.subject, second.sequence, second.data.version) == (first.subject, 2, 2)
    assert second.data.categories[0].items[0].name_zh == "Walk"
    assert [row.id for row in registry.rows(Category)] == ["needs"]
    assert [row.id for row in registry.rows(Item)] == ["walk"]


def _item(id: str, **name: str) -> dict[str, Any]:
    return {"id": id, "name": name}


def test_a_broken_taxonomy_is_refused(town: Town) -> None:
    cases: list[tuple[Any, str, str]] = [
        (lambda t: t["categories"].append(t["categories"][1]), "category-duplicate", "categories.3.id"),
        (
            lambda t: t["categories"][2]["items"].append(_item("choir", zh="唱")),
            "item-duplicate",
            "categories.2.items.0.id",
        ),
        (lambda t: t["categories"][0].update(name={}), "invalid", "categories.0.name"),
        (lambda t: t["categories"][0].update(name={"zh": "  "}), "invalid", "categories.0.name"),
        (lambda t: t["categories"][0].pop("id"), "invalid", "categories.0.id"),
        (lambda t: t["categories"][0].update(item=[]), "invalid", "categories.0.item"),
        (lambda t: t.update(categories=[]), "invalid", "categories"),
    ]
    with town.telling():
        for change, kind, field in cases:
            taxonomy = deepcopy(TAXONOMY)
            change(taxonomy)
            refused(town.put_taxonomy(taxonomy), 422, kind, field)
    assert town.get(f"/communities/{town.id}/taxonomy") == TAXONOMY


def test_a_taxonomy_is_the_stations_own(registry: Harness, town: Town) -> None:
    elsewhere = open_town(registry, "elsewhere")
    with town.telling():
        refused(town.put_taxonomy(TAXONOMY, elsewhere.station), 403, "forbidden")
        refused(town.put_taxonomy(TAXONOMY, registry.as_("organization", town.id, "some")), 403, "forbidden")
        refused(town.put_taxonomy(TAXONOMY, {}), 401, "unauthenticated")
        refused(Town(registry, "nowhere", elsewhere.station).put_taxonomy(TAXONOMY), 404, "community-unknown")


def test_the_figures_count_what_is_there_today(town: Town) -> None:
    town.organization(name_zh="只申请了")
    organization = town.registered()
    town.agreement(organization)
    town.agreement(organization, ends_on="2020-01-02")
    town.offer(organization)
    town.post(f"/offers/{town.offer(organization)}/withdrawal")
    town.registry.drain()
    figures = town.get(f"/communities/{town.id}/figures")
    assert figures == {
        "communities": 1,
        "categories": 3,
        "items": 3,
        "organizations": 1,
        "agreements": 1,
        "offers": 1,
        "incubations": 0,
        "talents": 0,
        "activities": 0,
        "beneficiaries": 0,
        "expired": 1,
        "renewed": 0,
    }
