"""The evaluation body: appointed of station, experts and residents; its sessions about the projects that were delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy.season.chance import Chance
from deploy.season.deployment import Deployment
from deploy.season.joining import Member
from deploy.season.opening import Opened
from deploy.season.projects import Projects

FEEDBACK = "/api/feedback"
FINDINGS = {
    "statement_zh": "项目按约定完成，居民总体满意；请继续公开收支，把做得不够细的地方补上。",
    "statement_en": "The project was done as agreed and residents are on the whole content; keep the accounts open and mend "
    "what was not done carefully enough.",
}


@dataclass(frozen=True)
class Resident:
    """A resident who sits on the body: the request of theirs that was served, and its link."""

    request: str
    link: str


def evaluate_projects(
    deployment: Deployment, opened: Opened, projects: Projects, chance: Chance, residents: list[Resident], ends_on: str
) -> None:
    """Appoint the body and let it evaluate every delivered project, each party blind to the others' scores."""
    members = [
        {"party": "station", "subject": opened.slug},
        *({"party": "expert", "subject": expert.id} for expert in opened.experts),
        *({"party": "resident", "subject": resident.request} for resident in residents),
    ]
    body = {"community": opened.community, "ends_on": ends_on, "members": members}
    deployment.post(f"{FEEDBACK}/bodies", "evaluation body", body, token=opened.station)
    criteria = [criterion["id"] for criterion in deployment.get(f"{FEEDBACK}/method")["criteria"]]

    def evaluate(one: tuple[str, Member]) -> None:
        project, member = one
        about = {"community": opened.community, "project": projects.ids[project]}
        session = str(deployment.post(f"{FEEDBACK}/sessions", project, about, token=opened.station)["id"])
        quality = projects.sample.quality[member.organization.name_zh]
        judges = [opened.station, *(resident.link for resident in residents)]
        judges += [expert.token for expert in opened.experts if member.organization.name_zh not in expert.conflicts]
        for place, token in enumerate(judges):
            score: dict[str, Any] = {"criteria": dict.fromkeys(criteria, chance.score(project, place, quality))}
            path = f"{FEEDBACK}/sessions/{session}/scores"
            deployment.post(path, f"{project} {place}", score, token=token)
        deployment.post(f"{FEEDBACK}/sessions/{session}/publication", project, FINDINGS, token=opened.station)

    deployment.each("projects evaluated", list(projects.assigned.items()), evaluate)
    deployment.quiet("the findings are heard")
