"""Matching's figures and its published method over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.matching import actions, queries
from services.matching.method import METHOD
from services.matching.views import Figures, Method, ModelView, RenewalView
from shared.access import Caller, allow
from shared.web import EDGE, Edge

router = APIRouter()


@router.get("/communities/{community}/figures", tags=["figures"])
def get_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Matching's part of a community's figures."""
    return edge.read(queries.figures.figures, community)


@router.get("/communities/{community}/models", tags=["method"])
def list_models(community: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> list[ModelView]:
    """The models that read a community's requests, newest first, with what the labels held out said of them."""
    return edge.read(actions.models.list_models, caller, community)


@router.post("/communities/{community}/models", status_code=202, tags=["method"])
def renew_model(community: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> RenewalView:
    """Learn now, instead of by night, what people said since the last time. The new model takes over only where it is better
    on the labels held out."""
    return edge.run(actions.models.renew_model, caller, community)


@router.get("/method", tags=["method"])
def get_method(caller: Caller = allow("anyone")) -> Method:
    """How requests are read and organizations are ranked, published."""
    return METHOD
