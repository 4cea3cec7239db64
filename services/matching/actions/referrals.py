"""What organizations do with the requests that are put before them."""

from __future__ import annotations

from services.matching import pairing, queries, telling
from services.matching.actions.requests import locked
from services.matching.models import Referral, Request
from services.matching.rules import REQUEST
from services.matching.views import ReferralView, RemarkTerms
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import ReferralAccepted, ReferralDeclined, RequestAccepted, RequestServed
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, NotFound


def accept_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization takes the request on. Of several at once, one does; the others get a Conflict. So does
    (`agreement-missing`) whoever may not serve it any more; what was accepted before may still be delivered."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    pairing.decide(tx, referral, "accept")
    _require_agreement(tx, referral)
    request.status = follow(REQUEST, "request", request.status, "accept")
    pairing.save(tx.session, [request])
    tx.tell(ReferralAccepted(**telling.referral_state(referral)))
    tx.tell(RequestAccepted(**telling.request_state(request)))
    return _view(referral)


def decline_referral(tx: Transaction, caller: Caller, id: str, terms: RemarkTerms | None) -> ReferralView:
    """The organization declines; the request goes to the next candidate, or stands unmatched."""
    referral, request = _referral(tx, caller, id, for_ranking=True)
    pairing.decide(tx, referral, "decline", reason=terms.reason if terms else None)
    tx.tell(ReferralDeclined(**telling.referral_state(referral)))
    pairing.refer_next(tx, request)
    return _view(referral)


def deliver_referral(tx: Transaction, caller: Caller, id: str) -> ReferralView:
    """The organization reports that it served the request; its resident may now rate or dispute it."""
    referral, request = _referral(tx, caller, id)
    now = tx.now(referral.community)
    pairing.decide(tx, referral, "deliver", decided_at=referral.decided_at, delivered_at=now)
    request.status = follow(REQUEST, "request", request.status, "serve")
    request.served_at = now
    pairing.save(tx.session, [request])
    tx.tell(RequestServed(**telling.request_state(request)))
    return _view(referral)


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


def _view(referral: Referral) -> ReferralView:
    return ReferralView.model_validate(referral, from_attributes=True)
