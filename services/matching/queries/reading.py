"""What was made of requests' words, as it is shown; and which open requests are for the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import Integer, bindparam
from sqlmodel import Session, col, select

from services.matching.classify.model import Model
from services.matching.classify.signals import ADVICE
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
    )


def names_items(request: Request) -> bool:
    """Whether what was made of a request's words names items: those it may be about, or seems to ask for."""
    kept = request.understood
    return bool(kept and (kept["choices"] or kept["needs"]))


def emergency(request: Request) -> EmergencyView | None:
    if request.alarm is None:
        return None
    return EmergencyView(kind=request.alarm, **ADVICE[request.alarm]._asdict(), attended_at=request.attended_at)


SIMILAR = 0.12
SIMILAR_DAYS, SIMILAR_AMONG, SIMILAR_SHOWN = 30, 20, 3
"""Of so many newest open requests for the same item in the compound, within so many days, so many are offered whose words have
at least this cosine with the new one's."""

_OPEN_REQUESTS: Any = (
    select(Request.text, *(getattr(Request, name) for name in OpenRequest.model_fields))
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
    """Open requests of the same compound that seem to ask for the same as one that is just being taken in and was read as
    asking for `item`, most alike first."""
    since = request.submitted_at - timedelta(days=SIMILAR_DAYS)
    given = {"community": request.community, "compound": request.compound, "item": item, "id": request.id}
    rows = session.connection().execute(_OPEN_REQUESTS, {**given, "since": since, "most": SIMILAR_AMONG}).all()
    cosines = model.alike(request.text, [text for text, *_ in rows]) if rows else []
    alike = [(cosine, shown) for cosine, (_, *shown) in zip(cosines, rows, strict=True) if cosine >= SIMILAR]
    most = sorted(alike, key=lambda one: -one[0])[:SIMILAR_SHOWN]
    return [OpenRequest(**dict(zip(OpenRequest.model_fields, shown, strict=True))) for _, shown in most]


def is_alike(model: Model, request: Request, other: Request) -> bool:
    """Whether another request may be offered to a resident as the same: for the same item, in the same compound, alike in
    words."""
    same = ("community", "compound", "item")
    return (
        request.item is not None
        and all(getattr(request, name) == getattr(other, name) for name in same)
        and model.alike(request.text, [other.text])[0] >= SIMILAR
    )
