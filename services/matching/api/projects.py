"""Projects and claims over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.matching import actions, queries
from services.matching.api.parameters import CommunityId
from services.matching.views import (
    ClaimTerms,
    ProjectChanges,
    ProjectMergeTerms,
    ProjectTerms,
    ProjectView,
    ReasonTerms,
    RequestsTerms,
    SplitTerms,
    Suggestion,
)
from shared.access import Caller, allow
from shared.events.words import ProjectStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.get("/project-suggestions", tags=["projects"])
def list_suggestions(community: CommunityId, caller: Caller = allow("station"), edge: Edge = EDGE) -> list[Suggestion]:
    """Unmatched requests that ask for the same, as projects that could be proposed; those that reach most residents first."""
    return edge.read(queries.projects.suggestions, caller, community)


@router.post("/projects", status_code=201, tags=["projects"])
def propose_project(body: ProjectTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Gather unmatched requests into a project; a suggestion may be sent back as it is."""
    return edge.run(actions.projects.propose_project, caller, body)


@router.get("/projects", tags=["projects"])
def list_projects(
    community: CommunityId,
    status: ProjectStatus | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[ProjectView]:
    """The projects of a community, oldest first; those not opened yet are for its station alone."""
    return edge.read(queries.projects.list_projects, caller, community, status, page)


@router.get("/projects/{id}", tags=["projects"])
def get_project(id: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> ProjectView:
    """A project; one that is not opened yet is for its station alone."""
    return edge.read(queries.projects.get_project, caller, id)


@router.patch("/projects/{id}", tags=["projects"])
def change_project(id: str, body: ProjectChanges, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Edit a project, until its claim meeting opens; the deadline of an assigned one may still be moved."""
    return edge.run(actions.projects.change_project, caller, id, body)


@router.post("/projects/{id}/requests", tags=["projects"])
def change_requests(id: str, body: RequestsTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Gather further unmatched requests into a proposed project, and release others from it."""
    return edge.run(actions.projects.change_requests, caller, id, body)


@router.post("/projects/{id}/merging", tags=["projects"])
def merge_project(id: str, body: ProjectMergeTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Let another proposed project take the requests of this one over; the answer is the other."""
    return edge.run(actions.projects.merge_project, caller, id, body)


@router.post("/projects/{id}/splitting", status_code=201, tags=["projects"])
def split_project(id: str, body: SplitTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Let some requests leave a proposed project for a new one; the answer is the new one."""
    return edge.run(actions.projects.split_project, caller, id, body)


@router.post("/projects/{id}/opening", tags=["projects"])
def open_project(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Publish a project: it may be put before a claim meeting."""
    return edge.run(actions.projects.open_project, caller, id)


@router.post("/projects/{id}/claims", tags=["projects"])
def claim_project(id: str, body: ClaimTerms, caller: Caller = allow("organization"), edge: Edge = EDGE) -> ProjectView:
    """Claim a project while its meeting is open."""
    return edge.run(actions.claims.claim_project, caller, id, body)


@router.post("/projects/{id}/claim-withdrawal", tags=["projects"])
def withdraw_claim(id: str, caller: Caller = allow("organization"), edge: Edge = EDGE) -> ProjectView:
    """Withdraw one's claim before the bell."""
    return edge.run(actions.claims.withdraw_claim, caller, id)


@router.post("/projects/{id}/delivery", tags=["projects"])
def deliver_project(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ProjectView:
    """Report the project's work done; the residents inside may now rate or dispute it."""
    return edge.run(actions.projects.deliver_project, caller, id)


@router.post("/projects/{id}/closing", tags=["projects"])
def close_project(id: str, body: ReasonTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Bring a project to its end; the requests of one that was not delivered are released and looked at anew."""
    return edge.run(actions.projects.close_project, caller, id, body)


@router.post("/projects/{id}/reopening", tags=["projects"])
def reopen_project(id: str, body: ReasonTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ProjectView:
    """Take an assigned project back, or open one again that was closed undelivered, for another claim meeting."""
    return edge.run(actions.projects.reopen_project, caller, id, body)
