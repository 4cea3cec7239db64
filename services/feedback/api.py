"""Feedback's routes, under /api/feedback."""

from __future__ import annotations

from fastapi import APIRouter

from services.feedback import actions, queries
from services.feedback.method import METHOD
from services.feedback.views import (
    EvaluationTerms,
    EvaluationView,
    Figures,
    Method,
    RatingTerms,
    RatingView,
    SatisfactionView,
)
from shared.access import Caller, allow
from shared.events.feedback import SatisfactionKind
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/ratings", status_code=201, tags=["ratings"])
def rate_service(body: RatingTerms, caller: Caller = allow("resident"), edge: Edge = EDGE) -> RatingView:
    """Rate the service a request received, over the link given when it was submitted. Once per service; refused (409)
    until the request was reported as served, and while its resident disputes that."""
    return edge.run(actions.rate_service, caller, body)


@router.post("/evaluations", status_code=201, tags=["evaluations"])
def evaluate(body: EvaluationTerms, caller: Caller = allow("station", "expert"), edge: Edge = EDGE) -> EvaluationView:
    """Evaluate an organization, or one offer or item of it. Once per evaluator, organization and season."""
    return edge.run(actions.evaluate, caller, body)


@router.get("/evaluations", tags=["evaluations"])
def list_evaluations(
    community: str,
    organization: str | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station"),
    edge: Edge = EDGE,
) -> Page[EvaluationView]:
    """The evaluations of a community or of one of its organizations. Residents' appear without the request."""
    caller.belongs_to(community)
    return edge.read(queries.list_evaluations, community, organization, page)


@router.get("/satisfaction", tags=["satisfaction"])
def list_satisfaction(
    community: str,
    kind: SatisfactionKind | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[SatisfactionView]:
    """The satisfaction with the community, its organizations, offers and items. Where fewer than five residents have
    rated, only the counts are shown; the community's station sees the scores as well."""
    return edge.read(queries.list_satisfaction, caller, community, kind, page)


@router.get("/communities/{community}/figures", tags=["figures"])
def show_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Feedback's part of a community's figures."""
    return edge.read(queries.figures, community)


@router.get("/method", tags=["satisfaction"])
def show_method(caller: Caller = allow("anyone")) -> Method:
    """How satisfaction is computed."""
    return METHOD
