"""Communities, their clock, their taxonomy and their figures."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.actions import communities as actions
from services.registry.queries import communities as queries
from services.registry.views.communities import (
    ClockSetting,
    CommunityTerms,
    CommunityView,
    Figures,
    TaxonomyTerms,
    TaxonomyView,
)
from shared.access import Caller, allow
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/communities", status_code=201, tags=["communities"], summary="Open a community")
def open_community(body: CommunityTerms, caller: Caller = allow("operator"), edge: Edge = EDGE) -> CommunityView:
    """Open a community with its residential compounds. Tells `community.opened`. 409 `slug-taken`."""
    return edge.run(actions.open_community, caller, body)


@router.get("/communities", tags=["communities"], summary="List the communities")
def list_communities(
    page: PageRequest = PAGE_REQUEST, caller: Caller = allow("anyone"), edge: Edge = EDGE
) -> Page[CommunityView]:
    """Every community, in the order in which they were opened."""
    return edge.read(queries.list_communities, page)


@router.get("/communities/{community}", tags=["communities"], summary="Show a community")
def get_community(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> CommunityView:
    """One community with its compounds."""
    return edge.read(queries.get_community, community)


@router.post("/communities/{community}/clock", tags=["communities"], summary="Move a rehearsal community's clock")
def move_clock(community: str, body: ClockSetting, caller: Caller = allow("operator"), edge: Edge = EDGE) -> CommunityView:
    """Move the clock of a rehearsal community forward, by ten years from today at most: what is due until then happens, in
    every service. Tells `community.clock-moved`. 409 `community-real`, 422 `clock-backward`, `clock-too-far`."""
    return edge.run(actions.move_clock, caller, community, body)


@router.put("/communities/{community}/taxonomy", tags=["taxonomy"], summary="Publish a taxonomy")
def publish_taxonomy(
    community: str, body: TaxonomyTerms, caller: Caller = allow("station", "operator"), edge: Edge = EDGE
) -> TaxonomyView:
    """Publish the community's taxonomy or, where there is one, its next version. Only ids and one name of each part are
    needed: a name missing in one language falls back to the other. Agreements and offers keep the items they were made
    for. Tells `taxonomy.published`. 422 `category-duplicate`, `item-duplicate`."""
    return edge.run(actions.publish_taxonomy, caller, community, body)


@router.get("/communities/{community}/taxonomy", tags=["taxonomy"], summary="Show the taxonomy")
def get_taxonomy(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> TaxonomyView:
    """The taxonomy in its current version, in the format in which it is published."""
    return edge.read(queries.get_taxonomy, community)


@router.get("/communities/{community}/figures", tags=["communities"], summary="Show the figures")
def get_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Registry's part of the community's figures, as of today."""
    return edge.read(queries.community_figures, community)
