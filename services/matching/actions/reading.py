"""What people say about how a request was read."""

from __future__ import annotations

from services.matching import holding, learning, pairing, queries, telling
from services.matching.actions.requests import community_of, locked, withdraw_open_referral
from services.matching.models import Request
from services.matching.rules import REQUEST
from services.matching.views import ClassificationTerms, CorrectionTerms, RequestTakenIn, RequestView
from shared.access import Caller
from shared.events.matching import RequestClassified
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid

BY_STATION, BY_RESIDENT = "station", "resident"
"""The `classifier` of a request that a person read."""


def classify_request(tx: Transaction, caller: Caller, id: str, terms: ClassificationTerms) -> RequestView:
    """The station reads a request that was not understood; it then goes the way of any other. Raises Conflict
    (`item-known`) for one that was, Invalid for an item that the community's taxonomy does not have."""
    community = community_of(tx, id)
    caller.belongs_to(community)
    request = locked(tx, id, for_ranking=True)
    status = follow(REQUEST, "request", request.status, "classify")
    if request.item is not None:
        raise Conflict("item-known", f"This request asks for {request.item!r}; only one without an item is read again.", "item")
    category = queries.menu.category_of(tx.session, community, terms.item)
    if category is None:
        raise Invalid(
            "item",
            f"There is no item {terms.item!r} in this community's taxonomy (yet); take one from GET /api/registry/taxonomies.",
            "item-unknown",
        )
    holding.seen_to(tx, request)
    return read_as(tx, request, status, category, terms.item, BY_STATION)


def pick_item(tx: Transaction, caller: Caller, id: str, terms: ClassificationTerms) -> RequestTakenIn:
    """The resident picks one of the items that were asked about; the request then goes the way of any other, and open ones for
    the same are offered as with one that was understood at once. Raises Conflict
    (`item-known`) for one that was understood, Invalid (`item-not-asked`) for another item than those asked about."""
    caller.holds(id)
    request = locked(tx, id, for_ranking=True)
    status = follow(REQUEST, "request", request.status, "classify")
    if request.item is not None:
        raise Conflict("item-known", f"This request asks for {request.item!r} already.", "item")
    asked = {choice["item"]: choice["category"] for choice in (request.understood or {}).get("choices", ())}
    if terms.item not in asked:
        raise Invalid("item", f"Pick one of {', '.join(asked) or 'those asked about: there are none'}.", "item-not-asked")
    reader = learning.readers(tx.session, [request.community]).get(request.community)
    similar = queries.reading.similar_requests(tx.session, reader.model, request, terms.item) if reader else []
    view = read_as(tx, request, status, asked[terms.item], terms.item, BY_RESIDENT)
    return RequestTakenIn(**dict(view), similar=similar)


def correct_request(tx: Transaction, caller: Caller, id: str, terms: CorrectionTerms) -> RequestView:
    """The station says what a request really asks for, or that it asks for nothing; it is learned. One that nobody has
    accepted yet is taken back from where it was put and goes the right way; any other goes on as it is. Raises Invalid for an
    item that the community's taxonomy does not have."""
    community = community_of(tx, id)
    caller.belongs_to(community)
    request = locked(tx, id, for_ranking=True)
    category = None if terms.item is None else queries.menu.category_of(tx.session, community, terms.item)
    if terms.item is not None and category is None:
        raise Invalid("item", f"There is no item {terms.item!r} in this community's taxonomy (yet).", "item-unknown")
    holding.seen_to(tx, request)
    if (request.status, "correct") not in REQUEST or request.item == terms.item:
        learning.learn(tx, request, category, terms.item, BY_STATION)
        holding.save(tx.session, [request])
        return queries.requests.request_view(tx.session, request)
    withdraw_open_referral(tx, request)
    request.candidates, request.organization, request.offer = [], None, None
    status = follow(REQUEST, "request", request.status, "correct")
    return read_as(tx, request, status, category, terms.item, BY_STATION)


def read_as(tx: Transaction, request: Request, status: str, category: str | None, item: str | None, by: str) -> RequestView:
    """Let a person's reading stand, learn it, and look for organizations."""
    request.status, request.item, request.category = status, item, category
    request.confidence, request.classifier = 1.0, by
    tx.tell(RequestClassified(**telling.request_state(request)))
    learning.learn(tx, request, category, item, by)
    pairing.match(tx, [request])
    return queries.requests.request_view(tx.session, request)
