"""Near-duplicates merged as "+1": by the station, or by the resident to whom they were offered; and taken apart again."""

from __future__ import annotations

from sqlmodel import col

from services.matching import fate, holding, learning, pairing, projects, queries, telling
from services.matching.actions.requests import community_of, keep_remark, locked, withdraw_open_referral
from services.matching.models import Request
from services.matching.rules import OPEN_REQUEST, REQUEST
from services.matching.views import MergeTerms, RemarkTerms, RequestView
from shared.access import Caller
from shared.events.matching import RequestMerged
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid


def merge_request(tx: Transaction, caller: Caller, id: str, terms: MergeTerms) -> RequestView:
    """Merge a request into another of its community that asks for the same; those merged into it before follow along.
    Raises Conflict where either has been served or has otherwise come to its end, Invalid for one that is not known, one that
    itself follows another, or the request itself; and for a resident (`request-not-offered`) one that does not say the same."""
    community = community_of(tx, id)
    if caller.role == "resident":
        caller.holds(id)
        _require_alike(tx, id, terms.into)
    else:
        caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    held = projects.hold_of(tx, (id, terms.into))
    found = {request.id: request for request in holding.load(tx.session, col(Request.id).in_((id, terms.into)))}
    request, into = found[id], found.get(terms.into)
    if into is None or into.community != request.community:
        raise Invalid("into", f"There is no request {terms.into!r} in this community; check its id.", "request-unknown")
    if into.id == request.id or into.status == "merged" or into.merged_into is not None:
        raise Invalid("into", "Merge it into a request that stands for itself, and is another one.", "request-merged")
    if into.status not in OPEN_REQUEST:
        raise Conflict(
            f"request-{into.status}", f"The request to merge into is {into.status}; nothing follows it any more.", "into"
        )
    if caller.role != "resident":
        holding.seen_to(tx, request)
    withdraw_open_referral(tx, request)
    if request.merged_into is not None:
        fate.leave(tx, request)
    follow_along = fate.followers(tx, request) if request.supporters > 1 else []
    count, request.supporters = request.supporters, 1
    for follower in (request, *follow_along):
        follower.status = follow(REQUEST, "request", follower.status, "merge")
        follower.merged_into, follower.project = into.id, None
        follower.candidates, follower.organization, follower.offer = [], None, None
        tx.tell(RequestMerged(**telling.request_state(follower)))
    holding.save(tx.session, [request, *follow_along])
    fate.count_supporters(tx, into, count)
    holding.save(tx.session, [into])
    if into.status == "accepted":
        fate.accept(tx, into)
    projects.count_again(tx, held)
    return queries.requests.request_view(tx.session, holding.load(tx.session, Request.id == id)[0])


def separate_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """Let a request follow another no longer, as long as that is not served: it stands for itself, and whoever can serve it is
    asked. Raises Conflict where it has come further, and (`request-not-merged`) where it follows none."""
    community = community_of(tx, id)
    if caller.role == "resident":
        caller.holds(id)
    else:
        caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    held = projects.hold_of(tx, [id])
    request = locked(tx, id)
    follow(REQUEST, "request", request.status, "release")
    if request.merged_into is None:
        raise Conflict("request-not-merged", "This request follows no other; it stands for itself already.", "status")
    fate.leave(tx, request)
    fate.release(tx, request)
    keep_remark(tx, caller, request, "separate", terms)
    holding.save(tx.session, [request])
    pairing.match(tx, [request])
    projects.count_again(tx, held)
    return queries.requests.request_view(tx.session, request)


def _require_alike(tx: Transaction, id: str, into: str) -> None:
    """Raises Invalid unless the other request is one that could be offered to this one's resident as the same."""
    request, other = tx.session.get(Request, id), tx.session.get(Request, into)
    reader = None if request is None else learning.readers(tx.session, [request.community]).get(request.community)
    if request is None or other is None or reader is None or not queries.reading.is_alike(reader.model, request, other):
        detail = "Join an open request that was offered to you as the same; whether another one is, the station decides."
        raise Invalid("into", detail, "request-not-offered")
