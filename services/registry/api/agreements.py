"""Service agreements."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.actions import agreements as actions
from services.registry.api.parameters import Filter, InCommunity
from services.registry.queries import agreements as queries
from services.registry.views.agreements import AgreementRenewal, AgreementTerms, AgreementView
from services.registry.views.base import Reason
from shared.access import Caller, allow
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/agreements", status_code=201, tags=["agreements"], summary="Sign an agreement")
def sign_agreement(body: AgreementTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> AgreementView:
    """Sign a service agreement with a registered organization. Its scope, all items of the named categories and the
    named items, is resolved by the taxonomy of today. With a `guarantor` it is provisional, for a group in the green channel.
    Thirty days before its end `agreement.expiring` is told, the day after it `agreement.ended`. Tells `agreement.signed`. 409
    `organization-applied`, `channel-missing`, `guarantor-unfit`, 422 `category-unknown`, `item-unknown`, `scope-empty`,
    `term-reversed`."""
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
def end_agreement(agreement: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE) -> AgreementView:
    """End an agreement before its term. The organization's offers of items that no other agreement in force covers are
    taken off the menu with it, and what is announced of such is cancelled. Tells `agreement.ended`, and `offer.withdrawn` or
    `activity.cancelled` for each. 409 `agreement-ended`."""
    return edge.run(actions.end_agreement, caller, agreement, body)


@router.post("/agreements/{agreement}/renewal", tags=["agreements"], summary="Renew an agreement")
def renew_agreement(
    agreement: str, body: AgreementRenewal, caller: Caller = allow("station"), edge: Edge = EDGE
) -> AgreementView:
    """Let an agreement in force end later than it would. Tells `agreement.renewed`. 409 `agreement-ended`, 422
    `renewal-not-later`."""
    return edge.run(actions.renew_agreement, caller, agreement, body)
