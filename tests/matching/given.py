"""A small community for matching's tests: the facts that make it, with what a test does not care about filled in."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from shared.events import Fact
from shared.events.feedback import SatisfactionChanged
from shared.events.registry import (
    AgreementEnded,
    AgreementSigned,
    Category,
    CommunityClockMoved,
    CommunityOpened,
    Compound,
    Item,
    OfferPublished,
    OfferWithdrawn,
    OrganizationLeft,
    OrganizationRegistered,
    OrganizationSuspended,
    TaxonomyPublished,
)
from shared.identifiers import new_id
from shared.messaging.testing import Harness

REQUESTS = "/api/matching/requests"
REFERRALS = "/api/matching/referrals"
PLUMBING, CHOIR, PESTS = "plumbing-electrical", "choir-music", "pest-control"
LEAK = "厨房的水龙头漏水了，想请师傅来修"
GIBBERISH = "zzzz qqqq"

CATEGORIES = (
    Category(
        id="housing",
        name_zh="住有所居",
        name_en="Housing",
        phrases_zh=("家里东西坏了",),
        phrases_en=("something broke at home",),
        items=(
            Item(
                id=PLUMBING,
                name_zh="水电维修",
                name_en="Plumbing and electrical repair",
                phrases_zh=("水龙头滴答滴答关不严", "马桶堵了", "家里跳闸了", "水管漏水想修一修"),
                phrases_en=("the tap drips", "a pipe is leaking", "the light switch is broken"),
            ),
            Item(
                id=PESTS,
                name_zh="除虫灭鼠",
                name_en="Pest control",
                phrases_zh=("家里有蟑螂", "老鼠进屋了", "虫子打不净"),
                phrases_en=("cockroaches in the kitchen", "a mouse came in"),
            ),
        ),
    ),
    Category(
        id="leisure",
        name_zh="暇有所乐",
        name_en="Leisure",
        items=(
            Item(
                id=CHOIR,
                name_zh="合唱与器乐",
                name_en="Choir and music",
                phrases_zh=("想加入合唱团唱歌", "二胡没人教"),
                phrases_en=("I want to sing in a choir", "learn an instrument"),
            ),
        ),
    ),
)


class Town:
    """A community with ids of its own. Its methods make facts about it; what is told is up to the test."""

    def __init__(self) -> None:
        self.community = new_id()
        self.ids: dict[str, str] = {}

    def id_of(self, name: str) -> str:
        """The id of whatever has this name here."""
        return self.ids.setdefault(name, new_id())

    def name_of(self, id: str) -> str:
        """The name behind an id."""
        return {id: name for name, id in self.ids.items()}[id]

    def opened(self) -> CommunityOpened:
        return CommunityOpened(
            community=self.community,
            slug="fenghe",
            name_zh="丰和社区",
            name_en="Fenghe",
            rehearsal=False,
            compounds=(
                Compound(id="garden", name_zh="丰和花园", name_en="Garden"),
                Compound(id="court", name_zh="锦辉苑", name_en="Court"),
            ),
        )

    def taxonomy(self, version: int = 1, categories: tuple[Category, ...] = CATEGORIES) -> TaxonomyPublished:
        return TaxonomyPublished(
            community=self.community,
            taxonomy=self.id_of("taxonomy"),
            name="tiny",
            version=version,
            categories=categories,
        )

    def clock_moved(self, ahead: timedelta) -> CommunityClockMoved:
        moved = {"rehearsal": True, "clock_ahead": int(ahead.total_seconds())}
        return CommunityClockMoved(**self.opened().model_dump() | moved)

    def organization(self, name: str, **state: Any) -> OrganizationRegistered:
        return OrganizationRegistered(**self._organization(name, "registered") | state)

    def suspended(self, name: str) -> OrganizationSuspended:
        return OrganizationSuspended(**self._organization(name, "suspended"))

    def left(self, name: str) -> OrganizationLeft:
        return OrganizationLeft(**self._organization(name, "left"))

    def _organization(self, name: str, status: str) -> dict[str, Any]:
        return {
            "community": self.community,
            "organization": self.id_of(name),
            "name_zh": name,
            "name_en": f"{name} in English",
            "organization_class": "public-welfare",
            "introduction_zh": "",
            "introduction_en": "",
            "status": status,
        }

    def agreement(self, name: str, *items: str, **terms: Any) -> AgreementSigned:
        return AgreementSigned(**self._agreement(name, items, "in-force") | terms)

    def agreement_ended(self, name: str, *items: str) -> AgreementEnded:
        return AgreementEnded(**self._agreement(name, items, "ended"))

    def _agreement(self, name: str, items: tuple[str, ...], status: str) -> dict[str, Any]:
        return {
            "community": self.community,
            "agreement": self.id_of(f"agreement of {name}"),
            "organization": self.id_of(name),
            "items": items or (PLUMBING,),
            "starts_on": date(2020, 1, 1),
            "ends_on": date(2099, 12, 31),
            "status": status,
        }

    def offer(self, name: str, item: str = PLUMBING, **terms: Any) -> OfferPublished:
        return OfferPublished(**self._offer(name, item, "published") | terms)

    def offer_withdrawn(self, name: str, item: str = PLUMBING) -> OfferWithdrawn:
        return OfferWithdrawn(**self._offer(name, item, "withdrawn"))

    def _offer(self, name: str, item: str, status: str) -> dict[str, Any]:
        return {
            "community": self.community,
            "offer": self.id_of(f"offer of {name}"),
            "organization": self.id_of(name),
            "item": item,
            "category": "housing",
            "title_zh": f"{name}上门",
            "title_en": f"{name} comes",
            "fee_mode": "free",
            "price": None,
            "unit": "visit",
            "standard_zh": "",
            "standard_en": "",
            "area": None,
            "hours": "Mo-Fr 08:00-17:00",
            "weekly_capacity": 10,
            "status": status,
        }

    def satisfaction(self, name: str, score: float, stars: float | None, ratings: int) -> SatisfactionChanged:
        return SatisfactionChanged(
            community=self.community,
            satisfaction=self.id_of(f"satisfaction with {name}"),
            kind="organization",
            of=self.id_of(name),
            score=score,
            low=score,
            high=score,
            ratings=ratings,
            evaluations=ratings,
            stars=stars,
        )

    def member(self, name: str, item: str = PLUMBING, **offer: Any) -> list[Fact]:
        """Everything that makes an organization able to serve an item."""
        return [self.organization(name), self.agreement(name, item), self.offer(name, item, **offer)]

    def open_with(self, matching: Harness, *members: str, item: str = PLUMBING) -> None:
        """Let matching hear of the community, its taxonomy, and organizations that serve an item."""
        facts: list[Fact] = [self.opened(), self.taxonomy()]
        for name in members:
            facts += self.member(name, item)
        matching.hear(*facts)

    def body(self, **terms: Any) -> dict[str, Any]:
        """What a resident submits."""
        return {"community": self.community, "text": LEAK, "compound": "garden"} | terms

    def submit(self, matching: Harness, **terms: Any) -> dict[str, Any]:
        """Submit a request and wait until it is matched; the answer."""
        answer = matching.client.post(REQUESTS, json=self.body(**terms))
        assert answer.status_code == 201, answer.text
        matching.drain()
        return dict(answer.json())


def holder(view: dict[str, Any]) -> dict[str, str]:
    """The headers of the resident who holds the link of a submitted request."""
    return {"Authorization": f"Bearer {view['link']}"}
