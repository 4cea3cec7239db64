"""Requests and organizations brought together, a set at a time: reading, ranking, referring.

Requests are read locked and detached, changed as values, and written back in one statement. Whoever ranks holds the
community's row shared, whoever changes its menu holds it alone: so no request is left unmatched by an offer that was
being put on the menu at that moment on another replica. (SQLite has one writer anyway and no such locks.)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any, cast

from pydantic import TypeAdapter
from sqlalchemy import CursorResult, insert, update
from sqlmodel import Session, col, select

from services.matching import classify, queries, rank, telling
from services.matching.models import Community, Referral, Request, Taxonomy
from services.matching.rules import REFERRAL, REQUEST
from shared.clock import civil_date
from shared.events.matching import (
    Candidate,
    ReferralMade,
    RequestClassified,
    RequestMatched,
    RequestUnmatched,
)
from shared.events.registry import Category
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict

AT_ONCE = 500

CATEGORIES = TypeAdapter(tuple[Category, ...])
WRITTEN = (
    "id",
    "status",
    "item",
    "category",
    "confidence",
    "classifier",
    "candidates",
    "organization",
    "offer",
    "matched_at",
    "served_at",
)


def hold_shared(session: Session, communities: Iterable[str]) -> None:
    """From here to the end of the transaction nobody changes the menu of these communities."""
    _hold(session, communities, read=True)


def hold_alone(session: Session, communities: Iterable[str]) -> None:
    """From here to the end of the transaction nobody else ranks requests of these communities."""
    _hold(session, communities, read=False)


def _hold(session: Session, communities: Iterable[str], read: bool) -> None:
    statement = select(Community.id).where(col(Community.id).in_(set(communities))).order_by(Community.id)
    session.exec(statement.with_for_update(read=read)).all()


def load(session: Session, *conditions: Any) -> list[Request]:
    """Requests, locked until the transaction ends, detached: whoever changes one calls `save`."""
    statement = select(Request).where(*conditions).order_by(Request.id).with_for_update()
    requests = list(session.exec(statement.execution_options(populate_existing=True)))
    for request in requests:
        session.expunge(request)
    return requests


def save(session: Session, requests: Sequence[Request]) -> None:
    """Write changed requests back, in one statement."""
    if requests:
        session.execute(update(Request), [{name: getattr(request, name) for name in WRITTEN} for request in requests])


def pair_submitted(tx: Transaction, communities: Collection[str], ids: Collection[str] | None = None) -> None:
    """Read and match the requests (of these ids, or all) of some communities that still stand as submitted. Requests
    of a community whose taxonomy has not been heard of yet are left as they are."""
    taxonomies = queries.current_taxonomies(tx.session, communities)
    conditions = [Request.status == "submitted", col(Request.community).in_(communities)]
    if ids is not None:
        conditions.append(col(Request.id).in_(ids))
    requests = [request for request in load(tx.session, *conditions) if request.community in taxonomies]
    for some in _portions(requests):
        _classify(tx, some, taxonomies)
        match(tx, some)


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


def _classify(tx: Transaction, requests: Sequence[Request], taxonomies: dict[str, queries.CurrentTaxonomy]) -> None:
    by_community: dict[str, list[Request]] = defaultdict(list)
    for request in requests:
        by_community[request.community].append(request)
    for community, own in by_community.items():
        taxonomy = taxonomies[community]
        classifier = classify.classifier(
            taxonomy.id, taxonomy.version, taxonomy.name, partial(_categories, tx.session, taxonomy.id)
        )
        readings = classifier.model.read([request.text for request in own])
        for request, reading in zip(own, readings, strict=True):
            request.status = follow(REQUEST, "request", request.status, "classify")
            best = reading.best
            request.confidence = best.p if best else 0.0
            if best and best.item is not None and not reading.abstain:
                request.item, request.category = best.item, best.category
            request.classifier = classifier.name
            tx.tell(RequestClassified(**telling.request_state(request)))


def _categories(session: Session, taxonomy: str) -> Sequence[Category]:
    return CATEGORIES.validate_python(session.exec(select(Taxonomy.categories).where(Taxonomy.id == taxonomy)).one())


def match(tx: Transaction, requests: Sequence[Request]) -> None:
    """Rank the organizations for each of these requests, all in one query. Where there are any, the request is matched
    and put before the first; where there are none, it stands unmatched. One that stays unmatched tells nothing."""
    ranking = Ranking(tx, requests)
    changed: list[Request] = []
    made: list[Referral] = []
    for request in requests:
        candidates = ranking.candidates(request)
        if candidates:
            request.status = follow(REQUEST, "request", request.status, "match")
            request.candidates = [candidate.model_dump(mode="json") for candidate in candidates]
            request.organization, request.offer = candidates[0].organization, candidates[0].offer
            request.matched_at = request.matched_at or tx.now(request.community)
            tx.tell(RequestMatched(**telling.request_state(request)))
            made.append(_refer(tx, request, candidates[0], 1))
        elif request.status == "unmatched":
            continue
        else:
            request.status = follow(REQUEST, "request", request.status, "unmatch")
            request.candidates, request.organization, request.offer = [], None, None
            tx.tell(RequestUnmatched(**telling.request_state(request)))
        changed.append(request)
    save(tx.session, changed)
    _insert(tx.session, made)


def refer_next(tx: Transaction, request: Request) -> None:
    """Put a request whose referral was declined before its next candidate that can still serve it; where there is
    none left, look for others."""
    ranking = Ranking(tx, [request])
    for place, stored in enumerate(request.candidates, start=1):
        candidate = Candidate.model_validate(stored)
        if ranking.still_serves(request, candidate):
            made = _refer(tx, request, candidate, place)
            save(tx.session, [request])
            _insert(tx.session, [made])
            return
    match(tx, [request])


class Ranking:
    """What the ranking of some requests needs, read once for all of them."""

    def __init__(self, tx: Transaction, requests: Sequence[Request]) -> None:
        communities = {request.community for request in requests}
        items = {request.item for request in requests if request.item is not None}
        self._openings = queries.openings(tx.session, communities, items)
        self._tried = queries.tried(tx.session, [request.id for request in requests])
        self._taxonomies = queries.current_taxonomies(tx.session, communities)
        self._today = {community: civil_date(tx.now(community)) for community in communities}

    def candidates(self, request: Request) -> list[Candidate]:
        """Who could serve a request, best first; nobody for one that was not understood."""
        need = self._need(request)
        if need is None:
            return []
        return rank.rank(need, self._openings.get((request.community, need.item), ()), self._tried.get(request.id, ()))

    def still_serves(self, request: Request, candidate: Candidate) -> bool:
        """Whether a candidate found before has not had the request yet and meets all conditions today."""
        need = self._need(request)
        return need is not None and any(
            opening.offer == candidate.offer and rank.can_serve(opening, need, self._tried.get(request.id, ()))
            for opening in self._openings.get((request.community, need.item), ())
        )

    def _need(self, request: Request) -> rank.Need | None:
        if request.item is None:
            return None
        taxonomy = self._taxonomies.get(request.community)
        # The taxonomy may have been replaced since the request was read: then the item has no name but its id.
        zh, en = (taxonomy.names if taxonomy else {}).get(request.item, (request.item, request.item))
        return rank.Need(
            item=request.item,
            item_zh=zh,
            item_en=en,
            confidence=request.confidence or 0.0,
            compound=request.compound,
            text=request.text,
            today=self._today[request.community],
        )


def _refer(tx: Transaction, request: Request, candidate: Candidate, place: int) -> Referral:
    assert request.item is not None and request.category is not None
    request.organization, request.offer = candidate.organization, candidate.offer
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
        made_at=tx.now(request.community),
    )
    tx.tell(ReferralMade(**telling.referral_state(referral)))
    return referral


def _insert(session: Session, referrals: Sequence[Referral]) -> None:
    if referrals:
        session.execute(insert(Referral), [referral.model_dump() for referral in referrals])


def decide(tx: Transaction, referral: Referral, verb: str, **values: Any) -> None:
    """Move a referral on, if it still stands where the verb needs it: of two at once one changes the row. Raises
    Conflict (`referral-decided`) for the other."""
    before = referral.status
    changed = {"status": follow(REFERRAL, "referral", before, verb), "decided_at": tx.now(referral.community), **values}
    tx.session.expunge(referral)
    statement = update(Referral).where(col(Referral.id) == referral.id, col(Referral.status) == before)
    result = tx.session.execute(statement.values(**changed).execution_options(synchronize_session=False))
    if cast("CursorResult[Any]", result).rowcount != 1:
        raise Conflict("referral-decided", "This referral has just been decided on; read it again.", "status")
    for name, value in changed.items():
        setattr(referral, name, value)
