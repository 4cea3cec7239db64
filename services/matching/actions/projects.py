"""What station and organizations do with projects."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from services.matching import gathering, holding, pairing, projects, queries, telling
from services.matching.models import Assignment, Claim, Community, Meeting, Project, Request
from services.matching.rules import PROJECT
from services.matching.views import (
    ProjectChanges,
    ProjectMergeTerms,
    ProjectTerms,
    ProjectView,
    ReasonTerms,
    RequestsTerms,
    SplitTerms,
)
from shared.access import Caller
from shared.events.matching import (
    MeetingChanged,
    ProjectChanged,
    ProjectClosed,
    ProjectDelivered,
    ProjectOpened,
    ProjectProposed,
    ProjectReopened,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound

CARRIER_LEFT = "承接的组织已退出，重新请组织认领。The organization that carried it left; it is open to be claimed again."
"""Why a project is open again whose organization is gone."""


def propose_project(tx: Transaction, caller: Caller, terms: ProjectTerms) -> ProjectView:
    """Gather unmatched requests into a project. Raises Invalid for a community nobody has heard of here, an item its
    taxonomy does not have, or a price that does not go with the fee mode, or a request there is not; Conflict for requests that
    cannot be gathered."""
    caller.belongs_to(terms.community)
    if tx.session.get(Community, terms.community) is None:
        raise Invalid("community", f"There is no community {terms.community!r} here (yet).", "community-unknown")
    _require_items(tx, terms.community, terms.items)
    _require_price(terms.fee_mode, terms.price)
    holding.hold_shared(tx.session, [terms.community])
    wanted = terms.requests
    if wanted is None:
        unmatched = select(Request.id).where(
            Request.community == terms.community, Request.status == "unmatched", col(Request.item).in_(terms.items)
        )
        wanted = list(tx.session.exec(unmatched))
    project = Project(
        **terms.model_dump(exclude={"kind", "requests", "beneficiaries", "joins"}),
        id=new_id(),
        kind=terms.kind or gathering.kind_of(terms.category),
        requests=[],
        beneficiaries=0,
        status="proposed",
        proposed_at=tx.now(terms.community),
    )
    tx.session.add(project)
    tx.session.flush()
    projects.gather(tx, project, projects.gatherable(tx, terms.community, wanted))
    projects.count(tx, project)
    projects.tell(tx, ProjectProposed, project)
    return queries.projects.project_view(tx.session, caller, project)


def change_project(tx: Transaction, caller: Caller, id: str, changes: ProjectChanges) -> ProjectView:
    """Edit a project, until the meeting to which it was published has been opened; the deadline of an assigned one may
    still be moved."""
    project, meeting = _held(tx, caller, id)
    given = changes.model_dump(exclude_unset=True)
    if not (project.status == "assigned" and set(given) == {"deadline"}):
        project.status = follow(PROJECT, "project", project.status, "change")
        _require_no_open_meeting(meeting)
    for name, value in given.items():
        if value is None and name not in ("price", "budget", "deadline"):
            raise Invalid(name, "This cannot be left empty.")
        setattr(project, name, value)
    _require_items(tx, project.community, given.get("items", ()))
    _require_price(project.fee_mode, project.price)
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectChanged, project)
    return queries.projects.project_view(tx.session, caller, project)


def change_requests(tx: Transaction, caller: Caller, id: str, terms: RequestsTerms) -> ProjectView:
    """Gather further requests into a proposed project, and release others from it; what is asked for is its concern from then
    on, too. Raises Invalid for one that is not in it, Conflict for one that cannot be gathered."""
    project, _ = _held(tx, caller, id)
    _require_proposed(project)
    inside = {request.id: request for request in projects.inside(tx, project)}
    strange = sorted(set(terms.remove) - set(inside))
    if strange:
        raise Invalid("remove", f"Request {strange[0]!r} is not in this project.", "request-unknown")
    added = projects.gatherable(tx, project.community, terms.add)
    projects.gather(tx, project, added)
    if project.items:  # one without items asks for no agreement in particular
        project.items = [*project.items, *sorted({one.item for one in added if one.item is not None} - set(project.items))]
    released = projects.release(tx, [inside[request] for request in sorted(set(terms.remove))])
    projects.count(tx, project)
    projects.tell(tx, ProjectChanged, project)
    pairing.match(tx, released)
    return queries.projects.project_view(tx.session, caller, project)


def merge_project(tx: Transaction, caller: Caller, id: str, terms: ProjectMergeTerms) -> ProjectView:
    """Let another proposed project of the community take the requests of this one over; this one is closed."""
    if terms.into == id:
        raise Invalid("into", "A project cannot be merged into itself.")
    community = _community(tx, id)
    caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    held = projects.hold(tx, (id, terms.into), "into")
    project, into = held[id], held[terms.into]
    if into.community != project.community:
        raise Invalid("into", f"There is no project {terms.into!r} in this community.", "project-unknown")
    for one in (project, into):
        _require_proposed(one)
    projects.gather(tx, into, projects.inside(tx, project))
    into.items = sorted({*into.items, *project.items})
    project.status, project.merged_into = follow(PROJECT, "project", project.status, "close"), into.id
    projects.count(tx, into)
    projects.tell(tx, ProjectClosed, project)
    projects.tell(tx, ProjectChanged, into)
    return queries.projects.project_view(tx.session, caller, into)


def split_project(tx: Transaction, caller: Caller, id: str, terms: SplitTerms) -> ProjectView:
    """Let some requests of a proposed project leave it for a new one, otherwise like it; each is of the items that its own
    requests ask for. Returns the new one."""
    project, _ = _held(tx, caller, id)
    _require_proposed(project)
    inside = {request.id: request for request in projects.inside(tx, project)}
    strange = sorted(set(terms.requests) - set(inside))
    if strange:
        raise Invalid("requests", f"Request {strange[0]!r} is not in this project.", "request-unknown")
    new = Project(
        **project.model_dump(exclude={"id", "title_zh", "title_en", "proposed_at"}),
        id=new_id(),
        title_zh=terms.title_zh,
        title_en=terms.title_en,
        proposed_at=tx.now(project.community),
    )
    tx.session.add(new)
    tx.session.flush()
    leaving = [inside[request] for request in sorted(set(terms.requests))]
    staying = [request for id, request in inside.items() if id not in terms.requests]
    new.items, project.items = _items_of(leaving, project.items), _items_of(staying, project.items)
    projects.gather(tx, new, leaving)
    projects.count(tx, project)
    projects.count(tx, new)
    projects.tell(tx, ProjectChanged, project)
    projects.tell(tx, ProjectProposed, new)
    return queries.projects.project_view(tx.session, caller, new)


def open_project(tx: Transaction, caller: Caller, id: str) -> ProjectView:
    """Publish a project: it may be put before a claim meeting."""
    project, _ = _held(tx, caller, id)
    project.status = follow(PROJECT, "project", project.status, "open")
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectOpened, project)
    return queries.projects.project_view(tx.session, caller, project)


def deliver_project(tx: Transaction, caller: Caller, id: str) -> ProjectView:
    """The organization reports the project's work done: the requests inside are served. Raises Conflict
    (`agreement-missing`) where it may not carry the project any more; the station may still report what was done before."""
    project, _ = _held(tx, caller, id, by_organization=True)
    project.status = follow(PROJECT, "project", project.status, "deliver")
    if project.uncovered and caller.role == "organization":
        detail = "You have no agreement in force for this project, or are suspended; the station decides what becomes of it."
        raise Conflict("agreement-missing", detail, "organization")
    project.delivered_at, project.overdue, project.uncovered = tx.now(project.community), False, False
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectDelivered, project)
    projects.serve(tx, project)
    return queries.projects.project_view(tx.session, caller, project)


def close_project(tx: Transaction, caller: Caller, id: str, terms: ReasonTerms) -> ProjectView:
    """Bring a project to its end. The requests of one that was not delivered are released, and looked at anew. Raises
    Conflict (`meeting-under-way`) while organizations claim it or may object."""
    project, meeting = _held(tx, caller, id)
    before = project.status
    project.status, project.reason = follow(PROJECT, "project", before, "close"), terms.reason
    if before == "opened":
        _require_no_open_meeting(meeting)
    released: list[Request] = []
    if before in ("proposed", "opened", "assigned"):
        _end_assignment(tx, project, "relieved")
        released = projects.release(tx, projects.inside(tx, project))
        project.meeting, project.uncovered = None, False
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectClosed, project)
    if before == "opened" and meeting is not None:
        _tell_changed(tx, meeting)
    pairing.match(tx, released)
    return queries.projects.project_view(tx.session, caller, project)


def reopen_project(tx: Transaction, caller: Caller, id: str, terms: ReasonTerms) -> ProjectView:
    """Take an assigned project back, or open one again that was closed undelivered, for another claim meeting. A closed one
    gathers those of its requests again that still stand unmatched. Raises Conflict (`project-delivered`) for one that was
    delivered, or was merged into another (`project-merged`)."""
    project, _ = _held(tx, caller, id)
    before = project.status
    after = follow(PROJECT, "project", before, "reopen")
    if project.delivered_at is not None:
        raise Conflict("project-delivered", "This project was delivered; propose a new one.", "status")
    if project.merged_into is not None:
        raise Conflict("project-merged", "This project was merged into another; open that one.", "status")
    _open_again(tx, project, after, terms.reason)
    return queries.projects.project_view(tx.session, caller, project)


def take_back_from(tx: Transaction, organizations: Collection[str]) -> None:
    """Open the projects again that are in the hands of organizations which are gone. The caller holds the communities."""
    for id in queries.projects.assigned_to(tx.session, organizations):
        project, _ = held_with_meeting(tx, id)
        if project.status == "assigned" and project.organization in organizations:
            _open_again(tx, project, follow(PROJECT, "project", project.status, "reopen"), CARRIER_LEFT)


def _open_again(tx: Transaction, project: Project, after: str, reason: str) -> None:
    before = project.status
    if before == "assigned":
        project.relieved = project.organization
        _end_assignment(tx, project, "relieved")
    project.status, project.organization, project.meeting = after, None, None
    project.overdue, project.uncovered, project.reason = False, False, reason
    if before == "assigned":
        projects.take_back(tx, project)
    else:
        free = holding.load(
            tx.session,
            col(Request.id).in_(project.requests),
            Request.status == "unmatched",
            Request.community == project.community,
        )
        projects.gather(tx, project, free)
    projects.count(tx, project)
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectReopened, project)


def _held(tx: Transaction, caller: Caller, id: str, by_organization: bool = False) -> tuple[Project, Meeting | None]:
    """A project and its meeting, which nobody else changes until the transaction ends."""
    community = _community(tx, id)
    caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    project, meeting = held_with_meeting(tx, id)
    if by_organization:
        caller.acts_for(project.organization or "")
    return project, meeting


def held_with_meeting(tx: Transaction, id: str, shared: bool = False) -> tuple[Project, Meeting | None]:
    """A project and before it its meeting, locked; a meeting held `shared` cannot be concluded meanwhile."""
    meeting = None
    named = tx.session.exec(select(Project.meeting).where(Project.id == id)).first()
    if named is not None:
        statement = select(Meeting).where(Meeting.id == named).with_for_update(read=shared)
        meeting = tx.session.exec(statement.execution_options(populate_existing=True)).one()
    project = projects.hold(tx, [id])[id]
    if project.meeting != named:
        raise Conflict("project-moved", "This project has just been put before another meeting; read it again.", "meeting")
    return project, meeting


def _community(tx: Transaction, id: str) -> str:
    community = tx.session.exec(select(Project.community).where(Project.id == id)).first()
    if community is None:
        raise NotFound("project", id)
    return community


def _require_items(tx: Transaction, community: str, items: Collection[str]) -> None:
    for item in items:
        if queries.menu.category_of(tx.session, community, item) is None:
            raise Invalid("items", f"There is no item {item!r} in this community's taxonomy (yet).", "item-unknown")


def _items_of(requests: Collection[Request], among: Collection[str]) -> list[str]:
    """Of some items those that these requests ask for, in their order; all of them where they ask for none."""
    asked = {request.item for request in requests}
    return [item for item in among if item in asked] or list(among)


def _require_proposed(project: Project) -> None:
    if project.status != "proposed":
        detail = f"This project is {project.status}; only a proposed one is put together differently."
        raise Conflict(f"project-{project.status}", detail, "status")


def _require_no_open_meeting(meeting: Meeting | None) -> None:
    if meeting is not None and meeting.status in ("opened", "concluded"):
        detail = "The meeting before which this project was put is under way; wait for its end."
        raise Conflict("meeting-under-way", detail, "meeting")


def _require_price(fee_mode: str, price: str | None) -> None:
    if (fee_mode == "free") != (price is None):
        raise Invalid("price", "A project that is not free has a price, and a free one has none.", "price-missing")


def _end_assignment(tx: Transaction, project: Project, claim_status: str) -> None:
    now: datetime = tx.now(project.community)
    held: Any = select(Assignment).where(Assignment.project == project.id, col(Assignment.ended_at).is_(None))
    for assignment in tx.session.exec(held):
        assignment.ended_at = now
        tx.session.add(assignment)
    won = select(Claim).where(Claim.project == project.id, Claim.status == "won")
    for claim in tx.session.exec(won):
        claim.status = claim_status
        tx.session.add(claim)


def _tell_changed(tx: Transaction, meeting: Meeting) -> None:
    tx.session.flush()
    listed = queries.meetings.projects_of(tx.session, meeting.id)
    tx.tell(MeetingChanged(**telling.meeting_state(meeting, listed, [])))
