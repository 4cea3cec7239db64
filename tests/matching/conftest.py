"""A running matching service, and the steps its tests have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from services.matching.app import service
from services.matching.models import Referral
from shared.messaging.testing import Harness
from shared.service import Service
from tests.matching.given import PLUMBING, REFERRALS, REQUESTS, Town, holder


@pytest.fixture
def matching(harness: Callable[[Service], Harness]) -> Harness:
    return harness(service)


@pytest.fixture
def town() -> Town:
    return Town()


class Steps:
    """What people do, one call each; every one waits until its effects are through."""

    def __init__(self, matching: Harness, town: Town) -> None:
        self.matching = matching
        self.town = town

    @property
    def station(self) -> dict[str, str]:
        return self.matching.as_("station", community=self.town.community)

    def of(self, organization: str) -> dict[str, str]:
        """The headers of an organization, by name."""
        return self.matching.as_("organization", community=self.town.community, organization=self.town.id_of(organization))

    def seen(self, id: str) -> dict[str, Any]:
        """The request as the station sees it."""
        answer = self.matching.client.get(f"{REQUESTS}/{id}", headers=self.station)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def open_referral(self, request: str) -> Referral:
        (referral,) = [
            row for row in self.matching.rows(Referral) if row.request == request and row.status in ("made", "accepted")
        ]
        return referral

    def asked(self, request: str) -> str:
        """The name of the organization the request stands before."""
        return self.town.name_of(self.open_referral(request).organization)

    def decide(self, request: str, verb: str, body: Any = None) -> httpx.Response:
        """The organization before which the request stands does something about its referral."""
        referral = self.open_referral(request)
        headers = self.of(self.town.name_of(referral.organization))
        return self.post(f"{REFERRALS}/{referral.id}/{verb}", headers, body)

    def do(self, request: dict[str, Any], verb: str, body: Any = None, station: bool = False) -> httpx.Response:
        """The resident (or the station) does something about the request."""
        headers = self.station if station else holder(request)
        return self.post(f"{REQUESTS}/{request['id']}/{verb}", headers, body)

    def post(self, path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
        answer = self.matching.client.post(path, headers=headers, json=body)
        self.matching.drain()
        return answer

    def told(self) -> list[str]:
        """The types of all facts told, without the frame: `request.submitted`."""
        return [event.type.removeprefix("fenghe.").removesuffix(".v1") for event in self.matching.told()]


@pytest.fixture
def steps(matching: Harness, town: Town) -> Steps:
    return Steps(matching, town)


class Desk(Steps):
    """The station's desk for projects and claim meetings, and the organizations at its meetings."""

    def ask(self, path: str, body: Any = None, of: str | None = None, method: str = "POST") -> httpx.Response:
        """The station, or an organization, asks matching for something."""
        headers = self.station if of is None else self.of(of)
        answer = self.matching.client.request(method, f"/api/matching/{path}", headers=headers, json=body)
        self.matching.drain()
        return answer

    def done(self, path: str, body: Any = None, of: str | None = None, method: str = "POST") -> dict[str, Any]:
        """The same, and it is done."""
        answer = self.ask(path, body, of, method)
        assert answer.status_code in (200, 201), answer.text
        return dict(answer.json())

    def propose(self, **terms: Any) -> dict[str, Any]:
        """A project of the unmatched requests for plumbing, unless it says otherwise."""
        described = {"title_zh": "水电维修", "title_en": "Repairs", "scope_zh": "上门维修", "scope_en": "Repairs at home"}
        named = {"community": self.town.community, "category": "housing", "items": [PLUMBING]}
        return self.done("projects", described | named | terms)

    def opened(self, title: str = "水电维修", **terms: Any) -> str:
        """The id of a new project that is open."""
        project: str = self.propose(title_zh=title, title_en=title, **terms)["id"]
        self.done(f"projects/{project}/opening")
        return project

    def schedule(self, *projects: str, **terms: Any) -> str:
        """The id of a meeting for these projects."""
        described = {"title_zh": "认领大会", "title_en": "Claim meeting", "starts_at": "2020-01-01T09:00:00+08:00"}
        named = {"community": self.town.community, "projects": projects, "seed": 7, "objection_days": 0}
        meeting: str = self.done("meetings", described | named | terms)["id"]
        return meeting

    def meet(self, *projects: str, **terms: Any) -> str:
        """The id of a meeting for these projects that is open."""
        meeting = self.schedule(*projects, **terms)
        self.done(f"meetings/{meeting}/opening")
        return meeting

    def claim(self, organization: str, project: str, wish: int = 1, capacity: int = 1) -> httpx.Response:
        return self.ask(f"projects/{project}/claims", {"wish": wish, "capacity": capacity}, of=organization)

    def project(self, id: str) -> dict[str, Any]:
        return self.done(f"projects/{id}", method="GET")

    def meeting(self, id: str) -> dict[str, Any]:
        return self.done(f"meetings/{id}", method="GET")

    def assigned(self, project: str, *organizations: str) -> str:
        """Let these claim a project and confirm the result; the id of the meeting."""
        meeting = self.meet(project)
        for organization in organizations:
            assert self.claim(organization, project).status_code == 200
        self.done(f"meetings/{meeting}/conclusion")
        self.done(f"meetings/{meeting}/confirmation")
        return meeting


@pytest.fixture
def desk(matching: Harness, town: Town) -> Desk:
    return Desk(matching, town)
