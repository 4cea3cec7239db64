"""Matching's HTTP API: requests, referrals, figures, and the published method."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.matching import queries
from services.matching.actions import referrals, requests
from services.matching.method import METHOD
from services.matching.views import (
    ClassificationTerms,
    Figures,
    Method,
    ReferralDetail,
    ReferralStanding,
    ReferralView,
    RemarkTerms,
    RequestDetail,
    RequestTerms,
    RequestView,
    SubmittedRequest,
)
from shared.access import Caller, allow
from shared.events.matching import RequestStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

LINK_DAYS = 365

router = APIRouter()

CommunityId = Annotated[str, Query(min_length=1, max_length=100, description="The community's id.")]


@router.post("/requests", status_code=201, tags=["requests"])
def submit_request(body: RequestTerms, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> SubmittedRequest:
    """Say what is needed, in plain words. The answer's `link` is the resident's own key to this request; a repetition
    with the same Idempotency-Key gives the same one."""
    view = edge.run(requests.submit_request, caller, body)
    link = edge.signer.sign(
        role="resident", community=view.community, request=view.id, issued_at=view.submitted_at, days=LINK_DAYS
    )
    return SubmittedRequest(**dict(view), link=link)


@router.get("/requests/{id}", tags=["requests"])
def get_request(id: str, caller: Caller = allow("resident", "station", "organization"), edge: Edge = EDGE) -> RequestDetail:
    """A request, for its resident, its station, and the organizations it was put before."""
    return edge.read(queries.get_request, caller, id)


@router.get("/requests", tags=["requests"])
def list_requests(
    community: CommunityId,
    status: RequestStatus | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station"),
    edge: Edge = EDGE,
) -> Page[RequestDetail]:
    """The requests of a community, oldest first."""
    return edge.read(queries.list_requests, caller, community, status, page)


@router.post("/requests/{id}/classification", tags=["requests"])
def classify_request(id: str, body: ClassificationTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> RequestView:
    """Say which item a request asks for that was not understood; it then goes to whoever can serve it."""
    return edge.run(requests.classify_request, caller, id, body)


@router.post("/requests/{id}/withdrawal", tags=["requests"])
def withdraw_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident"), edge: Edge = EDGE
) -> RequestView:
    """Withdraw a request that was not served yet; an open referral is withdrawn with it."""
    return edge.run(requests.withdraw_request, caller, id, body)


@router.post("/requests/{id}/dispute", tags=["requests"])
def dispute_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident"), edge: Edge = EDGE
) -> RequestView:
    """Say that a request reported as served was not served; the station looks into it."""
    return edge.run(requests.dispute_request, caller, id, body)


@router.post("/requests/{id}/reopening", tags=["requests"])
def reopen_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("station"), edge: Edge = EDGE
) -> RequestView:
    """Uphold a dispute: the request goes to the next candidate."""
    return edge.run(requests.reopen_request, caller, id, body)


@router.post("/requests/{id}/closing", tags=["requests"])
def close_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident", "station"), edge: Edge = EDGE
) -> RequestView:
    """Close a request that was served."""
    return edge.run(requests.close_request, caller, id, body)


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
    return edge.read(queries.list_referrals, caller, community, organization, status, page)


@router.get("/referrals/{id}", tags=["referrals"])
def get_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralDetail:
    """A referral with the words of its request."""
    return edge.read(queries.get_referral, caller, id)


@router.post("/referrals/{id}/acceptance", tags=["referrals"])
def accept_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralView:
    """Take the request on."""
    return edge.run(referrals.accept_referral, caller, id)


@router.post("/referrals/{id}/decline", tags=["referrals"])
def decline_referral(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ReferralView:
    """Decline the request; it goes to the next candidate."""
    return edge.run(referrals.decline_referral, caller, id, body)


@router.post("/referrals/{id}/delivery", tags=["referrals"])
def deliver_referral(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> ReferralView:
    """Report that the request was served."""
    return edge.run(referrals.deliver_referral, caller, id)


@router.get("/communities/{community}/figures", tags=["figures"])
def get_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Matching's part of a community's figures."""
    return edge.read(queries.figures, community)


@router.get("/method", tags=["method"])
def get_method(caller: Caller = allow("anyone")) -> Method:
    """How requests are read and organizations are ranked, published."""
    return METHOD
