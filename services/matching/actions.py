"""What people do with requests and referrals: every action writes rows and tells facts in the given transaction."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult, update
from sqlmodel import col, select

from services.matching import pairing, queries
from services.matching.models import Community, Referral, Remark, Request
from services.matching.rules import OPEN_REFERRAL, REFERRAL, REQUEST, language_of
from services.matching.views import ClassificationTerms, ReferralView, RemarkTerms, RequestTerms, RequestView
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import (
    ReferralAccepted,
    ReferralDeclined,
    ReferralWithdrawn,
    RequestAccepted,
    RequestClassified,
    RequestClosed,
    RequestDisputed,
    RequestReopened,
    RequestServed,
    RequestSubmitted,
    RequestWithdrawn,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound

BY_STATION = "station"
"""The `classifier` of a request that the station read."""


def submit_request(tx: Transaction, caller: Caller, terms: RequestTerms) -> RequestView:
    """Take in a resident's request. Raises Forbidden for a channel that only the station may write down, Invalid for a
    community or compound nobody has heard of here."""
    if terms.channel != "website":
        if caller.role not in ("station", "operator"):
            raise Forbidden("Only the community's station writes down what came over another channel than the website.")
        caller.belongs_to(terms.community)
    community = tx.session.get(Community, terms.community)
    if community is None:
        raise Invalid(
            "community",
            f"There is no community {terms.community!r} here (yet); take its id from GET /api/registry/communities.",
            "community-unknown",
        )
    if terms.compound not in community.compounds:
        raise Invalid(
            "compound",
            f"There is no compound {terms.compound!r} in this community; it has {', '.join(community.compounds)}.",
            "compound-unknown",
        )
    request = Request(
        id=new_id(),
        community=community.id,
        channel=terms.channel,
        compound=terms.compound,
        language=terms.language or language_of(terms.text),
        text=terms.text,
        submitted_at=tx.now(community.id),
        status="submitted",
    )
    tx.session.add(request)
    tx.tell(RequestSubmitted(**pairing.state(request)))
    return queries.request_view(tx.session, request)


def classify_request(tx: Transaction, caller: Caller, id: str, terms: ClassificationTerms) -> RequestView:
    """The station reads a request that was not understood; it then goes the way of any other. Raises Conflict
    (`item-known`) for one that was, Invalid for an item that the community's taxonomy does not have."""
    community = _community(tx, id)
    caller.belongs_to(community)
    request = _locked(tx, id, for_ranking=True)
    status = follow(REQUEST, "request", request.status, "classify")
    if request.item is not None:
        raise Conflict("item-known", f"This request asks for {request.item!r}; only one without an item is read again.", "item")
    category = queries.category_of(tx.session, community, terms.item)
    if category is None:
        raise Invalid(
            "item",
            f"There is no item {terms.item!r} in this community's taxonomy (yet); take one from GET /api/registry/taxonomies.",
            "item-unknown",
        )
    request.status, request.item, request.category = status, terms.item, category
    request.confidence, request.classifier = 1.0, BY_STATION
    tx.tell(RequestClassified(**pairing.state(request)))
    pairing.match(tx, [request])
    return queries.request_view(tx.session, request)


def withdraw_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident withdraws a request before it is served; an open referral is withdrawn with it."""
    caller.holds(id)
    request = _locked(tx, id)
    accepted = request.status == "accepted"
    _move(tx, caller, request, "withdraw", terms)
    if not accepted:
        request.organization, request.offer = None, None
    pairing.save(tx.session, [request])
    tx.tell(RequestWithdrawn(**pairing.state(request)))
    open_referral = select(Referral).where(Referral.request == id, col(Referral.status).in_(OPEN_REFERRAL))
    for referral in tx.session.exec(open_referral):
        _decide(tx, referral, "withdraw")
        tx.tell(ReferralWithdrawn(**pairing.referral_state(referral)))
    return queries.request_view(tx.session, request)


def dispute_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident disputes that the request was served."""
    caller.holds(id)
    request = _locked(tx, id)
    _move(tx, caller, request, "dispute", terms)
    pairing.save(tx.session, [request])
    tx.tell(RequestDisputed(**pairing.state(request)))
    return queries.request_view(tx.session, request)


