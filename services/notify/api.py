"""Notify's routes, under /api/notify."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from services.notify import queries
from services.notify.queries import Wanted
from services.notify.rules import RecipientKind, place_of
from services.notify.stream import Tail
from services.notify.views import FeedFactView, Figures, Following, NoticeView
from shared.access import Caller, allow
from shared.problems import Forbidden
from shared.web import EDGE, PAGE_REQUEST, Edge, PageRequest

router = APIRouter()


@router.get("/inbox", tags=["inbox"])
def read_inbox(
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("resident", "organization", "station"),
    edge: Edge = EDGE,
) -> Following[NoticeView]:
    """The caller's own notices, oldest first: a resident's about the request of the link, an organization's, or those
    of the station's community. Keep `next`, which the last page has too, and ask with it as `after` to get only what is
    new."""
    recipient_kind, recipient = _inbox_of(caller)
    return edge.read(queries.inbox, recipient_kind, recipient, page)


def _inbox_of(caller: Caller) -> tuple[RecipientKind, str]:
    match caller.role:
        case "resident" if caller.request is not None:
            return "resident", caller.request
        case "organization" if caller.organization is not None:
            return "organization", caller.organization
        case "station" if caller.community is not None:
            return "station", caller.community
    raise Forbidden("This token names no request, organization or community, so no inbox is its own; use another one.")


Types = Annotated[list[str] | None, Query(max_length=50, description="only facts of these types")]
Subject = Annotated[str | None, Query(description="only facts about this thing")]
OfCommunity = Annotated[str | None, Query(description="only facts of this community")]


@router.get("/events", tags=["feed"])
def read_feed(
    type: Types = None,
    subject: Subject = None,
    community: OfCommunity = None,
    limit: Annotated[int, Query(ge=1, le=200, description="how many, at most")] = 50,
    after: Annotated[
        str | None, Query(max_length=400, description="`next` of the page before, or the `id` of the last fact you have")
    ] = None,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Following[FeedFactView]:
    """The public facts of all services as CloudEvents, in the order in which they were heard. Keep `next`, which the last
    page has too, and ask with it as `after` to get only what is new; the stream takes it as `Last-Event-ID`. Who read the
    facts elsewhere (on `fenghe:feed`, by a webhook) goes on with the `id` of the last one as `after`."""
    place = None if after is None else place_of(after, "after")
    return edge.read(queries.feed, Wanted(frozenset(type or ()), subject, community), limit, place)


@router.get(
    "/events/stream",
    tags=["feed"],
    response_class=StreamingResponse,
    responses={200: {"description": "Events for as long as the reader stays", "content": {"text/event-stream": {}}}},
)
async def stream_feed(
    request: Request,
    type: Types = None,
    subject: Subject = None,
    community: OfCommunity = None,
    follow: Annotated[bool, Query(description="false: end when all that is there was given")] = True,
    last_event_id: Annotated[str | None, Header(max_length=100)] = None,
    caller: Caller = allow("anyone"),
) -> StreamingResponse:
    """The public facts as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html), from now
    on: `data` is a CloudEvent in JSON, `event` its type, `id` its place. With `Last-Event-ID`, which a browser's EventSource
    sends by itself when it comes back, it goes on after that event, without a gap and without repeating one; an empty one is
    the beginning of the feed. The `id` of a fact stands for its place, too."""
    wanted = Wanted(frozenset(type or ()), subject, community)
    tail = request.app.state.host.part(Tail)
    now = await tail.start()
    after: int | str = now if last_event_id is None else place_of(last_event_id, "Last-Event-ID") if last_event_id else 0
    if isinstance(after, str):
        after = await asyncio.to_thread(request.app.state.host.read, queries.position_in_feed, after, "Last-Event-ID")
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    # What this replica has looked at may be a moment old; who wants all that there is gets what others wrote since.
    until = None if follow else await asyncio.to_thread(request.app.state.host.read, queries.last_position)
    facts = tail.read(after, wanted, until)
    return StreamingResponse(facts, media_type="text/event-stream", headers=headers)


@router.get("/communities/{community}/figures", tags=["figures"])
def show_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Notify's part of a community's figures."""
    return edge.read(queries.figures, community)
