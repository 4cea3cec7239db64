"""What is done with webhooks by those whose they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import col, func, select

from services.notify.models import Community, Delivery, FeedFact, Webhook
from services.notify.rules import cursor_of
from services.notify.webhooks import queries, rules, targets, work
from services.notify.webhooks.signing import new_secret
from services.notify.webhooks.targets import Reach
from services.notify.webhooks.views import (
    Replay,
    ReplayTerms,
    RotationTerms,
    WebhookChanges,
    WebhookSecret,
    WebhookTerms,
    WebhookView,
)
from shared.access import Caller
from shared.events import fact_class
from shared.events.notify import (
    WebhookChanged,
    WebhookCreated,
    WebhookDeleted,
    WebhookPaused,
    WebhookResumed,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction, insert
from shared.problems import Conflict, Invalid

REPLAYED = 5000
"""Deliveries that are set going again at once."""


def create_webhook(tx: Transaction, caller: Caller, terms: WebhookTerms, reach: Reach) -> WebhookSecret:
    """Subscribe an address to public facts.

    Raises Invalid, naming the field, for a community that is not known, an address that may not be called, a type that is not
    one of the public facts', and a cursor that is none; Conflict `webhooks-too-many`; Forbidden for another community.
    """
    caller.belongs_to(terms.community)
    community = tx.session.exec(select(Community).where(Community.id == terms.community).with_for_update()).first()
    if community is None:
        raise Invalid("community", f"There is no community {terms.community!r} here; check its id.", "community-unknown")
    there = tx.session.exec(select(func.count()).select_from(Webhook).where(Webhook.community == terms.community)).one()
    if there >= rules.MOST_OF_A_COMMUNITY:
        raise Conflict("webhooks-too-many", f"A community has at most {rules.MOST_OF_A_COMMUNITY} webhooks; delete one first.")
    _check_types(terms.types)
    webhook = Webhook(
        id=new_id(),
        community=terms.community,
        url=str(targets.read(terms.url, reach)),
        description=terms.description,
        types=terms.types,
        subject=terms.subject,
        everywhere=terms.everywhere,
        status=rules.WEBHOOK["new", "create"],
        secret=new_secret(),
        position=_end(tx) if terms.after is None else min(rules.place_of(terms.after, "after"), _end(tx)),
        created_at=tx.now(terms.community),
    )
    tx.session.add(webhook)
    tx.session.flush()
    tx.tell(work.told(webhook, WebhookCreated))
    return _with_secret(tx, webhook)


def change_webhook(tx: Transaction, caller: Caller, id: str, changes: WebhookChanges, reach: Reach) -> WebhookView:
    """Give a webhook another address, description or other filters. Raises as `create_webhook`, and NotFound."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    webhook.status = follow(rules.WEBHOOK, "webhook", webhook.status, "change")
    given = changes.model_dump(exclude_unset=True)
    if "types" in given:
        _check_types(changes.types)
    if "url" in given:
        given["url"] = str(targets.read(changes.url, reach))
    for name, value in given.items():
        setattr(webhook, name, value)
    tx.tell(work.told(webhook, WebhookChanged))
    return queries.view(tx.session, webhook)


def pause_webhook(tx: Transaction, caller: Caller, id: str) -> WebhookView:
    """Send it nothing more; what is under way comes to its end. Raises NotFound, Forbidden, Conflict."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    webhook.status = follow(rules.WEBHOOK, "webhook", webhook.status, "pause")
    tx.tell(work.told(webhook, WebhookPaused))
    return queries.view(tx.session, webhook)


def resume_webhook(tx: Transaction, caller: Caller, id: str) -> WebhookView:
    """Go on where it stopped; what waits is tried at once. Raises NotFound, Forbidden, Conflict."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    webhook.status = follow(rules.WEBHOOK, "webhook", webhook.status, "resume")
    webhook.because = None
    webhook.failures, webhook.failing_since, webhook.throttled_until = 0, None, None
    webhook.next_at = now = tx.now(webhook.community)
    tx.session.execute(
        sa.update(Delivery)
        .where(col(Delivery.webhook) == id, col(Delivery.status) == "waiting", col(Delivery.due_at) > now)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )
    tx.tell(work.told(webhook, WebhookResumed))
    return queries.view(tx.session, webhook)


