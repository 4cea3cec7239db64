"""Requests over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from services.matching import actions, queries
from services.matching.api.parameters import CommunityId
from services.matching.views import (
    BilingualText,
    ClassificationTerms,
    CorrectionTerms,
    MergeTerms,
    ReasonTerms,
    RemarkTerms,
    RequestDetail,
    RequestTakenIn,
    RequestTerms,
    RequestView,
    SimilarRequest,
    SubmittedRequest,
)
from shared.access import Caller, allow
from shared.events.words import RequestStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

LINK_DAYS = 365


def slip_of(link: str) -> BilingualText:
    """What the station prints and hands to a resident whose request it wrote down."""
    return BilingualText(
        zh=f"您的需求已经登记，和网上提的一样办理。凭下面这串专属凭证，随时可以查进度、撤回、评分、反映问题，请收好：\n{link}",
        en="Your request has been taken in and counts like any made online. With the personal key below you can follow it, "
        f"withdraw it, rate it and tell us if it was not done; please keep it safe:\n{link}",
    )


router = APIRouter()


@router.post("/requests", status_code=201, tags=["requests"])
def submit_request(body: RequestTerms, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> SubmittedRequest:
    """Say what is needed, in plain words. The answer's `link` is the resident's own key to this request; a repetition
    with the same Idempotency-Key gives the same one."""
    view = edge.run_together(actions.requests.submit_request, caller, body)
    link = edge.signer.sign(
        role="resident", community=view.community, request=view.id, issued_at=view.submitted_at, days=LINK_DAYS
    )
    slip = None if body.intake == "web" else slip_of(link)
    return SubmittedRequest(**dict(view), link=link, slip=slip)


@router.get("/requests/{id}", tags=["requests"])
def get_request(id: str, caller: Caller = allow("resident", "station", "organization"), edge: Edge = EDGE) -> RequestDetail:
    """A request, for its resident, its station, and the organizations it was put before."""
    return edge.read(queries.requests.get_request, caller, id)


@router.get("/requests", tags=["requests"])
def list_requests(
    community: CommunityId,
    status: RequestStatus | None = None,
    emergencies: Annotated[bool, Query(description="Only those that call for help at once.")] = False,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station"),
    edge: Edge = EDGE,
) -> Page[RequestDetail]:
    """The requests of a community: first the emergencies that nobody at the station has seen to, then the others; of both the
    oldest first."""
    return edge.read(queries.requests.list_requests, caller, community, status, page, emergencies)


@router.post("/requests/{id}/classification", tags=["requests"])
def classify_request(id: str, body: ClassificationTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> RequestView:
    """Say which item a request asks for that was not understood; it then goes to whoever can serve it."""
    return edge.run(actions.reading.classify_request, caller, id, body)


@router.post("/requests/{id}/pick", tags=["requests"])
def pick_item(id: str, body: ClassificationTerms, caller: Caller = allow("resident"), edge: Edge = EDGE) -> RequestTakenIn:
    """Pick one of the items that were asked about because the request was not surely understood. `similar` are open requests
    that seem to ask for the same."""
    return edge.run(actions.reading.pick_item, caller, id, body)


@router.post("/requests/{id}/correction", tags=["requests"])
def correct_request(id: str, body: CorrectionTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> RequestView:
    """Say what a request really asks for, or that it asks for nothing. It is learned; one that nobody has accepted yet goes
    the right way."""
    return edge.run(actions.reading.correct_request, caller, id, body)


@router.post("/requests/{id}/attending", tags=["requests"])
def attend_to_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("station"), edge: Edge = EDGE
) -> RequestView:
    """Say that somebody saw to an emergency, and what was done: it no longer stands before all other requests. One that the
    station read, corrected, merged or gathered counts as seen to, too."""
    return edge.run(actions.requests.attend_to_request, caller, id, body)


@router.post("/requests/{id}/withdrawal", tags=["requests"])
def withdraw_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident"), edge: Edge = EDGE
) -> RequestView:
    """Withdraw a request that was not served yet; an open referral is withdrawn with it."""
    return edge.run(actions.requests.withdraw_request, caller, id, body)


@router.post("/requests/{id}/dispute", tags=["requests"])
def dispute_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident"), edge: Edge = EDGE
) -> RequestView:
    """Say that a request reported as served was not served; the station looks into it."""
    return edge.run(actions.requests.dispute_request, caller, id, body)


@router.post("/requests/{id}/dispute-rejection", tags=["requests"])
def reject_dispute(id: str, body: ReasonTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> RequestView:
    """Do not uphold a dispute: the request is closed, and its resident reads the reason over the own link."""
    return edge.run(actions.requests.reject_dispute, caller, id, body)


@router.post("/requests/{id}/dismissal", tags=["requests"])
def dismiss_request(id: str, body: ReasonTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> RequestView:
    """Close a request that goes to no organization, because the station saw to it itself or nothing can be done here; its
    resident, and whoever asked for the same, reads the reason over the own link."""
    return edge.run(actions.requests.dismiss_request, caller, id, body)


@router.get("/requests/{id}/similar", tags=["requests"])
def list_similar_requests(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> list[SimilarRequest]:
    """The open requests that seem to ask for the same, most alike first; they may be merged."""
    return edge.read(queries.requests.similar_requests, caller, id)


@router.post("/requests/{id}/merging", tags=["requests"])
def merge_request(id: str, body: MergeTerms, caller: Caller = allow("resident", "station"), edge: Edge = EDGE) -> RequestView:
    """Merge a request into another that asks for the same ("+1"): the station into any, its resident into one that was offered
    as the same. It counts as a supporter of the other and follows its fate; its resident follows, rates and disputes it
    over the own link as before."""
    return edge.run(actions.merging.merge_request, caller, id, body)


@router.post("/requests/{id}/separation", tags=["requests"])
def separate_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident", "station"), edge: Edge = EDGE
) -> RequestView:
    """Take a "+1" back, before the other request is served: this one stands for itself again, and goes to whoever can serve
    it."""
    return edge.run(actions.merging.separate_request, caller, id, body)


@router.post("/requests/{id}/reopening", tags=["requests"])
def reopen_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("station"), edge: Edge = EDGE
) -> RequestView:
    """Uphold a dispute: the request goes to the next candidate."""
    return edge.run(actions.requests.reopen_request, caller, id, body)


@router.post("/requests/{id}/closing", tags=["requests"])
def close_request(
    id: str, body: RemarkTerms | None = None, caller: Caller = allow("resident", "station"), edge: Edge = EDGE
) -> RequestView:
    """Close a request that was served."""
    return edge.run(actions.requests.close_request, caller, id, body)
