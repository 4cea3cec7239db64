"""Projects and suggestions of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlmodel import Session, col, select

from services.matching import gathering
from services.matching.models import Claim, Meeting, Organization, Project, Request
from services.matching.queries import menu
from services.matching.views import ClaimView, ProjectView, Suggestion
from shared.access import Caller
from shared.clock import civil_date
from shared.events.words import ProjectStatus
from shared.messaging import clocks
from shared.problems import Forbidden, NotFound
from shared.web import Page, PageRequest, paginate


def suggestions(session: Session, caller: Caller, community: str) -> list[Suggestion]:
    """What unmatched requests could be gathered into projects, for the station."""
    caller.belongs_to(community)
    taxonomy = menu.current_taxonomies(session, [community]).get(community)
    names = {} if taxonomy is None else {item: (zh, en) for item, (zh, en) in taxonomy.names.items()}
    statement = select(Request).where(
        Request.community == community, Request.status == "unmatched", col(Request.item).is_not(None)
    )
    found = list(session.exec(statement.order_by(col(Request.id))))
    residents = residents_of(session, found, Request.community == community, Request.status == "merged")
    unmatched = [
        gathering.Unmatched(one.id, one.item, one.category, residents[one.id], one.text)
        for one in found
        if one.item is not None and one.category is not None
    ]
    before = select(Project).where(Project.community == community, Project.status == "proposed").order_by(col(Project.id))
    proposed = {item: project.id for project in session.exec(before) for item in project.items}
    today = civil_date(clocks.now(session, community))
    return gathering.suggest(community, unmatched, names, today, proposed)


def residents_of(session: Session, requests: Sequence[Request], *followers: Any) -> dict[str, frozenset[str]]:
    """By request, who asked for it: its own resident and those of the requests that follow it, which are found by these
    conditions. A resident is known by the first request that is known to be of the same household; of most requests
    nothing is known, and each counts as another's."""
    asked = {request.id: {request.resident or request.id} for request in requests}
    following = select(Request.merged_into, Request.resident, Request.id).where(
        col(Request.merged_into).is_not(None), *followers
    )
    for into, resident, id in session.exec(following):
        if into in asked:
            asked[into].add(resident or id)
    return {id: frozenset(residents) for id, residents in asked.items()}


def get_project(session: Session, caller: Caller, id: str) -> ProjectView:
    """A project; one that is not opened yet is for its station alone."""
    project = session.get(Project, id)
    if project is None:
        raise NotFound("project", id)
    if project.status == "proposed" and not _is_staff(caller, project.community):
        raise Forbidden("This project is not published yet.")
    return project_views(session, caller, [project])[0]


def list_projects(
    session: Session, caller: Caller, community: str, status: ProjectStatus | None, page: PageRequest
) -> Page[ProjectView]:
    """The projects of a community, oldest first; those not opened yet are for its station alone."""
    statement = select(Project).where(Project.community == community)
    if status is not None:
        statement = statement.where(Project.status == status)
    if not _is_staff(caller, community):
        statement = statement.where(Project.status != "proposed")
    listed: Page[Project] = paginate(session, statement, Project.id, page, _row)
    return Page(items=project_views(session, caller, listed.items), next=listed.next)


def assigned_to(session: Session, organizations: Collection[str]) -> list[str]:
    """The projects (ids, in order) that are in the hands of one of these organizations."""
    named = select(Organization.community).where(col(Organization.id).in_(organizations))
    theirs = select(Project.id).where(
        col(Project.community).in_(named), Project.status == "assigned", col(Project.organization).in_(organizations)
    )
    return sorted(session.exec(theirs))


def project_view(session: Session, caller: Caller, project: Project) -> ProjectView:
    """A project as this caller may read it."""
    return project_views(session, caller, [project])[0]


def project_views(session: Session, caller: Caller, projects: Sequence[Project]) -> list[ProjectView]:
    """Projects as this caller may read them: see `ProjectView`."""
    session.flush()
    ids = [project.id for project in projects]
    statement = select(Claim, Meeting.status).join(Meeting, col(Meeting.id) == col(Claim.meeting))
    statement = statement.where(col(Claim.project).in_(ids)).order_by(Claim.id)
    standing: dict[str, int] = defaultdict(int)
    readable: dict[str, list[Claim]] = defaultdict(list)
    staff = {project.id: _is_staff(caller, project.community) for project in projects}
    for claim, meeting in session.exec(statement):
        standing[claim.project] += claim.status in ("standing", "won")
        own = caller.role == "organization" and caller.organization == claim.organization
        public = meeting in ("concluded", "confirmed") and claim.won is not None
        if staff[claim.project] or own or public:
            readable[claim.project].append(claim)
    views = claim_views(session, [claim for some in readable.values() for claim in some])
    return [
        ProjectView(
            **project.model_dump(exclude={"proposed_at", "relieved", "requests"}),
            requests=project.requests if staff[project.id] else [],
            claimed=standing[project.id],
            claims=[views[claim.id] for claim in readable[project.id]],
        )
        for project in projects
    ]


def claim_views(session: Session, claims: Sequence[Claim]) -> dict[str, ClaimView]:
    """Claims with their organizations' names, by the claim's id."""
    organizations = select(Organization.id, Organization.name_zh, Organization.name_en).where(
        col(Organization.id).in_({claim.organization for claim in claims})
    )
    names = {id: (zh, en) for id, zh, en in session.exec(organizations)}
    found = {}
    for claim in claims:
        zh, en = names.get(claim.organization, (None, None))
        values = claim.model_dump(exclude={"id", "community", "meeting"})
        found[claim.id] = ClaimView(**values, organization_name_zh=zh, organization_name_en=en)
    return found


def _is_staff(caller: Caller, community: str) -> bool:
    return caller.role == "operator" or (caller.role == "station" and caller.community == community)


def _row(row: Any) -> Any:
    return row
