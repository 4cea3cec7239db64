"""Ranking over HTTP: a community's weights, and recorded conflicts."""

from __future__ import annotations

from fastapi import APIRouter

from services.matching import actions
from services.matching.views import ConflictTerms, ConflictView, WeightingsView, WeightingTerms
from shared.access import Caller, allow
from shared.web import EDGE, Edge

router = APIRouter()


@router.get("/communities/{community}/weights", tags=["method"])
def list_weights(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> WeightingsView:
    """The weights by which candidates are ranked in a community, with all that were set before and why."""
    return edge.read(actions.ranking.list_weights, community)


@router.put("/communities/{community}/weights", tags=["method"])
def set_weights(community: str, body: WeightingTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> WeightingsView:
    """Set the weights by which candidates are ranked from now on, with a reason that is published."""
    return edge.run(actions.ranking.set_weights, caller, community, body)


@router.get("/communities/{community}/conflicts", tags=["requests"])
def list_conflicts(community: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> list[ConflictView]:
    """The conflicts of interests that were recorded, newest first."""
    return edge.read(actions.ranking.list_conflicts, caller, community)


@router.post("/communities/{community}/conflicts", status_code=201, tags=["requests"])
def record_conflict(community: str, body: ConflictTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ConflictView:
    """Record that an organization is not to be asked for what it has an interest in."""
    return edge.run(actions.ranking.record_conflict, caller, community, body)


@router.post("/conflicts/{id}/ending", tags=["requests"])
def end_conflict(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> ConflictView:
    """Take a conflict back."""
    return edge.run(actions.ranking.end_conflict, caller, id)