def reopen_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The station upholds a dispute: the request is open again and goes to the next candidate, not to who served it."""
    caller.belongs_to(_community(tx, id))
    request = _locked(tx, id, for_ranking=True)
    _move(tx, caller, request, "reopen", terms)
    request.candidates = [candidate for candidate in request.candidates if candidate["organization"] != request.organization]
    request.organization, request.offer, request.served_at = None, None, None
    pairing.save(tx.session, [request])
    tx.tell(RequestReopened(**pairing.state(request)))
    pairing.match(tx, [request])
    return queries.request_view(tx.session, request)


def close_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident or the station closes a request that was served."""
    if caller.role == "resident":
        caller.holds(id)
    else:
        caller.belongs_to(_community(tx, id))
    request = _locked(tx, id)
    _move(tx, caller, request, "close", terms)
    pairing.save(tx.session, [request])
    tx.tell(RequestClosed(**pairing.state(request)))
    return queries.request_view(tx.session, request)


def accept_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization takes the request on. Of several at once, one does; the others get a Conflict. So does
    (`agreement-missing`) whoever may not serve it any more; what was accepted before may still be delivered."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    _decide(tx, referral, "accept")
    _require_agreement(tx, referral)
    request.status = follow(REQUEST, "request", request.status, "accept")
    pairing.save(tx.session, [request])
    tx.tell(ReferralAccepted(**pairing.referral_state(referral)))
    tx.tell(RequestAccepted(**pairing.state(request)))
    return _view(referral)


def decline_referral(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> ReferralView:
    """The organization declines; the request goes to the next candidate, or stands unmatched."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    _decide(tx, referral, "decline", reason=terms.reason if terms else None)
    tx.tell(ReferralDeclined(**pairing.referral_state(referral)))
    pairing.refer_next(tx, request)
    return _view(referral)


def deliver_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization reports that it served the request; its resident may now rate or dispute it."""
    referral, request = _referral(tx, caller, id)
    now = tx.now(referral.community)
    _decide(tx, referral, "deliver", decided_at=referral.decided_at, delivered_at=now)
    request.status = follow(REQUEST, "request", request.status, "serve")
    request.served_at = now
    pairing.save(tx.session, [request])
    tx.tell(RequestServed(**pairing.state(request)))
    return _view(referral)


def _community(tx: Transaction, id: str) -> str:
    community = tx.session.exec(select(Request.community).where(Request.id == id)).first()
    if community is None:
        raise NotFound("request", id)
    return community


def _locked(tx: Transaction, id: str, for_ranking: bool = False) -> Request:
    """A request nobody else changes until the transaction ends."""
    if for_ranking:
        pairing.hold_shared(tx.session, [_community(tx, id)])
    found = pairing.load(tx.session, Request.id == id)
    if not found:
        raise NotFound("request", id)
    return found[0]


def _move(tx: Transaction, caller: Caller, request: Request, verb: str, terms: RemarkTerms | None) -> None:
    request.status = follow(REQUEST, "request", request.status, verb)
    if terms is not None and terms.reason is not None:
        now = tx.now(request.community)
        remark = Remark(id=new_id(), request=request.id, verb=verb, role=caller.role, reason=terms.reason, said_at=now)
        tx.session.add(remark)


def _referral(tx: Transaction, caller: Caller, id: str, for_ranking: bool = False) -> tuple[Referral, Request]:
    """A referral of the caller's with its request, which nobody else decides on until the transaction ends."""
    referral = tx.session.get(Referral, id)
    if referral is None:
        raise NotFound("referral", id)
    caller.belongs_to(referral.community)
    caller.acts_for(referral.organization)
    request = _locked(tx, referral.request, for_ranking)
    tx.session.refresh(referral)  # somebody else may have decided on it while the lock was waited for
    return referral, request


def _require_agreement(tx: Transaction, referral: Referral) -> None:
    if not queries.is_on_the_menu(tx.session, referral.offer, referral.item):
        detail = "The offer for which this request came is not on the menu any more; publish it again, or decline."
        raise Conflict("agreement-missing", detail, "offer")
    today = civil_date(tx.now(referral.community))
    if referral.item not in queries.items_agreed(tx.session, referral.community, referral.organization, today):
        raise Conflict(
            "agreement-missing",
            f"The organization has no agreement in force for {referral.item!r} on {today}; sign one first, or decline.",
            "item",
        )


def _decide(tx: Transaction, referral: Referral, verb: str, **values: Any) -> None:
    """Move a referral on, if it still stands where the verb needs it: of two at once one changes the row."""
    before = referral.status
    changed = {"status": follow(REFERRAL, "referral", before, verb), "decided_at": tx.now(referral.community), **values}
    tx.session.expunge(referral)
    statement = update(Referral).where(col(Referral.id) == referral.id, col(Referral.status) == before)
    result = tx.session.execute(statement.values(**changed).execution_options(synchronize_session=False))
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Conflict("referral-decided", "This referral has just been decided on; read it again.", "status")
    for name, value in changed.items():
        setattr(referral, name, value)


def _view(referral: Referral) -> ReferralView:
    return ReferralView.model_validate(referral, from_attributes=True)
