"""What was made of requests' words, as it is shown; and which open requests are for the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from services.matching.classify.signals import ADVICE
from services.matching.models import Request
from services.matching.rules import OPEN_REQUEST
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


def emergency(request: Request) -> EmergencyView | None:
    if request.alarm is None:
        return None
    return EmergencyView(kind=request.alarm, **ADVICE[request.alarm]._asdict())


def open_requests(session: Session, request: Request, item: str, since: datetime, most: int) -> list[tuple[str, OpenRequest]]:
    """The newest open requests of the same compound for an item, with their words, which are not for showing."""
    rows = session.exec(
        select(Request)
        .where(
            Request.community == request.community,
            Request.compound == request.compound,
            Request.item == item,
            Request.id != request.id,
            col(Request.status).in_(OPEN_REQUEST),
            col(Request.submitted_at) >= since,
        )
        .order_by(col(Request.id).desc())
        .limit(most)
    )
    return [(row.text, OpenRequest(**row.model_dump(include=set(OpenRequest.model_fields)))) for row in rows]
