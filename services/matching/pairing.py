"""Requests and organizations brought together, a set at a time: reading, ranking, referring.

Who calls these holds the community's row, and the requests (`holding.py`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import bindparam
from sqlmodel import col, select

from services.matching import fate, learning, queries, rank, telling, understanding
from services.matching.holding import REFERRAL_DUE, decide, insert_referrals, load, load_by, loading, save
from services.matching.models import Referral, Request
from services.matching.queries.ranking import Found, Kind, openings
from services.matching.rules import OPEN_REFERRAL, REQUEST, TIME_TO_ANSWER
from shared.clock import civil_date, midnight
from shared.events.matching import (
    Candidate,
    ReferralExpired,
    ReferralHandedOn,
    ReferralMade,
    RequestClassified,
    RequestMatched,
    RequestUnmatched,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction, clocks

AT_ONCE = 500
FURTHER = 4
"""Where nobody on a list of offers can be asked, one so many times as long is looked at."""
LOOK_AGAIN = "look-again"
"""The kind of the timers by which a community's unmatched requests are ranked again the next day; of each its subject."""


_SUBMITTED = loading(Request.status == "submitted", col(Request.community).in_(bindparam("communities", expanding=True)))
_SUBMITTED_OF = _SUBMITTED.where(col(Request.id).in_(bindparam("ids", expanding=True)))


def pair_submitted(tx: Transaction, communities: Collection[str], ids: Collection[str] | None = None) -> None:
    """Read and match the requests (of these ids, or all) of some communities that still stand as submitted. Requests
    of a community whose taxonomy has not been heard of, or not been learned yet, are left as they are."""
    readers = learning.readers(tx.session, communities)
    for community in queries.menu.current_taxonomies(tx.session, set(communities) - set(readers)):
        learning.wish_for_model(tx, community)
    statement, given = _SUBMITTED, {"communities": communities}
    if ids is not None:
        statement, given = _SUBMITTED_OF, {"communities": communities, "ids": ids}
    requests = [request for request in load_by(tx.session, statement, given) if request.community in readers]
    clocks.expect(tx.session, {request.community for request in requests})
    for some in _portions(requests):
        _classify(tx, some, readers)
        match(tx, some, are_new=True)


def match_again(tx: Transaction, community: str, items: Collection[str] | None = None) -> None:
    """Rank a community's unmatched requests (of some items, or of all) again: somebody may be able to serve them."""
    conditions = [Request.community == community, Request.status == "unmatched", col(Request.item).is_not(None)]
    if items is not None:
        conditions.append(col(Request.item).in_(items))
    for some in _portions(load(tx.session, *conditions)):
        match(tx, some)


def _portions(requests: Sequence[Request]) -> Iterable[Sequence[Request]]:
    # One statement bears so many parameters only.
    return (requests[start : start + AT_ONCE] for start in range(0, len(requests), AT_ONCE))


def _classify(tx: Transaction, requests: Sequence[Request], readers: dict[str, learning.Reader]) -> None:
    for request in requests:
        reader = readers[request.community]
        reading = understanding.understand(reader.model, request.text)
        request.status = follow(REQUEST, "request", request.status, "classify")
        request.item, request.category, request.confidence = reading.item, reading.category, reading.confidence
        request.classifier, request.understood = reader.name, reading.as_kept(request.text, reader.name)
        tx.tell(RequestClassified(**telling.request_state(request)))


def match(tx: Transaction, requests: Sequence[Request], handed_on_from: str | None = None, are_new: bool = False) -> None:
    """Rank the organizations for each of these requests, all in one query. Where there are any, the request is matched
    and put before the first; where there are none, it stands unmatched, and says why. One that stays unmatched tells nothing.
    `are_new`: none of them was put before anybody yet."""
    ranking = Ranking(tx, requests, are_new)
    changed: list[Request] = []
    made: list[Referral] = []
    unserved: list[Request] = []
    # By what they say: it is not to matter who came first where there is place for one.
    for request in sorted(requests, key=lambda one: (one.text, one.compound, one.id)):
        candidates = ranking.candidates(request)
        accepted = request.status == "accepted"
        if candidates:
            ranking.take(candidates[0].offer)
            request.unserved = {}
            request.status = follow(REQUEST, "request", request.status, "match")
            request.candidates = [candidate.model_dump(mode="json") for candidate in candidates]
            request.organization, request.offer = candidates[0].organization, candidates[0].offer
            request.matched_at = request.matched_at or tx.now(request.community)
            tx.tell(RequestMatched(**telling.request_state(request), followers=fate.following(tx, request)))
            made.append(refer(tx, request, candidates[0], 1, handed_on_from))
        elif request.status == "unmatched":
            unserved.append(request)
            continue
        else:
            unserved.append(request)
            request.status = follow(REQUEST, "request", request.status, "unmatch")
            request.candidates, request.organization, request.offer = [], None, None
            tx.tell(RequestUnmatched(**telling.request_state(request), followers=fate.following(tx, request)))
        changed.append(request)
        if accepted:
            fate.fall_back(tx, request)
    save(tx.session, [*changed, *ranking.explain(unserved)])
    insert_referrals(tx.session, made)


