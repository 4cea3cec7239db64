"""The station's desk as stories need it: requests of every channel, organizations that serve or claim, what people are told."""

from __future__ import annotations

from typing import Any

import httpx

from tests.system.test_joining_story import Station

MATCHING = "/api/matching"
LUNCH = "老人中午吃饭咋整"
"""Words that are read as the item meal-service."""


class Desk(Station):
    """The desk of a community's station, over HTTP."""

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        """A call of matching, by the station unless somebody else's headers are given; then everything comes to rest."""
        answer = self.client.request(method, MATCHING + path, json=body, headers=self.headers if headers is None else headers)
        self.system.quiet()
        return answer

    def do(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = self.ask("POST", path, body, headers)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def see(self, path: str, headers: dict[str, str] | None = None) -> Any:
        answer = self.ask("GET", path, headers=headers)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def kind_of_problem(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> str:
        answer = self.ask("POST", path, body, headers)
        assert answer.status_code >= 400, answer.text
        return str(answer.json()["type"]).rpartition(":")[2]

    def registered(self, name: str, **agreement: Any) -> str:
        """An organization that was registered and signed an agreement."""
        organization = self.apply(name)
        self.post(f"/organizations/{organization}/registration")
        self.agree(organization, **agreement)
        self.system.quiet()
        return organization

    def of(self, organization: str) -> dict[str, str]:
        return self.system.token("organization", self.community, organization)

    def request(self, text: str = LUNCH, **terms: Any) -> tuple[str, dict[str, str]]:
        """A request that was taken in, and the headers of whoever holds its link."""
        said = {"community": self.community, "compound": "fenghe-garden", "text": text} | terms
        taken_in = self.do("/requests", said, self.headers if terms else {})
        return taken_in["id"], {"Authorization": f"Bearer {taken_in['link']}"}

    def referral(self, request: str) -> dict[str, Any]:
        """The open referral of a request."""
        listed = self.see(f"/referrals?community={self.community}")["items"]
        (found,) = [one for one in listed if one["request"] == request and one["status"] in ("made", "accepted")]
        return dict(found)

    def told(self, headers: dict[str, str]) -> list[str]:
        """The kinds of the notices in somebody's inbox."""
        inbox = self.inbox(headers)
        assert all(notice["zh"] and notice["en"] for notice in inbox)
        return [notice["kind"] for notice in inbox]

    def inbox(self, headers: dict[str, str]) -> list[dict[str, Any]]:
        """The notices in somebody's inbox, oldest first."""
        return list(self.client.get("/api/notify/inbox?limit=200", headers=headers).json()["items"])

    def project(self, title: str, requests: list[str], **terms: Any) -> str:
        """The id of a project that was proposed and opened."""
        described = {
            "community": self.community,
            "category": "elderly",
            "items": ["meal-service"],
            "title_zh": title,
            "title_en": "A project",
            "scope_zh": "工作日送餐上门。",
            "scope_en": "Meals brought home on working days.",
        }
        id: str = self.do("/projects", described | {"requests": requests} | terms)["id"]
        self.do(f"/projects/{id}/opening")
        return id

    def meeting(self, *projects: str, objection_days: int = 2, **terms: Any) -> str:
        """The id of a claim meeting to which these projects are published."""
        announced = {
            "community": self.community,
            "title_zh": "项目研讨和认领大会",
            "title_en": "Claim meeting",
            "starts_at": self.now().isoformat(),
            "projects": projects,
            "objection_days": objection_days,
        }
        return str(self.do("/meetings", announced | terms)["id"])

    def claim(self, organization: str, project: str, wish: int = 1, capacity: int = 1) -> None:
        self.do(f"/projects/{project}/claims", {"wish": wish, "capacity": capacity}, self.of(organization))
