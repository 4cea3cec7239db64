"""What people do with requests."""

from __future__ import annotations

from sqlmodel import col, select

from services.matching import fate, holding, learning, pairing, projects, queries, telling
from services.matching.actions.ranking import ask_no_more
from services.matching.classify.signals import alarm_in
from services.matching.models import Referral, Remark, Request
from services.matching.rules import OPEN_REFERRAL, REQUEST, language_of
from services.matching.understanding import understand
from services.matching.views import ReasonTerms, RemarkTerms, RequestTakenIn, RequestTerms, RequestView
from shared.access import Caller
from shared.events.matching import (
    ReferralWithdrawn,
    RequestClosed,
    RequestDisputed,
    RequestDisputeRejected,
    RequestReopened,
    RequestSubmitted,
    RequestWithdrawn,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound


def submit_request(tx: Transaction, caller: Caller, terms: RequestTerms) -> RequestTakenIn:
    """Take in a resident's request. Raises Forbidden for a channel that only the station may write down, for paper and
    phone, for what only it may call urgent, and for somebody else's earlier request; Invalid for a community, compound or
    earlier request nobody has heard of here."""
    if terms.channel != "website" or terms.intake != "web":
        if caller.role not in ("station", "operator"):
            raise Forbidden(
                "Only the community's station writes down what came on paper, by phone, "
                "or over another channel than the website."
            )
        caller.belongs_to(terms.community)
    if terms.urgency == "urgent" and caller.role not in ("station", "operator"):
        raise Forbidden("What is urgent is for the community's station to say; call it, or write `soon`.")
    compounds = queries.menu.compounds_of(tx.session, terms.community)
    if compounds is None:
        raise Invalid(
            "community",
            f"There is no community {terms.community!r} here (yet); take its id from GET /api/registry/communities.",
            "community-unknown",
        )
    if terms.compound not in compounds:
        raise Invalid(
            "compound",
            f"There is no compound {terms.compound!r} in this community; it has {', '.join(compounds)}.",
            "compound-unknown",
        )
    request = Request(
        id=new_id(),
        community=terms.community,
        channel=terms.channel,
        compound=terms.compound,
        language=terms.language or language_of(terms.text),
        text=terms.text,
        submitted_at=tx.now(terms.community),
        status="submitted",
        intake=terms.intake,
        fee_limit=None if terms.fee_limit is None else f"{terms.fee_limit:.2f}",
        speaks=terms.speaks,
        wanted_at=terms.wanted_at,
        urgency=terms.urgency,
        candidates=[],
        unserved={},
    )
    request.resident = _asked_before(tx, caller, terms)
    request.alarm = alarm_in(request.text)
    if request.alarm is not None:
        request.urgency = "urgent"
    reader = learning.readers(tx.session, [request.community]).get(request.community)
    similar = []
    if reader is not None:
        reading = understand(reader.model, request.text)
        request.understood = reading.as_kept(request.text, reader.name)
        if reading.item is not None:
            similar = queries.reading.similar_requests(tx.session, reader.model, request, reading.item)
    holding.insert(tx.session, [request])
    tx.tell(RequestSubmitted(**telling.request_state(request)))
    return RequestTakenIn(**dict(queries.requests.request_view(tx.session, request)), similar=similar)


def _asked_before(tx: Transaction, caller: Caller, terms: RequestTerms) -> str | None:
    """The first request of the same resident or household, where one is named or the link of one was sent along."""
    named = terms.asked_before
    if named is not None and caller.role in ("station", "operator"):
        caller.belongs_to(terms.community)
    elif named is not None:
        caller.holds(named)
    before = named or caller.request
    if before is None:
        return None
    found = select(Request.id, Request.resident).where(Request.id == before, Request.community == terms.community)
    for id, resident in tx.session.exec(found):
        return resident or id
    if named is not None:
        raise Invalid("asked_before", f"There is no request {named!r} in this community; check its id.", "request-unknown")
    return None


def withdraw_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident withdraws a request before it is served; an open referral is withdrawn with it, and those that asked
    for the same stand for themselves again."""
    caller.holds(id)
    holding.hold_shared(tx.session, [community_of(tx, id)])
    held = projects.hold_of(tx, [id])
    request = locked(tx, id)
    accepted = request.status == "accepted"
    fate.leave(tx, request)
    move(tx, caller, request, "withdraw", terms)
    if not accepted:
        request.organization, request.offer = None, None
    holding.save(tx.session, [request])
    tx.tell(RequestWithdrawn(**telling.request_state(request)))
    withdraw_open_referral(tx, request)
    pairing.match(tx, fate.let_go(tx, request))
    projects.count_again(tx, held)
    return queries.requests.request_view(tx.session, request)


def withdraw_open_referral(tx: Transaction, request: Request) -> None:
    """Withdraw the referral by which a request stands before an organization, if there is one."""
    open_referral = select(Referral).where(Referral.request == request.id, col(Referral.status).in_(OPEN_REFERRAL))
    for referral in tx.session.exec(open_referral):
        holding.decide(tx, referral, "withdraw")
        tx.tell(ReferralWithdrawn(**telling.referral_state(referral)))


def attend_to_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The station has seen to an emergency; what was done is kept as a remark. Raises Conflict for a request that is none
    (`no-emergency`), or was seen to before (`emergency-attended`)."""
    caller.belongs_to(community_of(tx, id))
    request = locked(tx, id)
    if request.alarm is None:
        raise Conflict("no-emergency", "This request was not taken for an emergency.")
    if request.attended_at is not None:
        raise Conflict("emergency-attended", "Somebody at the station has seen to this emergency already.")
    holding.seen_to(tx, request)
    keep_remark(tx, caller, request, "attend", terms)
    holding.save(tx.session, [request])
    return queries.requests.request_view(tx.session, request)


def dispute_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident disputes that the request was served."""
    caller.holds(id)
    held = projects.hold_served_with(tx, id)
    request = locked(tx, id)
    move(tx, caller, request, "dispute", terms)
    holding.save(tx.session, [request])
    tx.tell(RequestDisputed(**telling.request_state(request)))
    projects.count_reached(tx, held)
    return queries.requests.request_view(tx.session, request)


def reopen_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The station upholds a dispute: the request is open again and goes to the next candidate, not to who served it."""
    community = community_of(tx, id)
    caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    held = projects.hold_served_with(tx, id)
    request = locked(tx, id)
    move(tx, caller, request, "reopen", terms)
    ask_no_more(tx, request)
    request.candidates = [candidate for candidate in request.candidates if candidate["organization"] != request.organization]
    request.organization, request.offer, request.served_at = None, None, None
    request.supporters, request.merged_into, request.project = 1, None, None
    holding.save(tx.session, [request])
    tx.tell(RequestReopened(**telling.request_state(request)))
    projects.count_reached(tx, held)
    pairing.match(tx, [request])
    return queries.requests.request_view(tx.session, request)


def reject_dispute(tx: Transaction, caller: Caller, id: str, terms: ReasonTerms) -> RequestView:
    """The station does not uphold a dispute: the request is closed, and the resident reads why."""
    caller.belongs_to(community_of(tx, id))
    held = projects.hold_served_with(tx, id)
    request = locked(tx, id)
    move(tx, caller, request, "reject", terms)
    holding.save(tx.session, [request])
    tx.tell(RequestDisputeRejected(**telling.request_state(request)))
    projects.count_reached(tx, held)
    return queries.requests.request_view(tx.session, request)


def close_request(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> RequestView:
    """The resident or the station closes a request that was served."""
    if caller.role == "resident":
        caller.holds(id)
    else:
        caller.belongs_to(community_of(tx, id))
    request = locked(tx, id)
    move(tx, caller, request, "close", terms)
    holding.save(tx.session, [request])
    state = telling.request_state(request)
    tx.tell(RequestClosed(**state, closed_by="resident" if caller.role == "resident" else "station"))
    return queries.requests.request_view(tx.session, request)


def dismiss_request(tx: Transaction, caller: Caller, id: str, terms: ReasonTerms) -> RequestView:
    """The station closes a request that goes to no organization: it saw to the matter itself, or nothing can be done here. The
    resident reads the reason, and so do those whose requests follow it. Raises Conflict where it does not stand unmatched, or
    follows another itself."""
    community = community_of(tx, id)
    caller.belongs_to(community)
    holding.hold_shared(tx.session, [community])
    request = locked(tx, id)
    if request.status == "merged":
        raise Conflict("request-merged", "This request follows another; dismiss that one, or separate them.", "status")
    move(tx, caller, request, "dismiss", terms)
    holding.seen_to(tx, request)
    holding.save(tx.session, [request])
    tx.tell(RequestClosed(**telling.request_state(request), closed_by="station"))
    fate.dismiss(tx, request, terms.reason)
    return queries.requests.request_view(tx.session, request)


def community_of(tx: Transaction, id: str) -> str:
    """The community of a request. Raises NotFound where there is no such request."""
    community = tx.session.exec(select(Request.community).where(Request.id == id)).first()
    if community is None:
        raise NotFound("request", id)
    return community


def locked(tx: Transaction, id: str, for_ranking: bool = False) -> Request:
    """A request nobody else changes until the transaction ends."""
    if for_ranking:
        holding.hold_shared(tx.session, [community_of(tx, id)])
    found = holding.load(tx.session, Request.id == id)
    if not found:
        raise NotFound("request", id)
    return found[0]


def move(tx: Transaction, caller: Caller, request: Request, verb: str, terms: RemarkTerms | ReasonTerms | None) -> None:
    """Move a request on, and keep the reason that was given. Raises Conflict where it does not stand where it must."""
    request.status = follow(REQUEST, "request", request.status, verb)
    keep_remark(tx, caller, request, verb, terms)


def keep_remark(tx: Transaction, caller: Caller, request: Request, verb: str, terms: RemarkTerms | ReasonTerms | None) -> None:
    """Keep what somebody said of what they did."""
    if terms is not None and terms.reason is not None:
        now = tx.now(request.community)
        remark = Remark(id=new_id(), request=request.id, verb=verb, role=caller.role, reason=terms.reason, said_at=now)
        tx.session.add(remark)
