"""What organizations do with the requests that are put before them."""

from __future__ import annotations

from services.matching import fate, holding, pairing, queries, telling
from services.matching.actions.requests import locked
from services.matching.models import Organization, Referral, Request
from services.matching.rules import REFERRAL, REQUEST
from services.matching.views import HandingOnTerms, ReferralView, RemarkTerms
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import Candidate, ReferralAccepted, ReferralDeclined, RequestAccepted, RequestServed
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound


def accept_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization takes the request on. Of several at once, one does; the others get a Conflict. So does
    (`agreement-missing`) whoever may not serve it any more."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    holding.decide(tx, referral, "accept")
    _require_agreement(tx, referral)
    request.status = follow(REQUEST, "request", request.status, "accept")
    holding.save(tx.session, [request])
    tx.tell(ReferralAccepted(**telling.referral_state(referral)))
    tx.tell(RequestAccepted(**telling.request_state(request)))
    fate.accept(tx, request)
    return _view(referral)


def decline_referral(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> ReferralView:
    """The organization declines; the request goes to the next candidate, or stands unmatched."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    holding.decide(tx, referral, "decline", reason=terms.reason if terms else None)
    tx.tell(ReferralDeclined(**telling.referral_state(referral)))
    pairing.refer_next(tx, request)
    return _view(referral)


def deliver_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization reports that it served the request; its resident may now rate or dispute it."""
    referral, request = _referral(tx, caller, id)
    now = tx.now(referral.community)
    holding.decide(tx, referral, "deliver", decided_at=referral.decided_at, delivered_at=now)
    request.status = follow(REQUEST, "request", request.status, "serve")
    request.served_at = now
    holding.save(tx.session, [request])
    tx.tell(RequestServed(**telling.request_state(request)))
    fate.serve(tx, request)
    return _view(referral)


def hand_on_referral(tx: Transaction, caller: Caller, id: str, terms: HandingOnTerms) -> ReferralView:
    """A hub hands a request on to one of its members, with the trail. The member serves it with its own best offer for it,
    or else with the hub's. Raises Conflict for an organization that is no hub (`not-a-hub`), a member that may not serve
    it, for want of an agreement or for a conflict (`member-cannot-serve`), or was asked already (`already-asked`), Invalid for
    one that is no member."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    follow(REFERRAL, "referral", referral.status, "hand-on")  # first of all: whatever else is wrong does not matter then
    hub = tx.session.get(Organization, referral.organization)
    member = tx.session.get(Organization, terms.member)
    if hub is None or not hub.hub:
        raise Conflict("not-a-hub", "Only a hub hands requests on; accept or decline it.", "organization")
    if member is None or member.community != referral.community or hub.id not in member.parents:
        raise Invalid("member", f"{terms.member!r} is no member of this hub.", "member-unknown")
    if member.id in queries.referrals.standing_back(tx.session, request):
        detail = "The station has recorded a conflict of interests of this member with this request; choose another."
        raise Conflict("member-cannot-serve", detail, "member")
    if member.id in queries.referrals.tried(tx.session, [request.id])[request.id]:
        raise Conflict("already-asked", "This member has been asked already; choose another.", "member")
    today = civil_date(tx.now(referral.community))
    if referral.item not in queries.menu.items_agreed(tx.session, referral.community, member.id, today):
        raise Conflict(
            "member-cannot-serve", f"This member has no agreement in force for {referral.item!r} on {today}.", "member"
        )
    offers = queries.menu.offers_of(tx.session, member.id, referral.item)
    own = pairing.Ranking(tx, [request], only=offers).candidates(request) if offers else []
    candidate = own[0] if own else Candidate(organization=member.id, offer=referral.offer, score=0, parts={}, reasons=())
    pairing.hand_on(tx, referral)
    made = pairing.refer(tx, request, candidate, referral.rank, handed_on_from=referral.id, hub=hub.id)
    if request.status == "accepted":
        pairing.stand_matched(tx, request)
    holding.save(tx.session, [request])
    holding.insert_referrals(tx.session, [made])
    return _view(made)


def _referral(tx: Transaction, caller: Caller, id: str, for_ranking: bool = False) -> tuple[Referral, Request]:
    """A referral of the caller's with its request, which nobody else decides on until the transaction ends."""
    referral = tx.session.get(Referral, id)
    if referral is None:
        raise NotFound("referral", id)
    caller.belongs_to(referral.community)
    caller.acts_for(referral.organization)
    request = locked(tx, referral.request, for_ranking)
    tx.session.refresh(referral)  # somebody else may have decided on it while the lock was waited for
    return referral, request


def _require_agreement(tx: Transaction, referral: Referral) -> None:
    if not queries.menu.is_on_the_menu(tx.session, referral.offer, referral.item):
        detail = "The offer for which this request came is not on the menu any more; publish it again, or decline."
        raise Conflict("agreement-missing", detail, "offer")
    today = civil_date(tx.now(referral.community))
    if referral.item not in queries.menu.items_agreed(tx.session, referral.community, referral.organization, today):
        raise Conflict(
            "agreement-missing",
            f"The organization has no agreement in force for {referral.item!r} on {today}; sign one first, or decline.",
            "item",
        )


def _view(referral: Referral) -> ReferralView:
    return ReferralView.model_validate(referral, from_attributes=True)
