"""Offers and the menu."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from services.registry.models import Offer, Satisfaction
from shared import clock
from shared.events.feedback import SatisfactionChanged
from shared.events.registry import OfferChanged, OfferPublished, OfferWithdrawn
from shared.messaging.testing import Harness
from tests.registry.given import TAXONOMY, Town, open_town, refused


@pytest.fixture
def organization(town: Town) -> str:
    """A registered organization with an agreement over meals and home care."""
    id = town.registered()
    town.agreement(id)
    return id


def test_an_offer_is_published_changed_and_withdrawn(registry: Harness, town: Town, organization: str) -> None:
    own = registry.as_("organization", town.id, organization)
    terms = town.offer_terms(organization, price=13, area=["jinhui-court", "fenghe-garden", "jinhui-court"])
    with town.telling("offer.published"):
        offer = town.post("/offers", terms, own)
    assert (offer["price"], offer["area"], offer["category"]) == ("13.00", ["fenghe-garden", "jinhui-court"], "elderly")
    with town.telling("offer.changed"):
        answer = town.try_patch(f"/offers/{offer['id']}", {"price": "15.5", "area": None}, own)
    assert answer.json() == offer | {"price": "15.50", "area": None}
    with town.telling("offer.withdrawn"):
        withdrawn = town.post(f"/offers/{offer['id']}/withdrawal", headers=own)
    assert withdrawn["status"] == "withdrawn"

    facts = [registry.told(type)[0] for type in (OfferPublished, OfferChanged, OfferWithdrawn)]
    assert [(fact.subject, fact.sequence, fact.data.status, fact.data.price) for fact in facts] == [
        (offer["id"], 1, "published", "13.00"),
        (offer["id"], 2, "published", "15.50"),
        (offer["id"], 3, "withdrawn", "15.50"),
    ]
    assert facts[0].data.area == ("fenghe-garden", "jinhui-court")
    assert facts[1].data.area is None
    [row] = registry.rows(Offer)
    assert (row.status, row.price, row.withdrawn_at is not None) == ("withdrawn", "15.50", True)


def test_an_offer_is_refused(registry: Harness, town: Town, organization: str) -> None:
    cases: list[tuple[dict[str, Any], int, str, str]] = [
        ({"organization": "nobody"}, 404, "organization-unknown", "organization"),
        ({"item": "cooking"}, 422, "item-unknown", "item"),
        ({"item": "choir"}, 409, "agreement-missing", "item"),
        ({"area": ["fenghe-garden", "atlantis"]}, 422, "compound-unknown", "area"),
        ({"area": []}, 422, "invalid", "area"),
        ({"fee_mode": "free"}, 422, "price-unexpected", "price"),
        ({"price": None}, 422, "price-missing", "price"),
        ({"fee_mode": "paid", "price": None}, 422, "price-missing", "price"),
        ({"price": "13.005"}, 422, "invalid", "price"),
        ({"price": "0.00"}, 422, "invalid", "price"),
        ({"price": "-1"}, 422, "invalid", "price"),
        ({"price": "100000.01"}, 422, "invalid", "price"),
        ({"price": "NaN"}, 422, "invalid", "price"),
        ({"price": "cheap"}, 422, "invalid", "price"),
        ({"fee_mode": "gift"}, 422, "invalid", "fee_mode"),
        ({"hours": "whenever you like"}, 422, "hours-malformed", "hours"),
        ({"unit": "day"}, 422, "invalid", "unit"),
        ({"weekly_capacity": 0}, 422, "invalid", "weekly_capacity"),
        ({"title": "x"}, 422, "invalid", "title"),
    ]
    with town.telling():
        for terms, status, kind, field in cases:
            refused(town.try_post("/offers", town.offer_terms(organization) | terms), status, kind, field)
    assert registry.rows(Offer) == []


def test_an_offer_needs_an_agreement_in_force_today(town: Town) -> None:
    id = town.registered()
    terms = town.offer_terms(id)
    town.agreement(id, starts_on="2998-01-01")
    town.agreement(id, ends_on="2020-01-01")
    ended = town.agreement(id)
    town.post(f"/agreements/{ended}/ending", {"reason": "over"})
    with town.telling():
        refused(town.try_post("/offers", terms), 409, "agreement-missing", "item")
    town.agreement(id, categories=[], items=["meal-service"])
    with town.telling("offer.published"):
        town.post("/offers", terms)


def test_the_menu_ends_with_the_agreements_term(
    registry: Harness, town: Town, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    club = town.registered(name_zh="大家乐文体协会")
    town.agreement(club, categories=["leisure"], ends_on="2990-05-31")
    town.agreement(club, categories=["elderly"])
    choir, lunch, other = town.offer(club, item="choir"), town.offer(club), town.offer(organization)

    def shown(moment: str) -> list[str]:
        monkeypatch.setattr(clock, "now", lambda community=None: datetime.fromisoformat(moment))
        listed = [offer["id"] for offer in town.menu()]
        assert town.get(f"/communities/{town.id}/figures")["offers"] == len(listed)
        return listed

    # The term ends at midnight where the community lives.
    assert shown("2990-05-31T15:59:59+00:00") == [choir, lunch, other]
    assert shown("2990-05-31T16:00:00+00:00") == [lunch, other]
    assert town.get(f"/offers/{choir}")["status"] == "published"
    page = town.get("/offers", community=town.id, limit=1)
    assert [offer["id"] for offer in page["items"]] == [lunch]
    assert shown("3000-01-01T00:00:00+00:00") == []


def test_a_change_is_refused_like_a_new_offer(registry: Harness, town: Town, organization: str) -> None:
    path = f"/offers/{town.offer(organization)}"
    with town.telling():
        for changes, status, kind, field in [
            ({"fee_mode": "free"}, 422, "price-unexpected", "price"),
            ({"price": None}, 422, "price-missing", "price"),
            ({"price": "1.234"}, 422, "invalid", "price"),
            ({"hours": "8 to 5"}, 422, "hours-malformed", "hours"),
            ({"area": ["atlantis"]}, 422, "compound-unknown", "area"),
            ({"title_zh": None}, 422, "invalid", "title_zh"),
            ({"item": "home-care"}, 422, "invalid", "item"),
        ]:
            refused(town.try_patch(path, changes), status, kind, field)
        assert town.try_patch(path, {"price": "13", "hours": "Mo-Fr 10:30-12:30"}).status_code == 200
    with town.telling("offer.changed"):
        assert town.try_patch(path, {"fee_mode": "free", "price": None}).json()["price"] is None
    town.post(f"{path}/withdrawal")
    with town.telling():
        refused(town.try_patch(path, {"title_en": "New"}), 409, "offer-withdrawn", "status")
        refused(town.try_post(f"{path}/withdrawal"), 409, "offer-withdrawn", "status")
        refused(town.try_patch("/offers/none", {"title_en": "New"}), 404, "offer-unknown")
        refused(town.try_post("/offers/none/withdrawal"), 404, "offer-unknown")


def test_an_offer_is_its_organizations_own(registry: Harness, town: Town, organization: str) -> None:
    elsewhere = open_town(registry, "elsewhere")
    other = town.registered(name_zh="大家乐文体协会")
    path = f"/offers/{town.offer(organization)}"
    terms = town.offer_terms(organization)
    strangers = [elsewhere.station, registry.as_("organization", town.id, other), registry.as_("expert", town.id)]
    with town.telling():
        for headers in strangers:
            refused(town.try_post("/offers", terms, headers), 403, "forbidden")
            refused(town.try_patch(path, {"title_en": "New"}, headers), 403, "forbidden")
            refused(town.try_post(f"{path}/withdrawal", headers=headers), 403, "forbidden")
        refused(town.try_post("/offers", terms, {}), 401, "unauthenticated")
    assert [offer["title_en"] for offer in town.menu()] == ["Lunch delivered to the door"]


def test_a_post_that_is_sent_again_is_done_once(registry: Harness, town: Town, organization: str) -> None:
    terms = town.offer_terms(organization, area=["heping-lane"])
    headers = town.station | {"Idempotency-Key": "one"}
    with town.telling("offer.published"):
        first, again = (town.try_post("/offers", terms, headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(town.menu()) == 1


def test_the_menu_is_arranged_and_searched(registry: Harness, town: Town, organization: str) -> None:
    club = town.registered(name_zh="大家乐文体协会", name_en="Everybody Happy", organization_class="culture")
    town.agreement(club, categories=["leisure"])
    lunch = town.offer(organization)
    choir = town.offer(
        club, item="choir", fee_mode="free", price=None, title_zh="百分之100%的合唱", title_en="Neighbourhood Choir"
    )
    town.post(f"/offers/{town.offer(club, item='choir')}/withdrawal")

    def found(**query: Any) -> list[str]:
        return [offer["id"] for offer in town.menu(**query)]

    assert found() == [lunch, choir]
    assert found(organization_class="culture") == found(category="leisure") == found(item="choir") == [choir]
    assert found(fee_mode="free") == found(organization=club) == [choir]
    assert found(fee_mode="low", organization_class="culture") == []
    assert found(q="送餐") == found(q="LUNCH") == [lunch]
    assert found(q="choir") == found(q="0%的") == [choir]
    assert found(q="%") == [choir]
    assert found(q="_") == []

    page = town.get("/offers", community=town.id, limit=1)
    assert [offer["id"] for offer in page["items"]] == [lunch]
    page = town.get("/offers", community=town.id, limit=1, after=page["next"])
    assert ([offer["id"] for offer in page["items"]], page["next"]) == ([choir], None)

    entry = town.get(f"/offers/{choir}")
    assert entry == town.menu(item="choir")[0]
    assert {name: entry[name] for name in entry if "name" in name or name.startswith(("organization", "rat", "star"))} == {
        "organization": club,
        "organization_name_zh": "大家乐文体协会",
        "organization_name_en": "Everybody Happy",
        "organization_class": "culture",
        "organization_stars": None,
        "organization_ratings": 0,
        "category_name_zh": "暇有所乐",
        "category_name_en": "Leisure",
        "item_name_zh": "合唱",
        "item_name_en": "Choir",
        "stars": None,
        "ratings": 0,
    }


def test_a_search_that_finds_nothing_says_what_to_do_instead(town: Town, organization: str) -> None:
    lunch = town.offer(organization)

    def instead(**query: Any) -> Any:
        page = town.get("/offers", community=town.id, **query)
        assert page["items"] == []
        return page["instead"]

    # What somebody would serve, but nobody does: it is named, as many as are meant.
    care = instead(q=" 居家  照护 ")
    assert [(item["id"], item["category"], item["name_en"]) for item in care["items"]] == [
        ("home-care", "elderly", "Home care")
    ]
    assert care["zh"].startswith("目前还没有组织提供“居家照护”。您照样可以提出需求：用自己的话")
    assert care["en"].startswith(
        "No organization offers “Home care” at present. You can make a request all the same, in your own"
    )
    assert care["request"] == "/api/matching/requests"
    assert [item["id"] for item in instead(q="想唱歌")["items"]] == ["choir"]
    # What has no name here.
    printing = instead(q="打印")
    assert printing["items"] == [] and printing["zh"].startswith("菜单上没有找到“打印”。可以换个说法再找，")
    assert printing["en"].startswith("The menu has nothing under “打印”. Try other words, or make a request all the same,")
    # What is there, but not so.
    paid = instead(q="送餐", fee_mode="paid")
    assert paid["items"] == [] and "去掉几个条件" in paid["zh"] and "with fewer of them" in paid["en"]

    assert instead(fee_mode="paid") is None, "nothing was looked for by words"
    found = town.get("/offers", community=town.id, q="送餐", limit=1)
    assert ([offer["id"] for offer in found["items"]], found["instead"]) == ([lunch], None)


def test_an_offer_outlives_its_item(town: Town, organization: str) -> None:
    id = town.offer(organization)
    town.put_taxonomy(TAXONOMY | {"categories": TAXONOMY["categories"][1:]})
    [entry] = town.menu()
    assert (entry["id"], entry["item_name_zh"], entry["category_name_en"]) == (id, "meal-service", "elderly")


def satisfaction(town: Town, kind: Any, of: str, ratings: int, stars: float | None) -> SatisfactionChanged:
    return SatisfactionChanged(
        community=town.id,
        satisfaction=f"{kind}-{of}",
        kind=kind,
        of=of,
        score=80,
        low=70,
        high=90,
        ratings=ratings,
        evaluations=ratings + 1,
        stars=stars,
    )


def test_the_menu_shows_stars_from_five_ratings_on(registry: Harness, town: Town, organization: str) -> None:
    offer = town.offer(organization)

    def shown() -> tuple[Any, ...]:
        [entry] = town.menu()
        assert town.get(f"/offers/{offer}") == entry
        return tuple(entry[name] for name in ("stars", "ratings", "organization_stars", "organization_ratings"))

    registry.hear(satisfaction(town, "offer", offer, 4, None), sequence=4)
    assert shown() == (None, 4, None, 0)
    registry.hear(
        satisfaction(town, "offer", offer, 6, 4.2),
        satisfaction(town, "organization", organization, 9, 4.4),
        satisfaction(town, "item", "meal-service", 9, 3.1),
        satisfaction(town, "community", town.id, 50, 4.0),
        sequence=6,
    )
    assert shown() == (4.2, 6, 4.4, 9)
    registry.hear(satisfaction(town, "offer", offer, 5, 1.0), sequence=5)
    assert shown() == (4.2, 6, 4.4, 9)
    assert {row.kind for row in registry.rows(Satisfaction)} == {"offer", "organization", "item", "community"}
    assert registry.dead_letters() == []
    registry.hear(satisfaction(town, "offer", offer, 7, 4.3), sequence=7)
    assert shown() == (4.3, 7, 4.4, 9)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_menu_looks_up_what_it_needs_however_many_communities_there_are(
    registry: Harness, town: Town, organization: str
) -> None:
    town.offer(organization)
    asked: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        assert len(town.menu()) == 1
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    looks = [(statement, parameters) for statement, parameters in asked if statement.startswith("SELECT")]
    assert len(looks) >= 3
    with registry.session() as session:
        connection = session.connection()
        plans = [
            step[3]
            for statement, parameters in looks
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert [plan for plan in plans if "AUTOMATIC" in plan or plan.startswith(("SCAN satisfactions", "SCAN offers"))] == []


def test_of_one_batch_the_newest_counts(registry: Harness, town: Town, organization: str) -> None:
    offer = town.offer(organization)
    counts = [7, 9, 5, 8, 6]
    registry.deliver([registry.event(satisfaction(town, "offer", offer, n, n / 2), n) for n in counts])
    [entry] = town.menu()
    assert (entry["stars"], entry["ratings"]) == (4.5, 9)
