"""Experts and the talent pool, for their station."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.actions import people as actions
from services.registry.api.parameters import InCommunity
from services.registry.queries import people as queries
from services.registry.views.people import (
    ExpertChanges,
    ExpertRecord,
    ExpertTerms,
    ExpertView,
    TalentChanges,
    TalentLinkTerms,
    TalentRecord,
    TalentTerms,
    TalentView,
)
from shared.access import Caller, allow
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/experts", status_code=201, tags=["experts"], summary="Enrol an expert")
def enrol_expert(body: ExpertTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ExpertView:
    """Enrol an expert. Name and contact stay with the station; the answer and every fact know the id alone, which is the
    `subject` of the expert's token. Tells `expert.enrolled`. 422 `category-unknown`, `organization-unknown`."""
    return edge.run(actions.enrol_expert, caller, body)


@router.get("/experts", tags=["experts"], summary="List experts")
def list_experts(
    community: InCommunity,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station", "operator"),
    edge: Edge = EDGE,
) -> Page[ExpertRecord]:
    """The experts of a community, for its station."""
    return edge.read(queries.list_experts, caller, community, page)


@router.get("/experts/{expert}", tags=["experts"], summary="Show an expert")
def get_expert(expert: str, caller: Caller = allow("station", "operator"), edge: Edge = EDGE) -> ExpertRecord:
    """One expert, for the station."""
    return edge.read(queries.get_expert, caller, expert)


@router.patch("/experts/{expert}", tags=["experts"], summary="Change an expert")
def change_expert(expert: str, body: ExpertChanges, caller: Caller = allow("station"), edge: Edge = EDGE) -> ExpertView:
    """Change an expert; what is left out stays. Tells `expert.changed` where categories or conflicts are different. 409
    `expert-left`, 422 `category-unknown`, `organization-unknown`."""
    return edge.run(actions.change_expert, caller, expert, body)


@router.post("/experts/{expert}/leaving", tags=["experts"], summary="Let an expert go")
def let_expert_go(expert: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> ExpertView:
    """An expert is not available any more; name and contact are deleted. Tells `expert.left`. 409 `expert-left`."""
    return edge.run(actions.let_expert_go, caller, expert)


@router.post("/talents", status_code=201, tags=["talents"], summary="Enrol a talent")
def enrol_talent(body: TalentTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> TalentView:
    """Take somebody into the talent pool. Name and contact stay with the station; the answer and every fact know the id alone.
    Tells `talent.enrolled`. 422 `category-unknown`."""
    return edge.run(actions.enrol_talent, caller, body)


@router.get("/talents", tags=["talents"], summary="List the talent pool")
def list_talents(
    community: InCommunity,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station", "operator"),
    edge: Edge = EDGE,
) -> Page[TalentRecord]:
    """The talent pool of a community, for its station."""
    return edge.read(queries.list_talents, caller, community, page)


@router.get("/talents/{talent}", tags=["talents"], summary="Show a talent")
def get_talent(talent: str, caller: Caller = allow("station", "operator"), edge: Edge = EDGE) -> TalentRecord:
    """Somebody of the talent pool, for the station."""
    return edge.read(queries.get_talent, caller, talent)


@router.post("/talents/{talent}/links", tags=["talents"], summary="Join, lead or found an organization")
def link_talent(talent: str, body: TalentLinkTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> TalentView:
    """A talent joins, leads or founds an organization; one that is founded has the origin `formed`. Tells `talent.linked`. 409
    `talent-left`, `organization-left`, `organization-not-formed`, `link-exists`."""
    return edge.run(actions.link_talent, caller, talent, body)


@router.patch("/talents/{talent}", tags=["talents"], summary="Change a talent")
def change_talent(talent: str, body: TalentChanges, caller: Caller = allow("station"), edge: Edge = EDGE) -> TalentView:
    """Change somebody in the talent pool; what is left out stays. Tells `talent.changed` where the skills are different. 409
    `talent-left`, 422 `category-unknown`."""
    return edge.run(actions.change_talent, caller, talent, body)


@router.post("/talents/{talent}/unlinking", tags=["talents"], summary="Be with an organization no longer")
def unlink_talent(talent: str, body: TalentLinkTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> TalentView:
    """A talent is with an organization no longer in this way, or was said to be by mistake. Tells `talent.unlinked`. 409
    `talent-left`, `founder-missing` for the only founder of one that is formed around talents, 422 `link-unknown`."""
    return edge.run(actions.unlink_talent, caller, talent, body)


@router.post("/talents/{talent}/leaving", tags=["talents"], summary="Let a talent go")
def let_talent_go(talent: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> TalentView:
    """Somebody leaves the talent pool; name and contact are deleted. Tells `talent.left`. 409 `talent-left`."""
    return edge.run(actions.let_talent_go, caller, talent)
