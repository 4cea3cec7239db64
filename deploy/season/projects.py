"""From needs to projects, and the claim meeting: proposed, opened, discussed, claimed, allocated, confirmed, delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from deploy.sample_community import Project, Sample
from deploy.season.calendar import Calendar
from deploy.season.deployment import Deployment
from deploy.season.joining import Member
from deploy.season.opening import Opened

MATCHING = "/api/matching"
MEETS_AFTER, OBJECTED_FOR = 4, 3
"""Days from the invitation to the claim meeting, and for objections after it."""
QUESTION = "这个项目的经费什么时候拨付？"
ANSWER = "签约后拨六成，居民评价合格后再拨四成。"
WITHDRAWN = ("好邻居帮帮团", "clean-homes")
"""Who thinks better of a claim before the bell, and which."""
FORBIDDEN = ("平安邻里巡逻队", "safe-sockets", "这支队伍没有用电检查资质，项目交给有资质的组织。")
OBJECTION = ("晚晴合唱团", "culture-festival", "去年的开幕晚会是我们唱的，希望再考虑。")
REJECTED = "分配按公布的办法计算，适合度更高的组织中选；欢迎合唱团参加演出。"
UNCLAIMED = "这一次没有组织认领，先把诉求退回，下次大会再议。"


@dataclass
class Projects:
    """The projects of a season, by their id in the sample."""

    deployment: Deployment
    opened: Opened
    sample: Sample
    calendar: Calendar
    seed: int
    ids: dict[str, str] = field(default_factory=dict)
    assigned: dict[str, Member] = field(default_factory=dict)

    def propose(self) -> None:
        """The station writes projects out of the needs nobody serves, and opens them."""
        for project in self.sample.projects:
            terms: dict[str, Any] = {
                "community": self.opened.community,
                "kind": project.kind,
                "title_zh": project.title_zh,
                "title_en": project.title_en,
                "scope_zh": project.scope_zh,
                "scope_en": project.scope_en,
                "category": project.category,
                "items": list(project.items),
                "fee_mode": project.fee_mode,
                "price": None if project.price is None else f"{project.price:.2f}",
                "budget": f"{project.budget:.2f}",
                "deadline": self._deadline(project),
            }
            id = str(self._post("/projects", project.id, terms)["id"])
            self.ids[project.id] = id
            self._post(f"/projects/{id}/opening", project.id)
        self.deployment.quiet("projects are opened")

    def meet(self) -> None:
        """Hold the claim meeting, to its confirmed result."""
        meeting = self._invite()
        self.calendar.turn_to(self.calendar.day + MEETS_AFTER)
        self._post(f"/meetings/{meeting}/opening", meeting)
        self._claim(meeting)
        self._post(f"/meetings/{meeting}/conclusion", meeting)
        self.deployment.quiet("the bell has rung")
        self._object(meeting)
        self.calendar.turn_to(self.calendar.day + OBJECTED_FOR + 1)
        self._post(f"/meetings/{meeting}/confirmation", meeting)
        self.deployment.quiet("the result is confirmed")
        by_id = {member.id: member for member in self.opened.members.values()}
        for name, id in self.ids.items():
            organization = self.deployment.get(f"{MATCHING}/projects/{id}")["organization"]
            if organization is not None:
                self.assigned[name] = by_id[organization]
            else:
                self._post(f"/projects/{id}/closing", name, {"reason": UNCLAIMED})

    def deliver(self) -> dict[str, Member]:
        """Every project that was assigned is delivered: who served which request (by id) in one."""
        served: dict[str, Member] = {}
        for name, member in self.assigned.items():
            id = self.ids[name]
            requests = self.deployment.get(f"{MATCHING}/projects/{id}", self.opened.station)["requests"]
            served |= dict.fromkeys(requests, member)
            self.deployment.post(f"{MATCHING}/projects/{id}/delivery", name, token=member.token)
        self.deployment.quiet("projects are delivered")
        return served

    def _invite(self) -> str:
        starts_at = self.calendar.moment(self.calendar.day + MEETS_AFTER)
        terms = {
            "community": self.opened.community,
            "title_zh": "项目研讨和认领大会",
            "title_en": "Project discussion and claim meeting",
            "starts_at": starts_at.isoformat(),
            "projects": list(self.ids.values()),
            "seed": self.seed,
            "objection_days": OBJECTED_FOR,
        }
        meeting = str(self._post("/meetings", "claim meeting", terms)["id"])
        asking = next(iter(self.sample.claims))
        question = {"project": self.ids[asking.projects[0]], "text": QUESTION}
        path = f"{MATCHING}/meetings/{meeting}/questions"
        asked = self.deployment.post(path, asking.organization_zh, question, token=self._token(asking.organization_zh))
        self._post(f"/questions/{asked['id']}/answer", asking.organization_zh, {"text": ANSWER})
        return meeting

    def _claim(self, meeting: str) -> None:
        """One after the other, so that the order of the claims is the same in every season of this seed."""
        for claims in self.sample.claims:
            for wish, project in enumerate(claims.projects, 1):
                terms = {"wish": wish, "capacity": claims.capacity}
                path = f"{MATCHING}/projects/{self.ids[project]}/claims"
                key = f"{claims.organization_zh} {project}"
                self.deployment.post(path, key, terms, token=self._token(claims.organization_zh))
        name, project = WITHDRAWN
        path = f"{MATCHING}/projects/{self.ids[project]}/claim-withdrawal"
        self.deployment.post(path, name, token=self._token(name))
        name, project, reason = FORBIDDEN
        pair = {"project": self.ids[project], "organization": self.opened.members[name].id, "kind": "forbidden"}
        self._post(f"/meetings/{meeting}/pairs", name, pair | {"reason": reason})

    def _object(self, meeting: str) -> None:
        name, project, reason = OBJECTION
        body = {"project": self.ids[project], "reason": reason}
        path = f"{MATCHING}/meetings/{meeting}/objections"
        raised = self.deployment.post(path, name, body, token=self._token(name))
        self._post(f"/objections/{raised['id']}/decision", name, {"upheld": False, "reason": REJECTED})

    def _deadline(self, project: Project) -> str:
        return self.calendar.moment(self.calendar.day + project.deadline_days).date().isoformat()

    def _token(self, name: str) -> str:
        return self.opened.members[name].token

    def _post(self, path: str, natural_key: str, body: Any = None) -> dict[str, Any]:
        return self.deployment.post(f"{MATCHING}{path}", natural_key, body, token=self.opened.station)
