"""The HTTP interface of registry."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query

from services.registry import actions, queries
from services.registry.views import (
    AgreementEnding,
    AgreementTerms,
    AgreementView,
    ClockSetting,
    CommunityTerms,
    CommunityView,
    Figures,
    MenuEntry,
    OfferChanges,
    OfferTerms,
    OfferView,
    OrganizationApplication,
    OrganizationChanges,
    OrganizationView,
    TaxonomyTerms,
    TaxonomyView,
    TokenTerms,
    TokenView,
)
from shared import clock
from shared.access import Caller, allow
from shared.events.registry import FeeMode, OrganizationClass
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()

Filter = Annotated[str | None, Query(max_length=80)]
Search = Annotated[str | None, Query(max_length=100, description="Looked for in the zh and en titles, in any case.")]
InCommunity = Annotated[str, Query(max_length=80, description="The id of the community.")]


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


@router.post("/organizations", status_code=201, tags=["organizations"], summary="Apply as an organization")
def apply_organization(body: OrganizationApplication, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> OrganizationView:
    """An organization applies to join a community; no token is needed. Tells `org.applied`. 409 `name-taken`, 422
    `credit-code-malformed`."""
    return edge.run(actions.apply_organization, caller, body)


@router.get("/organizations", tags=["organizations"], summary="List organizations")
def list_organizations(
    community: InCommunity,
    organization_class: OrganizationClass | None = None,
    status: Literal["applied", "registered"] | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[OrganizationView]:
    """The organizations of a community. Those that only applied are shown to its station alone."""
    return edge.read(queries.list_organizations, caller, community, organization_class, status, page)


@router.get("/organizations/{organization}", tags=["organizations"], summary="Show an organization")
def get_organization(organization: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> OrganizationView:
    """One organization. One that only applied is shown to its station and to itself."""
    return edge.read(queries.get_organization, caller, organization)


@router.patch("/organizations/{organization}", tags=["organizations"], summary="Change an organization")
def change_organization(
    organization: str,
    body: OrganizationChanges,
    caller: Caller = allow("organization", "station"),
    edge: Edge = EDGE,
) -> OrganizationView:
    """Change a registered organization's name, class or introduction; what is left out stays. Tells `org.changed` where
    something is different, else nothing. 409 `organization-applied`, `name-taken`."""
    return edge.run(actions.change_organization, caller, organization, body)


@router.post("/organizations/{organization}/registration", tags=["organizations"], summary="Register an organization")
def register_organization(organization: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> OrganizationView:
    """Register an organization that applied. Tells `org.registered`. 409 `organization-registered`."""
    return edge.run(actions.register_organization, caller, organization)


@router.post("/agreements", status_code=201, tags=["agreements"], summary="Sign an agreement")
def sign_agreement(body: AgreementTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> AgreementView:
    """Sign a service agreement with a registered organization. Its scope, all items of the named categories and the
    named items, is resolved by the taxonomy of today. Tells `agreement.signed`. 409 `organization-applied`, 422
    `category-unknown`, `item-unknown`, `scope-empty`, `term-reversed`."""
    return edge.run(actions.sign_agreement, caller, body)


@router.get("/agreements", tags=["agreements"], summary="List agreements")
def list_agreements(
    community: InCommunity,
    organization: Filter = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[AgreementView]:
    """The service agreements of a community, or of one organization in it. Why one was ended is shown to the station and to
    the organization."""
    return edge.read(queries.list_agreements, caller, community, organization, page)


@router.get("/agreements/{agreement}", tags=["agreements"], summary="Show an agreement")
def get_agreement(agreement: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> AgreementView:
    """One service agreement. Why it was ended is shown to its station and its organization."""
    return edge.read(queries.get_agreement, caller, agreement)


@router.post("/agreements/{agreement}/ending", tags=["agreements"], summary="End an agreement")
def end_agreement(agreement: str, body: AgreementEnding, caller: Caller = allow("station"), edge: Edge = EDGE) -> AgreementView:
    """End an agreement before its term. The organization's offers of items that no other agreement in force covers are
    taken off the menu with it. Tells `agreement.ended`, and `offer.withdrawn` for each. 409 `agreement-ended`."""
    return edge.run(actions.end_agreement, caller, agreement, body)


@router.post("/offers", status_code=201, tags=["offers"], summary="Publish an offer")
def publish_offer(body: OfferTerms, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> OfferView:
    """Put an offer on the menu. The organization needs an agreement in force for the item today. Tells
    `offer.published`. 409 `agreement-missing`, 422 `item-unknown`, `compound-unknown`, `price-unexpected`,
    `price-missing`, `hours-malformed`."""
    return edge.run(actions.publish_offer, caller, body)


@router.get("/offers", tags=["offers"], summary="Show the menu")
def list_offers(
    community: InCommunity,
    organization_class: OrganizationClass | None = None,
    category: Filter = None,
    item: Filter = None,
    fee_mode: FeeMode | None = None,
    organization: Filter = None,
    q: Search = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[MenuEntry]:
    """The menu: the published offers of a community that an agreement in force covers today, with their organizations and
    stars, narrowed by the filters. Stars are null below five residents' ratings."""
    return edge.read(
        queries.list_offers,
        community,
        page,
        organization_class=organization_class,
        category=category,
        item=item,
        fee_mode=fee_mode,
        organization=organization,
        q=q,
    )


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


@router.post("/tokens", status_code=201, tags=["tokens"], summary="Issue a token")
def issue_token(body: TokenTerms, caller: Caller = allow("operator", "station"), edge: Edge = EDGE) -> TokenView:
    """Issue a token. An operator issues any but a resident's; a station those of organizations and experts of its own
    community. The token is shown this once and stored nowhere, so that a repeated call issues another one. Without a
    `subject`, an expert or a station is given a new one: send it along when the token is renewed, and its evaluations go on
    being counted as one person's. Tells nothing. 422 `organization-missing`, `community-missing`, `community-unexpected`."""
    holder = edge.read(queries.token_holder, caller, body)
    issued_at = clock.now().replace(microsecond=0)
    # Not through edge.run: what it returns is kept for an idempotent replay, and a token is never kept.
    token = edge.signer.sign(
        role=holder.role,
        community=holder.community,
        organization=holder.organization,
        subject=holder.subject,
        issued_at=issued_at,
        days=body.days,
    )
    return TokenView(token=token, expires_at=issued_at + timedelta(days=body.days), **holder.model_dump())
