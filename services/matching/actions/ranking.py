"""What the station says about ranking: the weights in its community, and who is not to be asked for what."""

from __future__ import annotations

import math

from sqlmodel import Session, col, select

from services.matching import holding, pairing, queries
from services.matching.models import Community, Conflict, Organization, Referral, Request, Weighting
from services.matching.rank import WEIGHTS
from services.matching.views import ConflictTerms, ConflictView, WeightingsView, WeightingTerms, WeightingView
from shared.access import Caller
from shared.identifiers import new_id
from shared.messaging import Transaction
from shared.problems import Conflict as Clash
from shared.problems import Invalid, NotFound

SERVED_IN_VAIN = (
    "居民反映没有办好，服务站核实后重新办理，不再请同一家组织。It was not done, as its resident said; others are asked."
)
"""Why an organization is not asked again for a request that the station opened again."""


def set_weights(tx: Transaction, caller: Caller, community: str, terms: WeightingTerms) -> WeightingsView:
    """Set the weights by which a community's candidates are ranked from now on; those that were ranked stay as they are.
    Raises Invalid for parts that are missing or unknown, or weights that do not add up to 1."""
    caller.belongs_to(community)
    holding.hold_alone(tx.session, [community])
    found = tx.session.get(Community, community)
    if found is None:
        raise NotFound("community", community)
    if terms.weights is not None:
        if set(terms.weights) != set(WEIGHTS):
            detail = f"Give a weight to each of {', '.join(WEIGHTS)}, and to nothing else."
            raise Invalid("weights", detail, "weights-incomplete")
        if not math.isclose(sum(terms.weights.values()), 1, abs_tol=1e-6):
            detail = f"The weights add up to {sum(terms.weights.values()):g}; let them add up to 1."
            raise Invalid("weights", detail, "weights-sum")
    found.weights = terms.weights
    tx.session.add(found)
    tx.session.add(
        Weighting(id=new_id(), community=community, weights=terms.weights, reason=terms.reason, set_at=tx.now(community))
    )
    tx.session.flush()
    return list_weights(tx.session, community)


def list_weights(session: Session, community: str) -> WeightingsView:
    """The weights in use, and all that were ever set, newest first. Raises NotFound."""
    found = session.get(Community, community)
    if found is None:
        raise NotFound("community", community)
    rows = session.exec(select(Weighting).where(Weighting.community == community).order_by(col(Weighting.id).desc()))
    history = [WeightingView(weights=row.weights or dict(WEIGHTS), reason=row.reason, set_at=row.set_at) for row in rows]
    return WeightingsView(weights=found.weights or dict(WEIGHTS), history=history)


def record_conflict(tx: Transaction, caller: Caller, community: str, terms: ConflictTerms) -> ConflictView:
    """Record that an organization is not to be asked for what it has an interest in. What it was asked for and has not
    answered goes to the next. Raises Invalid for an organization, request, compound or item that is not there."""
    caller.belongs_to(community)
    holding.hold_alone(tx.session, [community])
    _check(tx.session, community, terms)
    conflict = Conflict(id=new_id(), community=community, recorded_at=tx.now(community), **terms.model_dump())
    tx.session.add(conflict)
    tx.session.flush()
    asked = select(Referral.id, Referral.request).where(
        Referral.organization == conflict.organization, Referral.status == "made", Referral.community == community
    )
    for name in ("request", "compound", "item"):
        value = getattr(conflict, name)
        if value is not None:
            asked = asked.where(getattr(Referral, name) == value)
    for id, request in sorted(tx.session.exec(asked).all(), key=lambda one: one[1]):
        (held,) = holding.load(tx.session, Request.id == request)
        referral = tx.session.get_one(Referral, id, populate_existing=True)
        if referral.status == "made":
            pairing.hand_on(tx, referral)
            pairing.refer_next(tx, held, referral.id)
    return _view(conflict)


def ask_no_more(tx: Transaction, request: Request) -> None:
    """Let the organization that served a request in vain not be asked for it again: by its own referral that is known, of one
    that was served together with others it is recorded, and the station may take it back."""
    served_by = request.organization
    if served_by is None or served_by in queries.referrals.tried(tx.session, [request.id])[request.id]:
        return
    tx.session.add(
        Conflict(
            id=new_id(),
            community=request.community,
            organization=served_by,
            request=request.id,
            reason=SERVED_IN_VAIN,
            recorded_at=tx.now(request.community),
        )
    )
    tx.session.flush()


def end_conflict(tx: Transaction, caller: Caller, id: str) -> ConflictView:
    """Take a conflict back: the organization may be asked again. Raises Conflict for one that was taken back already."""
    conflict = tx.session.get(Conflict, id, with_for_update=True)
    if conflict is None:
        raise NotFound("conflict", id)
    caller.belongs_to(conflict.community)
    if conflict.ended_at is not None:
        raise Clash("conflict-ended", "This conflict has been taken back already.", "ended_at")
    holding.hold_alone(tx.session, [conflict.community])
    conflict.ended_at = tx.now(conflict.community)
    tx.session.add(conflict)
    tx.session.flush()
    pairing.match_again(tx, conflict.community, None if conflict.item is None else [conflict.item])
    return _view(conflict)


def list_conflicts(session: Session, caller: Caller, community: str) -> list[ConflictView]:
    """The conflicts that were recorded in a community, newest first, for its station."""
    caller.belongs_to(community)
    rows = session.exec(select(Conflict).where(Conflict.community == community).order_by(col(Conflict.id).desc()))
    return [_view(row) for row in rows]


def _check(session: Session, community: str, terms: ConflictTerms) -> None:
    organization = session.get(Organization, terms.organization)
    if organization is None or organization.community != community:
        raise Invalid("organization", f"There is no organization {terms.organization!r} here.", "organization-unknown")
    found = session.get_one(Community, community)
    if terms.compound is not None and terms.compound not in found.compounds:
        raise Invalid("compound", f"There is no compound {terms.compound!r} in this community.", "compound-unknown")
    if terms.item is not None and queries.menu.category_of(session, community, terms.item) is None:
        raise Invalid("item", f"There is no item {terms.item!r} in this community's taxonomy.", "item-unknown")
    if terms.request is not None:
        request = session.get(Request, terms.request)
        if request is None or request.community != community:
            raise Invalid("request", f"There is no request {terms.request!r} in this community.", "request-unknown")


def _view(conflict: Conflict) -> ConflictView:
    return ConflictView.model_validate(conflict, from_attributes=True)
