"""Offers and the menu."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.registry.actions import offers as actions
from services.registry.api.parameters import Filter, InCommunity
from services.registry.queries import menu as queries
from services.registry.views.offers import Menu, MenuEntry, MenuFilters, OfferChanges, OfferTerms, OfferView
from shared.access import Caller, allow
from shared.events.registry import FeeMode, OrganizationClass
from shared.web import EDGE, PAGE_REQUEST, Edge, PageRequest

Search = Annotated[
    str | None,
    Query(
        max_length=100,
        description="Words that all stand in the title, the organization's name, or the names and phrases of item or category,"
        " Chinese or English, in any case. One that stands nowhere on the menu is looked for by its pieces: 午餐 finds"
        " 中午送餐到家, `repairs` a repair.",
    ),
]
Compound = Annotated[str | None, Query(max_length=80, description="What is served in this compound.")]
OpenNow = Annotated[bool, Query(description="Only what is open at this moment of the community's clock.")]

router = APIRouter()


@router.post("/offers", status_code=201, tags=["offers"], summary="Publish an offer")
def publish_offer(body: OfferTerms, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> OfferView:
    """Put an offer on the menu. The organization needs an agreement in force for the item today. Tells
    `offer.published`. 409 `agreement-missing`, `organization-suspended`, 422 `item-unknown`, `compound-unknown`,
    `price-unexpected`, `price-missing`, `hours-malformed`."""
    return edge.run(actions.publish_offer, caller, body)


@router.get("/offers", tags=["offers"], summary="Show the menu")
def list_offers(
    community: InCommunity,
    organization_class: OrganizationClass | None = None,
    category: Filter = None,
    item: Filter = None,
    fee_mode: FeeMode | None = None,
    organization: Filter = None,
    compound: Compound = None,
    q: Search = None,
    open_now: OpenNow = False,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Menu:
    """The menu: the published offers of a community that an agreement in force covers today, with their organizations and
    stars, narrowed by the filters. Stars are null below five residents' ratings. A suspended organization's are not on it.
    Where a search by words finds nothing, `instead` says what to do."""
    filters = MenuFilters(
        organization_class=organization_class,
        category=category,
        item=item,
        fee_mode=fee_mode,
        organization=organization,
        compound=compound,
        q=q,
        open_now=open_now,
    )
    return edge.read(queries.list_offers, community, filters, page)


@router.get("/offers/{offer}", tags=["offers"], summary="Show an offer")
def get_offer(offer: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> MenuEntry:
    """One offer as the menu shows it, also when it is withdrawn."""
    return edge.read(queries.get_offer, offer)


@router.patch("/offers/{offer}", tags=["offers"], summary="Change an offer")
def change_offer(
    offer: str, body: OfferChanges, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> OfferView:
    """Change an offer on the menu; what is left out stays. Tells `offer.changed` where something is different, else
    nothing. Refused like a new offer, and with 409 `offer-withdrawn`."""
    return edge.run(actions.change_offer, caller, offer, body)


@router.post("/offers/{offer}/withdrawal", tags=["offers"], summary="Withdraw an offer")
def withdraw_offer(offer: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> OfferView:
    """Take an offer off the menu. Tells `offer.withdrawn`. 409 `offer-withdrawn`."""
    return edge.run(actions.withdraw_offer, caller, offer)
