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
from tests.matching.given import REFERRALS, REQUESTS, Town, holder


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
