"""A community as its people use it over HTTP, with what a test does not care about filled in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from httpx import Response

from shared.messaging.testing import Harness

BASE = "/api/registry"
MET = {"asked": "民政局", "answer": "可以", "met": True}
"""What is recorded of a registration standard that is met."""
COMPOUNDS = [
    {"id": "fenghe-garden", "name_zh": "丰和花园", "name_en": "Fenghe Garden", "latitude": 43.87, "longitude": 125.26},
    {"id": "heping-lane", "name_zh": "和平里", "name_en": "Heping Lane", "latitude": None, "longitude": None},
    {"id": "jinhui-court", "name_zh": "锦辉苑", "name_en": "Jinhui Court", "latitude": None, "longitude": None},
]
TAXONOMY: dict[str, Any] = {
    "id": "fenghe",
    "version": 1,
    "categories": [
        {
            "id": "elderly",
            "name": {"zh": "老有所依", "en": "Elderly"},
            "phrases": {"zh": ["家里老人没人管"], "en": ["who looks after my father"]},
            "items": [
                {
                    "id": "meal-service",
                    "name": {"zh": "助餐送餐", "en": "Meals"},
                    "phrases": {"zh": ["老人中午吃饭咋整"], "en": ["a hot lunch for my mother"]},
                },
                {
                    "id": "home-care",
                    "name": {"zh": "居家照护", "en": "Home care"},
                    "phrases": {"zh": [], "en": []},
                },
            ],
        },
        {
            "id": "leisure",
            "name": {"zh": "暇有所乐", "en": "Leisure"},
            "phrases": {"zh": [], "en": []},
            "items": [
                {"id": "choir", "name": {"zh": "合唱", "en": "Choir"}, "phrases": {"zh": ["想唱歌"], "en": []}},
            ],
        },
        {
            "id": "mobility",
            "name": {"zh": "行有所畅", "en": "Mobility"},
            "phrases": {"zh": [], "en": []},
            "items": [],
        },
    ],
}


@dataclass
class Town:
    """A community and the headers of its station."""

    registry: Harness
    id: str
    station: dict[str, str]

    def organization(self, **terms: Any) -> str:
        """An organization that applied."""
        return self.post("/organizations", self.application(**terms), headers={})["id"]

    def application(self, **terms: Any) -> dict[str, Any]:
        return {
            "community": self.id,
            "name_zh": "春晖助老服务中心",
            "name_en": "Chunhui Elderly Support Centre",
            "organization_class": "public-welfare",
            "introduction_zh": "我们照顾社区里的老人。",
            "introduction_en": "We look after the neighbourhood's elders.",
        } | terms

    def registered(self, **terms: Any) -> str:
        """An organization that is registered."""
        id = self.organization(**terms)
        self.post(f"/organizations/{id}/registration")
        return id

    def agreement(self, organization: str, **terms: Any) -> str:
        """An agreement in force for meals and home care."""
        return self.post("/agreements", self.agreement_terms(organization, **terms))["id"]

    def agreement_terms(self, organization: str, **terms: Any) -> dict[str, Any]:
        term = {"starts_on": "2020-01-01", "ends_on": "2999-12-31"}
        return {"organization": organization, "categories": ["elderly"], **term} | terms

    def offer(self, organization: str, **terms: Any) -> str:
        """An offer on the menu."""
        return self.post("/offers", self.offer_terms(organization, **terms))["id"]

    def offer_terms(self, organization: str, **terms: Any) -> dict[str, Any]:
        return {
            "organization": organization,
            "item": "meal-service",
            "title_zh": "中午送餐到家",
            "title_en": "Lunch delivered to the door",
            "fee_mode": "low",
            "price": "13.00",
            "unit": "person",
            "standard_zh": "一荤两素一汤。",
            "standard_en": "One meat dish, two vegetables and a soup.",
            "area": None,
            "hours": "Mo-Fr 10:30-12:30",
            "weekly_capacity": 20,
        } | terms

    def activity_terms(self, organization: str, **terms: Any) -> dict[str, Any]:
        """An activity of yesterday."""
        begin = datetime.now(UTC) - timedelta(days=1)
        return {
            "organization": organization,
            "category": "elderly",
            "title_zh": "重阳敬老饭",
            "title_en": "A meal for the elders",
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=2)).isoformat(),
            "place_zh": "社区食堂",
            "place_en": "Community canteen",
            "capacity": 90,
        } | terms

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = self.try_post(path, body, headers)
        assert answer.is_success, answer.text
        return answer.json()

    def try_post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Response:
        headers = self.station if headers is None else headers
        return self.registry.client.post(BASE + path, json=body, headers=headers)

    def try_patch(self, path: str, body: Any, headers: dict[str, str] | None = None) -> Response:
        headers = self.station if headers is None else headers
        return self.registry.client.patch(BASE + path, json=body, headers=headers)

    def put_taxonomy(self, taxonomy: Any, headers: dict[str, str] | None = None) -> Response:
        headers = self.station if headers is None else headers
        return self.registry.client.put(f"{BASE}/communities/{self.id}/taxonomy", json=taxonomy, headers=headers)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        answer = self.registry.client.get(BASE + path, params=query, headers=headers or {})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def menu(self, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/offers", community=self.id, **query)["items"]
        return items

    @contextmanager
    def telling(self, *types: str) -> Iterator[None]:
        """What is done inside tells exactly these facts, in any order of subjects."""
        before = len(self.registry.told())
        yield
        told = [event.type.removeprefix("fenghe.").removesuffix(".v1") for event in self.registry.told()[before:]]
        assert sorted(told) == sorted(types), f"told {told}"


def open_town(registry: Harness, slug: str = "fenghe", taxonomy: Any = TAXONOMY, rehearsal: bool = False) -> Town:
    """A community that was opened, with its taxonomy."""
    body = {"slug": slug, "name_zh": "丰和社区", "name_en": "Fenghe Community", "compounds": COMPOUNDS}
    body |= {"rehearsal": rehearsal}
    answer = registry.client.post(f"{BASE}/communities", json=body, headers=registry.as_("operator"))
    assert answer.status_code == 201, answer.text
    id = answer.json()["id"]
    town = Town(registry, id, registry.as_("station", community=id, subject="station-1"))
    assert town.put_taxonomy(taxonomy).status_code == 200
    return town


def refused(answer: Response, status: int, kind: str, field: str | None = None) -> None:
    """The answer is this problem, and names this field."""
    problem = answer.json()
    fields = [error["field"] for error in problem.get("errors", [])]
    assert (answer.status_code, problem["type"], fields) == (
        status,
        f"urn:fenghe:problem:{kind}",
        [field] if field else [],
    ), answer.text