def rotate_secret(tx: Transaction, caller: Caller, id: str, terms: RotationTerms) -> WebhookSecret:
    """Give it a new secret; the one it had stays valid for some hours, and no older one. Raises NotFound, Forbidden."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    webhook.status = follow(rules.WEBHOOK, "webhook", webhook.status, "rotate")
    webhook.previous_secret = webhook.previous_until = None
    if terms.overlap_hours:
        webhook.previous_secret = webhook.secret
        webhook.previous_until = tx.now(webhook.community) + timedelta(hours=terms.overlap_hours)
    webhook.secret = new_secret()
    tx.tell(work.told(webhook, WebhookChanged))
    return _with_secret(tx, webhook)


def delete_webhook(tx: Transaction, caller: Caller, id: str) -> None:
    """Delete it, with its log. Raises NotFound, Forbidden."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    tx.tell(work.told(webhook, WebhookDeleted, follow(rules.WEBHOOK, "webhook", webhook.status, "delete")))
    tx.session.execute(sa.delete(Delivery).where(col(Delivery.webhook) == id).execution_options(synchronize_session=False))
    tx.session.delete(webhook)


def replay(tx: Transaction, caller: Caller, id: str, terms: ReplayTerms) -> Replay:
    """Send facts again, in their order, of those that the webhook wants and has come to. Raises NotFound, Forbidden, and
    Invalid where no range is given, or a cursor is none."""
    webhook = queries.find(tx.session, caller, id, hold=True)
    if not terms.model_fields_set or terms == ReplayTerms():
        raise Invalid("after", "Say what is to be sent again: after, up_to, since, until or failed_only.")
    now = tx.now(webhook.community)
    position = col(FeedFact.position)
    up_to = webhook.position if terms.up_to is None else min(webhook.position, rules.place_of(terms.up_to, "up_to"))
    chosen: list[Any] = [position <= up_to, *work.wants(webhook)]
    if terms.after is not None:
        chosen.append(position > rules.place_of(terms.after, "after"))
    if terms.since is not None:
        chosen.append(col(FeedFact.id) >= _first_id(terms.since))
    if terms.until is not None:
        chosen.append(col(FeedFact.id) < _first_id(terms.until))
    if terms.failed_only:
        failed = sa.select(col(Delivery.position)).where(col(Delivery.webhook) == id, col(Delivery.status) == "failed")
        chosen.append(position.in_(failed))
    found = list(tx.session.execute(sa.select(position).where(*chosen).order_by(position).limit(REPLAYED + 1)).scalars())
    again, more = found[:REPLAYED], len(found) > REPLAYED
    if again:
        chosen.append(position <= again[-1])
        _set_going(tx, webhook, chosen, now)
        webhook.next_at = now
    return Replay(deliveries=len(again), next=cursor_of(again[-1]) if more else None)


def _set_going(tx: Transaction, webhook: Webhook, chosen: list[Any], now: datetime) -> None:
    names, facts = work.as_deliveries(webhook, now)
    statement = insert(tx.session, Delivery.__table__).from_select(names, facts.where(*chosen))  # type: ignore[attr-defined]
    anew = {"status": "waiting", "tries": 0, "due_at": now, "ended_at": None}
    tx.session.execute(statement.on_conflict_do_update(index_elements=["webhook", "position"], set_=anew))


def _first_id(moment: datetime) -> str:
    """The first id (UUIDv7) that can have been made at a moment."""
    digits = f"{max(0, int(moment.timestamp() * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:12]}"


def _check_types(types: list[str]) -> None:
    for place, type in enumerate(types):
        fact = fact_class(type)
        if fact is None or not fact.public:
            detail = f"There are no public facts of the type {type!r}; docs/events.md has them all."
            raise Invalid(f"types.{place}", detail, "type-unknown")


def _end(tx: Transaction) -> int:
    return tx.session.exec(select(func.max(col(FeedFact.position)))).one() or 0


def _with_secret(tx: Transaction, webhook: Webhook) -> WebhookSecret:
    return WebhookSecret(**queries.view(tx.session, webhook).model_dump(), secret=webhook.secret)
