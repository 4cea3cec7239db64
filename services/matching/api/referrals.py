"""Referrals over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.matching import actions, queries
from services.matching.views import (
    HandingOnTerms,
    MemberView,
    ReferralDetail,
    ReferralStanding,
    ReferralView,
    RemarkTerms,
)
from shared.access import Caller, allow
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.get("/referrals", tags=["referrals"])
def list_referrals(
    community: Annotated[
        str | None, Query(min_length=1, max_length=100, description="The community's id; the token's where left out.")
    ] = None,
    organization: Annotated[str | None, Query(min_length=1, max_length=100)] = None,
    status: ReferralStanding | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("organization", "station"),
    edge: Edge = EDGE,
) -> Page[ReferralDetail]:
    """The referrals put before an organization, or all of a community for its station, oldest first."""
    return edge.read(queries.referrals.list_referrals, caller, community, organization, status, page)


@router.get("/referrals/{id}", tags=["referrals"])
def get_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralDetail:
    """A referral with the words of its request."""
    return edge.read(queries.referrals.get_referral, caller, id)


@router.post("/referrals/{id}/acceptance", tags=["referrals"])
def accept_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralView:
    """Take the request on."""
    return edge.run(actions.referrals.accept_referral, caller, id)


@router.post("/referrals/{id}/decline", tags=["referrals"])
def decline_referral(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ReferralView:
    """Decline the request; it goes to the next candidate."""
    return edge.run(actions.referrals.decline_referral, caller, id, body)


@router.post("/referrals/{id}/delivery", tags=["referrals"])
def deliver_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralView:
    """Report that the request was served."""
    return edge.run(actions.referrals.deliver_referral, caller, id)


@router.get("/referrals/{id}/members", tags=["referrals"])
def list_members(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> list[MemberView]:
    """The members to whom the hub of this referral may hand it on."""
    return edge.read(queries.referrals.members, caller, id)


@router.post("/referrals/{id}/handing-on", tags=["referrals"])
def hand_on_referral(
    id: str, body: HandingOnTerms, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ReferralView:
    """A hub hands the request on to one of its members; the answer is the member's referral."""
    return edge.run(actions.referrals.hand_on_referral, caller, id, body)