def refer_next(tx: Transaction, request: Request, handed_on_from: str | None = None) -> None:
    """Put a request whose referral came to nothing before its next candidate that can still serve it; where there is
    none left, look for others. `handed_on_from` is that referral where it was handed on."""
    ranking = Ranking(tx, [request], only=[candidate["offer"] for candidate in request.candidates])
    for place, stored in enumerate(request.candidates, start=1):
        candidate = Candidate.model_validate(stored)
        if ranking.still_serves(request, candidate):
            request.unserved = {}
            made = refer(tx, request, candidate, place, handed_on_from)
            if request.status == "accepted":
                stand_matched(tx, request)
            save(tx.session, [request])
            insert_referrals(tx.session, [made])
            return
    match(tx, [request], handed_on_from)


def stand_matched(tx: Transaction, request: Request) -> None:
    """Let a request that had been accepted wait for the organization it is before now, and with it those that follow it."""
    request.status = follow(REQUEST, "request", request.status, "match")
    tx.tell(RequestMatched(**telling.request_state(request), followers=fate.following(tx, request)))
    fate.fall_back(tx, request)


def expire(tx: Transaction, request: Request, referral: Referral) -> None:
    """End a referral that was not answered in time; the request goes to the next candidate."""
    decide(tx, referral, "expire")
    tx.tell(ReferralExpired(**telling.referral_state(referral)))
    refer_next(tx, request)


def hand_on_what_cannot_be_served(tx: Transaction, organizations: Collection[str]) -> None:
    """Hand the open referrals of these organizations on to the next candidates, accepted or not, as far as they may not serve
    them any more: for want of an agreement in force, or because the organization itself may serve no longer; those not
    accepted yet also for want of the offer. The caller holds the communities."""
    theirs = select(Referral).where(col(Referral.organization).in_(organizations), col(Referral.status).in_(OPEN_REFERRAL))
    found = list(tx.session.exec(theirs.order_by(Referral.id)))
    unable = queries.referrals.cannot_be_served(
        tx.session, found, {referral.community: civil_date(tx.now(referral.community)) for referral in found}
    )
    requests = {
        request.id: request
        for request in load(tx.session, col(Request.id).in_({one.request for one in found if one.id in unable}))
    }
    for referral in found:
        if referral.id in unable:
            tx.session.refresh(referral)
            if referral.status in OPEN_REFERRAL:
                hand_on(tx, referral)
                refer_next(tx, requests[referral.request], referral.id)


def hand_on(tx: Transaction, referral: Referral) -> None:
    """End a referral whose request another organization is asked for."""
    decide(tx, referral, "hand-on")
    tx.tell(ReferralHandedOn(**telling.referral_state(referral)))


