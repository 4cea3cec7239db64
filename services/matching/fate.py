"""Requests that follow another's fate: those merged into a request ("+1") follow it, and are told with it.

A follower's status is its own: its resident follows it over the own link, rates what was served, and disputes it.
"""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from services.matching import telling
from services.matching.holding import load, save
from services.matching.models import Remark, Request
from services.matching.rules import REQUEST
from shared.events.matching import (
    RequestAccepted,
    RequestClosed,
    RequestMerged,
    RequestReleased,
    RequestServed,
    RequestState,
    RequestSupported,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction

FOLLOWING = ("merged", "accepted")
"""How a request stands that follows another."""


def followers(tx: Transaction, request: Request) -> list[Request]:
    """The requests that follow this one, locked."""
    return load(tx.session, Request.merged_into == request.id, col(Request.status).in_(FOLLOWING))


def following(tx: Transaction, request: Request) -> tuple[str, ...]:
    """The requests that stand merged into this one: what becomes of it is told of them with it."""
    if request.supporters == 1:
        return ()
    merged = select(Request.id).where(Request.merged_into == request.id, Request.status == "merged")
    return tuple(tx.session.exec(merged.order_by(Request.id)))


def accept(tx: Transaction, request: Request) -> None:
    """The request was accepted: so are those that follow it."""
    _move(tx, request, "merged", "accept", RequestAccepted)


def serve(tx: Transaction, request: Request) -> None:
    """The request was served: so are those that follow it."""
    _move(tx, request, "accepted", "serve", RequestServed)


def dismiss(tx: Transaction, request: Request, reason: str) -> None:
    """The station dismissed the request: so it did those that follow it, for the same reason."""
    for follower in _move(tx, request, "merged", "dismiss", RequestClosed, closed_by="station"):
        said_at = tx.now(follower.community)
        tx.session.add(Remark(id=new_id(), request=follower.id, verb="dismiss", role="station", reason=reason, said_at=said_at))


def fall_back(tx: Transaction, request: Request) -> None:
    """The request is not accepted any more: those that follow it wait with it again."""
    _move(tx, request, "accepted", "fall-back", RequestMerged, again=True)


def _move(tx: Transaction, request: Request, before: str, verb: str, fact: type[RequestState], **more: Any) -> list[Request]:
    if request.supporters == 1:
        return []
    moved = [follower for follower in followers(tx, request) if follower.status == before]
    for follower in moved:
        follower.status = follow(REQUEST, "request", follower.status, verb)
        stays = verb != "fall-back"
        follower.organization, follower.offer = (request.organization, request.offer) if stays else (None, None)
        follower.served_at = request.served_at
        tx.tell(fact(**telling.request_state(follower), **more))
    save(tx.session, moved)
    return moved


def let_go(tx: Transaction, request: Request) -> list[Request]:
    """Release those that follow a request which is not to be served; each stands for itself again. They are saved, and
    returned for whoever matches them."""
    if request.supporters == 1:
        return []
    released = followers(tx, request)
    for follower in released:
        release(tx, follower)
    save(tx.session, released)
    return released


def release(tx: Transaction, request: Request) -> None:
    """Let a request stand for itself again: unmatched, in no project, merged into none."""
    request.status = follow(REQUEST, "request", request.status, "release")
    request.merged_into, request.project = None, None
    request.organization, request.offer = None, None
    tx.tell(RequestReleased(**telling.request_state(request), followers=following(tx, request)))


def count_supporters(tx: Transaction, request: Request, change: int) -> None:
    """Count more or fewer residents who ask for the same. The caller saves the request."""
    if change:
        request.supporters += change
        tx.tell(RequestSupported(**telling.request_state(request)))


def leave(tx: Transaction, request: Request) -> None:
    """A request that followed another goes its own way: the other has so many supporters less."""
    if request.merged_into is not None:
        for other in load(tx.session, Request.id == request.merged_into):
            count_supporters(tx, other, -request.supporters)
            save(tx.session, [other])
