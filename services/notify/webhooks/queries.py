"""What is read of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.notify.models import Delivery, Webhook
from services.notify.rules import cursor_of, position_of
from services.notify.webhooks import rules
from services.notify.webhooks.views import Attempt, AttemptError, DeliveryView, WebhookView, Words
from shared.access import Caller
from shared.messaging import clocks
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def show_webhook(session: Session, caller: Caller, id: str) -> WebhookView:
    """A webhook. Raises NotFound, and Forbidden for another community's."""
    return view(session, find(session, caller, id))


def list_webhooks(session: Session, caller: Caller, community: str, page: PageRequest) -> Page[WebhookView]:
    """A community's webhooks, oldest first. Raises Forbidden for another community's."""
    caller.belongs_to(community)
    statement = select(Webhook).where(Webhook.community == community)
    return paginate(session, statement, col(Webhook.id), page, lambda webhook: view(session, webhook))


def list_deliveries(session: Session, caller: Caller, id: str, status: str | None, page: PageRequest) -> Page[DeliveryView]:
    """A webhook's deliveries, the newest in the feed first. Raises NotFound, and Forbidden for another community's."""
    find(session, caller, id)
    statement = select(Delivery).where(Delivery.webhook == id)
    if status is not None:
        statement = statement.where(Delivery.status == status)
    if page.after is not None:
        statement = statement.where(col(Delivery.position) < position_of(page.after, "after"))
    rows = list(session.exec(statement.order_by(col(Delivery.position).desc()).limit(page.limit + 1)))
    following = cursor_of(rows[page.limit - 1].position) if len(rows) > page.limit else None
    return Page(items=[_delivery(row) for row in rows[: page.limit]], next=following)


def find(session: Session, caller: Caller, id: str, hold: bool = False) -> Webhook:
    """The webhook, held until the transaction ends where that is asked for. Raises NotFound and Forbidden."""
    statement = select(Webhook).where(Webhook.id == id)
    webhook = session.exec(statement.with_for_update() if hold else statement).first()
    if webhook is None:
        raise NotFound("webhook", id)
    caller.belongs_to(webhook.community)
    return webhook


def secrets_of(session: Session, webhook: Webhook) -> tuple[str, ...]:
    """The secrets that are valid, the newest first."""
    until = webhook.previous_until
    old = webhook.previous_secret if until is not None and clocks.now(session, webhook.community) < until else None
    return (webhook.secret, old) if old is not None else (webhook.secret,)


def view(session: Session, webhook: Webhook) -> WebhookView:
    """A webhook as its owner sees it."""
    waiting: Any = (col(Delivery.webhook) == webhook.id) & (col(Delivery.status) == "waiting")
    count, first = session.execute(sa.select(sa.func.count(), sa.func.min(Delivery.due_at)).where(waiting)).one()
    until = webhook.previous_until
    zh, en = rules.state_of(webhook.status, webhook.because, webhook.failures)
    return WebhookView(
        id=webhook.id,
        community=webhook.community,
        url=webhook.url,
        description=webhook.description,
        types=webhook.types,
        subject=webhook.subject,
        everywhere=webhook.everywhere,
        status=webhook.status,  # type: ignore[arg-type]
        because=webhook.because,  # type: ignore[arg-type]
        state=Words(zh=zh, en=en),
        waiting=count,
        next_attempt_at=(webhook.next_at or first) if count and webhook.status == "active" else None,
        failing_since=webhook.failing_since,
        old_secret_until=until if len(secrets_of(session, webhook)) > 1 else None,
        cursor=cursor_of(webhook.position),
        created_at=webhook.created_at,
    )


def attempts_of(attempts: Sequence[dict[str, Any]]) -> list[Attempt]:
    """Attempts as people read them."""
    return [
        Attempt(
            at=datetime.fromisoformat(one["at"]),
            status_code=one["status_code"],
            milliseconds=one["milliseconds"],
            error=error_of(one["error"]),
        )
        for one in attempts
    ]


def error_of(kind: str | None) -> AttemptError | None:
    """An error as people read it."""
    if kind is None:
        return None
    zh, en = rules.ERRORS[kind]
    return AttemptError(kind=kind, zh=zh, en=en)


def _delivery(row: Delivery) -> DeliveryView:
    return DeliveryView(
        fact=row.fact,
        type=row.type,
        subject=row.subject,
        community=row.community,
        cursor=cursor_of(row.position),
        status=row.status,  # type: ignore[arg-type]
        attempts=attempts_of(row.attempts),
        next_attempt_at=row.due_at if row.status == "waiting" else None,
        ended_at=row.ended_at,
    )
