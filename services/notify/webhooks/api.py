"""The routes of webhooks, under /api/notify/webhooks."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import Session

from services.notify.webhooks import actions, queries
from services.notify.webhooks.couriers import Couriers
from services.notify.webhooks.signing import body_of
from services.notify.webhooks.targets import Reach
from services.notify.webhooks.views import (
    Attempt,
    DeliveryView,
    Replay,
    ReplayTerms,
    RotationTerms,
    WebhookChanges,
    WebhookSecret,
    WebhookTerms,
    WebhookView,
)
from shared import clock
from shared.access import Caller, allow
from shared.identifiers import new_id
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter(tags=["webhooks"])
TESTED = "fenghe.webhook.tested.v1"
"""The type of a test message. It is no fact: nobody else hears of it."""


def _reach(request: Request) -> Reach:
    return Reach.of(request.app.state.host.settings)


async def _couriers(request: Request) -> Couriers:
    couriers: Couriers = request.app.state.host.part(Couriers)
    return couriers


REACH: Any = Depends(_reach)
COURIERS: Any = Depends(_couriers)


@router.post("/webhooks", status_code=201)
def create_webhook(
    body: WebhookTerms,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
    reach: Reach = REACH,
    couriers: Couriers = COURIERS,
) -> WebhookSecret:
    """Have public facts sent to an address, signed by Standard Webhooks. The answer has the secret, which is never shown
    again. From then on every fact that fits is sent, once at least, in the order of the feed for each subject; one that is
    not taken (2xx) is tried again for three days, and the facts after it of the same subject wait for it."""
    made = edge.run(actions.create_webhook, caller, body, reach)
    couriers.wake()
    return made


@router.get("/webhooks")
def list_webhooks(
    community: Annotated[str, Query(max_length=100, description="the id of the community")],
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
) -> Page[WebhookView]:
    """A community's webhooks, and how each stands."""
    return edge.read(queries.list_webhooks, caller, community, page)


@router.get("/webhooks/{id}")
def show_webhook(id: str, caller: Caller = allow("station", "operator", "system"), edge: Edge = EDGE) -> WebhookView:
    """A webhook, and how it stands."""
    return edge.read(queries.show_webhook, caller, id)


@router.patch("/webhooks/{id}")
def change_webhook(
    id: str,
    body: WebhookChanges,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
    reach: Reach = REACH,
) -> WebhookView:
    """Give a webhook another address, description or other filters. What is left out stays as it is."""
    return edge.run(actions.change_webhook, caller, id, body, reach)


@router.delete("/webhooks/{id}", status_code=204)
def delete_webhook(id: str, caller: Caller = allow("station", "operator", "system"), edge: Edge = EDGE) -> None:
    """Delete a webhook with its log. What is under way to it may still arrive."""
    edge.run(actions.delete_webhook, caller, id)


@router.post("/webhooks/{id}/pause")
def pause_webhook(id: str, caller: Caller = allow("station", "operator", "system"), edge: Edge = EDGE) -> WebhookView:
    """Send it nothing until it is resumed. Nothing is lost meanwhile."""
    return edge.run(actions.pause_webhook, caller, id)


@router.post("/webhooks/{id}/resumption")
def resume_webhook(
    id: str,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
    couriers: Couriers = COURIERS,
) -> WebhookView:
    """Let a webhook that was paused or disabled go on where it stopped. What waits is tried at once."""
    resumed = edge.run(actions.resume_webhook, caller, id)
    couriers.wake()
    return resumed


@router.post("/webhooks/{id}/secret-rotation")
def rotate_secret(
    id: str, body: RotationTerms, caller: Caller = allow("station", "operator", "system"), edge: Edge = EDGE
) -> WebhookSecret:
    """Give a webhook a new secret, shown this once. Until the overlap is over every message has two signatures, of the new
    secret and of the one before, so that the receiver can change over at any moment of it."""
    return edge.run(actions.rotate_secret, caller, id, body)


@router.post("/webhooks/{id}/test")
async def send_test_message(
    id: str,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
    couriers: Couriers = COURIERS,
) -> Attempt:
    """Send a test message (`fenghe.webhook.tested.v1`) at once, and say what came of it. It is made like every other, changes
    nothing, and stands in no log."""
    read: tuple[str, tuple[str, ...], dict[str, Any]] = await asyncio.to_thread(edge.read, _test_message, caller, id)
    url, secrets, event = read
    at = clock.now()
    outcome = await asyncio.wrap_future(couriers.attempt(url, event["id"], body_of(event), secrets))
    return Attempt(
        at=at,
        status_code=outcome.status_code,
        milliseconds=outcome.milliseconds,
        error=queries.error_of(outcome.error),
    )


@router.get("/webhooks/{id}/deliveries")
def list_deliveries(
    id: str,
    status: Annotated[Literal["waiting", "delivered", "failed"] | None, Query(description="only those that stand so")] = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
) -> Page[DeliveryView]:
    """The log of a webhook, the newest facts first: every attempt with its status code and time, and when the next is due.
    What has ended is kept as long as facts are (FENGHE_RETENTION_DAYS)."""
    return edge.read(queries.list_deliveries, caller, id, status, page)


@router.post("/webhooks/{id}/replays")
def replay(
    id: str,
    body: ReplayTerms,
    caller: Caller = allow("station", "operator", "system"),
    edge: Edge = EDGE,
) -> Replay:
    """Send facts again, with the `webhook-id` they had: a range of the feed, of a time, or what could not be delivered. At most
    5,000 at once; then ask again with `next` as `after`."""
    return edge.run(actions.replay, caller, id, body)


def _test_message(session: Session, caller: Caller, id: str) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    webhook = queries.find(session, caller, id)
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": "/fenghe/notify",
        "type": TESTED,
        "subject": id,
        "time": clock.now().isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "community": webhook.community,
        "data": {"webhook": id},
    }
    return webhook.url, queries.secrets_of(session, webhook), event