class Ranking:
    """What the ranking of some requests needs, read once for all of them: in one query, and one more for those that somebody
    has had before. (The communities' clocks are read once a transaction, in one statement too.) `only`: no other offers than
    these (ids) are looked at."""

    def __init__(
        self, tx: Transaction, requests: Sequence[Request], are_new: bool = False, only: Sequence[str] | None = None
    ) -> None:
        self._tx = tx
        clocks.expect(tx.session, {one.community for one in requests})
        self._today = {one.community: civil_date(tx.now(one.community)) for one in requests}
        ids = [] if are_new else [request.id for request in requests]
        self._tried = queries.referrals.tried(tx.session, ids) if ids else {}
        chosen = None if only is None else tuple(only)
        self._kinds = {one.id: kind_of(one)._replace(only=chosen) for one in requests if one.item is not None}
        self._found = openings(tx.session, self._kinds.values(), self._today)
        self._taken: Counter[str] = Counter()

    def candidates(self, request: Request) -> list[Candidate]:
        """Who could serve a request, best first; nobody for one that was not understood. Where all that were looked at have had
        it, or are full with the others of this set, more are looked at."""
        if request.id not in self._kinds:
            return []
        kind, tried = self._kinds[request.id], self._tried.get(request.id, ())
        while True:
            found = self._found[kind]
            ranked = rank.rank(_need(request, found), found.openings, tried, self._taken)
            if ranked or not found.is_cut:
                return ranked
            self._found |= openings(self._tx.session, [kind], self._today, most=FURTHER * len(found.openings))

    def take(self, offer: str) -> None:
        """Note that a request was put before this offer, which has a place less for the others."""
        self._taken[offer] += 1

    def still_serves(self, request: Request, candidate: Candidate) -> bool:
        """Whether a candidate found before has not had the request yet and meets all conditions today."""
        if request.id not in self._kinds:
            return False
        found = self._found[self._kinds[request.id]]
        need, tried = _need(request, found), self._tried.get(request.id, ())
        return any(opening.offer == candidate.offer and rank.can_serve(opening, need, tried) for opening in found.openings)

    def explain(self, requests: Sequence[Request]) -> list[Request]:
        """Keep with requests that nobody can serve how many organizations fail by which condition; those of which something
        else is to be said than before."""
        wanted = {one.id: self._kinds[one.id]._replace(only=None) for one in requests if one.id in self._kinds}
        found = openings(self._tx.session, wanted.values(), self._today, every=True)
        barred = queries.referrals.barred(self._tx.session, wanted)
        changed = []
        for request in requests:
            if request.id not in wanted:
                continue
            reasons = self._failing(request, found[wanted[request.id]], barred.get(request.id, ()))
            if "capacity" in reasons:
                tomorrow = midnight(self._today[request.community] + timedelta(days=1))
                self._tx.schedule(LOOK_AGAIN, request.community, request.community, tomorrow)
            if reasons != request.unserved:
                request.unserved = reasons
                changed.append(request)
        return changed

    def _failing(self, request: Request, found: Found, barred: Collection[str]) -> dict[str, int]:
        need, tried = _need(request, found), self._tried.get(request.id, ())
        order = list(rank.CONDITIONS)
        furthest: dict[str, str] = {}
        for opening in found.openings:
            if opening.organization in barred:
                opening = replace(opening, barred=True)
            failed = rank.failing(opening, need, tried, self._taken[opening.offer]) or rank.ASK_TWICE
            known = furthest.get(opening.organization)
            if known is None or order.index(failed) > order.index(known):
                furthest[opening.organization] = failed
        counted = Counter(furthest.values())
        return {name: counted[name] for name in order if counted[name]} or {"item": 0}


def kind_of(request: Request) -> Kind:
    """What a request that was understood has in common with others for which the same offers are looked at."""
    assert request.item is not None
    return Kind(
        community=request.community,
        item=request.item,
        compound=request.compound,
        fee_limit=None if request.fee_limit is None else Decimal(request.fee_limit),
        speaks=request.speaks,
        wanted_at=request.wanted_at,
    )


def _need(request: Request, found: Found) -> rank.Need:
    assert request.item is not None
    # The taxonomy may have been replaced since the request was read: then the item has no name but its id.
    zh, en = found.names or (request.item, request.item)
    return rank.Need(
        item=request.item,
        item_zh=zh,
        item_en=en,
        confidence=request.confidence or 0.0,
        compound=request.compound,
        text=request.text,
        fee_limit=None if request.fee_limit is None else Decimal(request.fee_limit),
        speaks=request.speaks,
        at_a_time=request.wanted_at is not None,
        weights=found.weights,
    )


def refer(
    tx: Transaction,
    request: Request,
    candidate: Candidate,
    place: int,
    handed_on_from: str | None = None,
    hub: str | None = None,
) -> Referral:
    """Put a request before an organization, which has its time to answer."""
    assert request.item is not None and request.category is not None
    request.organization, request.offer = candidate.organization, candidate.offer
    now = tx.now(request.community)
    referral = Referral(
        id=new_id(),
        community=request.community,
        request=request.id,
        organization=candidate.organization,
        offer=candidate.offer,
        item=request.item,
        category=request.category,
        compound=request.compound,
        rank=place,
        status="made",
        made_at=now,
        due_at=now + TIME_TO_ANSWER[request.urgency],
        hub=hub,
        handed_on_from=handed_on_from,
    )
    tx.schedule(REFERRAL_DUE, referral.id, request.community, referral.due_at)
    tx.tell(ReferralMade(**telling.referral_state(referral)))
    return referral
