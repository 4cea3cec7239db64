"""Notify's routes, under /api/notify."""

from __future__ import annotations

from fastapi import APIRouter

from services.notify import queries
from services.notify.rules import RecipientKind
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


@router.get("/feed", tags=["feed"])
def read_feed(
    community: str | None = None,
    type: str | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Following[FeedFactView]:
    """The public facts of all services as CloudEvents, in the order in which they were heard; of one community or one
    type where that is asked for. Keep `next`, which the last page has too, and ask with it as `after` to get only what
    is new."""
    return edge.read(queries.feed, community, type, page)


@router.get("/communities/{community}/figures", tags=["figures"])
def show_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Notify's part of a community's figures."""
    return edge.read(queries.figures, community)
