"""What was made of requests' words, as it is shown; and which open requests are for the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Integer, bindparam
from sqlmodel import Session, col, select

from services.matching.classify.model import Model
from services.matching.classify.signals import ADVICE
from services.matching.duplicates import ALIKE_IN_COMPOUND
from services.matching.models import Request
from services.matching.models.requests import OPEN
from services.matching.views import EmergencyView, Guess, OpenRequest, UnderstoodView


def understood(request: Request, names: Mapping[str, list[str]]) -> UnderstoodView | None:
    kept = request.understood
    if kept is None:
        return None

    def guesses(choices: list[dict[str, Any]]) -> list[Guess]:
        named = ((choice, names.get(choice["item"], [choice["item"]] * 2)) for choice in choices)
        return [Guess(**choice, name_zh=zh, name_en=en) for choice, (zh, en) in named]

    return UnderstoodView(
        choices=guesses(kept["choices"]) if request.item is None else [],
        needs=guesses(kept["needs"]),
        off_topic=kept["off_topic"] and request.item is None,
        model=kept.get("model"),
    )


def names_items(request: Request) -> bool:
    """Whether what was made of a request's words names items: those it may be about, or seems to ask for."""
    kept = request.understood
    return bool(kept and (kept["choices"] or kept["needs"]))


def emergency(request: Request) -> EmergencyView | None:
    if request.alarm is None:
        return None
    return EmergencyView(kind=request.alarm, **ADVICE[request.alarm]._asdict(), attended_at=request.attended_at)


SIMILAR_DAYS, SIMILAR_AMONG, SIMILAR_SHOWN = 30, 20, 3
"""Of so many newest open requests for the same item in the compound, within so many days, so many are offered whose words have
at least ALIKE_IN_COMPOUND as their cosine with the new one's."""

_OPEN_REQUESTS: Any = (
    select(*(getattr(Request, name) for name in ("text", "fee_limit", "speaks", "wanted_at", *OpenRequest.model_fields)))
    .where(
        Request.community == bindparam("community"),
        Request.compound == bindparam("compound"),
        Request.item == bindparam("item"),
        Request.id != bindparam("id"),
        OPEN,
        col(Request.submitted_at) >= bindparam("since"),
    )
    .order_by(col(Request.id).desc())
    .limit(bindparam("most", type_=Integer))
)
"""Built once, and run past the session: it is asked with every request. The newest come from the index one by one (a few open
requests or thousands, it costs the same), for which its condition is written as the index's is."""


def similar_requests(session: Session, model: Model, request: Request, item: str) -> list[OpenRequest]:
    """Open requests of the same compound that seem to ask for the same as one that is just being taken in, or read, as asking
    for `item`, most alike first; whoever serves them keeps to what this one's resident asks for as well."""
    since = request.submitted_at - timedelta(days=SIMILAR_DAYS)
    given = {"community": request.community, "compound": request.compound, "item": item, "id": request.id}
    found = session.connection().execute(_OPEN_REQUESTS, {**given, "since": since, "most": SIMILAR_AMONG})
    rows = [row for row in found if _keeps_to(request, row.fee_limit, row.speaks, row.wanted_at)]
    cosines = model.alike(request.text, [row.text for row in rows]) if rows else []
    alike = [(cosine, row) for cosine, row in zip(cosines, rows, strict=True) if cosine >= ALIKE_IN_COMPOUND]
    most = sorted(alike, key=lambda one: -one[0])[:SIMILAR_SHOWN]
    return [OpenRequest.model_validate(row, from_attributes=True) for _, row in most]


def is_alike(model: Model, request: Request, other: Request) -> bool:
    """Whether another request may be offered to a resident as the same: for the same item, in the same compound, alike in
    words, and served by none but who keeps to what the resident asks for."""
    same = ("community", "compound", "item")
    return (
        request.item is not None
        and all(getattr(request, name) == getattr(other, name) for name in same)
        and _keeps_to(request, other.fee_limit, other.speaks, other.wanted_at)
        and model.alike(request.text, [other.text])[0] >= ALIKE_IN_COMPOUND
    )


def _keeps_to(request: Request, fee_limit: str | None, speaks: str | None, wanted_at: datetime | None) -> bool:
    """Whether who serves another request, with these wishes, keeps to what this one's resident asks for."""
    if request.fee_limit is not None and (fee_limit is None or Decimal(fee_limit) > Decimal(request.fee_limit)):
        return False
    return request.speaks in (None, speaks) and request.wanted_at in (None, wanted_at)
