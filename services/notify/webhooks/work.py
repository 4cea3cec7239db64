"""What is due, who sees to it, and what became of it: the rows of deliveries.

A webhook is seen to by one replica at a time: the one that holds its lease. Whatever a replica writes of a webhook it writes
with the row locked and only while the lease's number is still its own; so a replica that was thought dead and comes back
changes nothing. Between sending and writing a crash may come: then the message is sent again, with the same `webhook-id`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.notify.models import Delivery, FeedFact, Webhook
from services.notify.webhooks import rules
from services.notify.webhooks.rules import FAILING, LASTS, MOST_ATTEMPTS_KEPT, Outcome
from shared import clock, logs
from shared.events.notify import DeliveryFailed, WebhookDisabled, WebhookState
from shared.lifecycle import follow
from shared.messaging import Transaction, clocks

log = logs.get("webhooks")

AT_ONCE = 200
"""Deliveries of a webhook that are taken in hand at once."""
LOOKED_THROUGH = 500
"""Facts of the feed that become deliveries of a webhook at once."""
LEASE = timedelta(seconds=30)
_FACT: Any = FeedFact.__table__  # type: ignore[attr-defined]
_DELIVERY: Any = Delivery.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Standing:
    """An active webhook at a glance: what it wants, how far it has looked through the feed, when something is due."""

    id: str
    community: str
    types: frozenset[str]
    subject: str | None
    everywhere: bool
    position: int
    holds_back: bool
    due: bool
    free: bool

    def wants(self, type: str, subject: str, community: str) -> bool:
        """Whether a fact is for it."""
        return (
            (not self.types or type in self.types)
            and self.subject in (None, subject)
            and (self.everywhere or community == self.community)
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery in hand."""

    position: int
    fact: str
    subject: str
    tries: int
    attempts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Result:
    """A delivery that was attempted."""

    job: Job
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Round:
    """What a courier does next for a webhook: these deliveries, to this address, signed with these secrets."""

    url: str
    secrets: tuple[str, ...]
    jobs: tuple[Job, ...]


def wants(webhook: Webhook) -> list[Any]:
    """The conditions by which facts of the feed are a webhook's."""
    conditions: list[Any] = []
    if webhook.types:
        conditions.append(col(FeedFact.type).in_(webhook.types))
    if webhook.subject is not None:
        conditions.append(col(FeedFact.subject) == webhook.subject)
    if not webhook.everywhere:
        conditions.append(col(FeedFact.community) == webhook.community)
    return conditions


def as_deliveries(webhook: Webhook, now: datetime) -> tuple[list[str], Any]:
    """Facts of the feed as deliveries that are due now: names of columns, and what to select for them."""
    given = {"webhook": webhook.id, "status": "waiting", "tries": 0, "due_at": now, "attempts": [], "created_at": now}
    taken = {name: getattr(FeedFact, name) for name in ("position", "fact", "type", "subject", "community")}
    columns = [sa.literal(value, type_=_DELIVERY.c[name].type) for name, value in given.items()]
    return [*given, *taken], sa.select(*columns, *taken.values())


def glance(session: Session) -> list[Standing]:
    """Every active webhook."""
    columns: tuple[Any, ...] = (
        *(Webhook.id, Webhook.community, Webhook.types, Webhook.subject, Webhook.everywhere, Webhook.position),
        *(Webhook.failures, Webhook.throttled_until, Webhook.next_at, Webhook.leased_until),
    )
    machine, standing = clock.now(), []
    for row in session.execute(sa.select(*columns).where(col(Webhook.status) == "active")):
        now = clocks.now(session, row.community)
        throttled = row.throttled_until is not None and row.throttled_until > now
        standing.append(
            Standing(
                id=row.id,
                community=row.community,
                types=frozenset(row.types),
                subject=row.subject,
                everywhere=row.everywhere,
                position=row.position,
                holds_back=throttled or row.failures >= FAILING,
                due=row.next_at is not None and row.next_at <= now and not throttled,
                free=row.leased_until is None or row.leased_until <= machine,
            )
        )
    return standing


def claim(tx: Transaction, ids: Sequence[str]) -> dict[str, int]:
    """Take the lease of webhooks that nobody holds; returns the numbers of those that were taken."""
    now = clock.now()
    free = sa.or_(col(Webhook.leased_until).is_(None), col(Webhook.leased_until) <= now)
    mine = (
        sa.select(col(Webhook.id))
        .where(col(Webhook.id).in_(ids), col(Webhook.status) == "active", free)
        .with_for_update(skip_locked=True)
    )
    statement = sa.update(Webhook).where(col(Webhook.id).in_(mine))
    taken = statement.values(lease=col(Webhook.lease) + 1, leased_until=now + LEASE).returning(
        col(Webhook.id), col(Webhook.lease)
    )
    rows = tx.session.execute(taken.execution_options(synchronize_session=False))
    return dict(list(rows))


def renew(tx: Transaction, leases: Mapping[str, int]) -> None:
    """Hold leases for longer."""
    held = sa.tuple_(col(Webhook.id), col(Webhook.lease)).in_(sorted(leases.items()))
    statement = sa.update(Webhook).where(held).values(leased_until=clock.now() + LEASE)
    tx.session.execute(statement.execution_options(synchronize_session=False))


def free_all(tx: Transaction) -> None:
    """Whoever held a lease is gone: this is the only replica, and it has just started."""
    tx.session.execute(sa.update(Webhook).values(leased_until=None).execution_options(synchronize_session=False))


def record(tx: Transaction, results: Mapping[tuple[str, int], Sequence[Result]]) -> None:
    """Write what became of deliveries, by the webhook and its lease; nothing of those whose lease was lost."""
    held = select(Webhook).where(col(Webhook.id).in_([id for id, _ in results])).order_by(col(Webhook.id)).with_for_update()
    rows: list[dict[str, Any]] = []
    for webhook in tx.session.exec(held):
        rows += _recorded(tx, webhook, results.get((webhook.id, webhook.lease), ()))
    _write(tx, rows)


def advance(tx: Transaction, id: str, lease: int, results: Sequence[Result], more: bool) -> Round | None:
    """Write what became of deliveries, and take the next in hand. None where there is nothing to do for now, or nothing is
    wanted any more (`more`): then the lease is given back; or where it was lost, and nothing is written."""
    webhook = _held(tx, id, lease)
    if webhook is None:
        return None
    now = tx.now(webhook.community)
    _write(tx, _recorded(tx, webhook, results))
    throttled = webhook.throttled_until is not None and webhook.throttled_until > now
    jobs: list[Job] = []
    if more and webhook.status == "active" and not throttled:
        jobs = _probe(tx.session, webhook, now) if webhook.failures >= FAILING else _take(tx.session, webhook, now)
    if not jobs:
        webhook.leased_until = None
        webhook.next_at = _next(tx.session, webhook, now) if more else now
        return None
    secrets = [webhook.secret]
    if webhook.previous_secret is not None and webhook.previous_until is not None and now < webhook.previous_until:
        secrets.append(webhook.previous_secret)
    return Round(webhook.url, tuple(secrets), tuple(jobs))


def _held(tx: Transaction, id: str, lease: int) -> Webhook | None:
    return tx.session.exec(select(Webhook).where(Webhook.id == id, Webhook.lease == lease).with_for_update()).first()


def bodies(session: Session, positions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Facts of the feed, by position."""
    statement: Any = sa.select(_FACT.c.position, _FACT.c.event).where(col(FeedFact.position).in_(positions))
    return dict(list(session.execute(statement)))


def headers(session: Session, after: int, most: int) -> list[tuple[int, str, str, str]]:
    """What is new in the feed: position, type, subject, community."""
    kinds: tuple[Any, ...] = (FeedFact.position, FeedFact.type, FeedFact.subject, FeedFact.community)
    statement = sa.select(*kinds).where(col(FeedFact.position) > after).order_by(col(FeedFact.position)).limit(most)
    return [(position, type, subject, community) for position, type, subject, community in session.execute(statement)]


def purge(tx: Transaction, before: datetime) -> None:
    """Forget deliveries that ended before a moment."""
    tx.session.execute(sa.delete(Delivery).where(col(Delivery.ended_at) < before).execution_options(synchronize_session=False))


def _waiting(webhook: Webhook) -> Any:
    return (col(Delivery.webhook) == webhook.id) & (col(Delivery.status) == "waiting")


_JOB: tuple[Any, ...] = (
    *(Delivery.position, Delivery.fact, Delivery.subject),
    *(Delivery.tries, Delivery.attempts),
)


def _take(session: Session, webhook: Webhook, now: datetime) -> list[Job]:
    """What is due, and what the feed has for it; in the feed's order, and of no subject of which something failed and waits."""
    later = sa.select(col(Delivery.subject)).where(_waiting(webhook), col(Delivery.due_at) > now)
    due = sa.select(*_JOB).where(_waiting(webhook), col(Delivery.due_at) <= now, col(Delivery.subject).not_in(later))
    due = due.order_by(col(Delivery.position)).limit(AT_ONCE)
    found = session.execute(due).all()
    if len(found) < AT_ONCE and _look_through(session, webhook, now):
        found = session.execute(due).all()
    return [Job(*row) for row in found]


def _look_through(session: Session, webhook: Webhook, now: datetime) -> int:
    """Make deliveries of what is new in the feed; how many."""
    reached = session.execute(sa.select(sa.func.max(col(FeedFact.position)))).scalar() or 0
    if reached <= webhook.position:
        return 0
    names, facts = as_deliveries(webhook, now)
    facts = facts.where(col(FeedFact.position) > webhook.position, *wants(webhook))
    facts = facts.order_by(col(FeedFact.position)).limit(LOOKED_THROUGH)
    statement = sa.insert(_DELIVERY).from_select(names, facts).returning(_DELIVERY.c.position)
    positions = list(session.execute(statement).scalars())
    webhook.position = max(positions) if len(positions) == LOOKED_THROUGH else max(reached, *positions, 0)
    session.flush()
    return len(positions)


def _probe(session: Session, webhook: Webhook, now: datetime) -> list[Job]:
    """The one delivery with which a failing receiver is tried: of those that failed the first that is due; where none has, the
    first at all."""
    failed = sa.select(*_JOB).where(_waiting(webhook), col(Delivery.tries) > 0)
    due = session.execute(failed.where(col(Delivery.due_at) <= now).order_by(col(Delivery.due_at)).limit(1)).first()
    if due is not None:
        return [Job(*due)]
    if session.execute(failed.limit(1)).first() is not None:
        return []
    return _take(session, webhook, now)[:1]


def _next(session: Session, webhook: Webhook, now: datetime) -> datetime | None:
    """When a delivery is due next; None where only a new fact gives something to do."""
    session.flush()
    if webhook.throttled_until is not None and webhook.throttled_until > now:
        return webhook.throttled_until
    times = sa.select(sa.func.min(col(Delivery.due_at))).where(_waiting(webhook))
    due: datetime | None = None
    if webhook.failures >= FAILING:
        due = session.execute(times.where(col(Delivery.tries) > 0)).scalar()
    due = due or session.execute(times.where(col(Delivery.due_at) > now)).scalar()
    if due is None and webhook.failures >= FAILING:
        webhook.failures = FAILING - 1  # nothing waits: the next fact is what it is tried with
    return due


_CHANGED = ("status", "tries", "due_at", "attempts", "ended_at")
_WRITTEN = (
    sa.update(_DELIVERY)
    .where(
        _DELIVERY.c.webhook == sa.bindparam("at_webhook"),
        _DELIVERY.c.position == sa.bindparam("at_position"),
        _DELIVERY.c.status == "waiting",
    )
    .values({name: sa.bindparam(f"new_{name}") for name in _CHANGED})
)


def _write(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    if rows:
        tx.session.connection().execute(_WRITTEN, rows)


def _recorded(tx: Transaction, webhook: Webhook, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Deliveries after an attempt; the webhook is changed accordingly."""
    now = tx.now(webhook.community)
    return [_after(tx, webhook, result, now) for result in results]


def _after(tx: Transaction, webhook: Webhook, result: Result, now: datetime) -> dict[str, Any]:
    job, outcome = result.job, result.outcome
    attempt = {"at": now.isoformat(), "status_code": outcome.status_code, "milliseconds": outcome.milliseconds}
    attempts = [*job.attempts, {**attempt, "error": outcome.error}][-MOST_ATTEMPTS_KEPT:]
    status, tries, due_at = "waiting", job.tries, now
    if outcome.delivered:
        status = "delivered"
        webhook.failures, webhook.failing_since, webhook.throttled_until = 0, None, None
    else:
        webhook.failures += 1
        webhook.failing_since = webhook.failing_since or now
        if outcome.status_code == rules.GONE:
            _disable(tx, webhook, "gone")
        else:
            first_at = datetime.fromisoformat(attempts[0]["at"])
            tries, due = rules.next_due(now, job.tries, first_at, outcome, random.random())
            if due is None:
                status = "failed"
                tx.tell(_failure(webhook, job, tries, outcome))
                if now - webhook.failing_since >= LASTS:
                    _disable(tx, webhook, "failing")
            else:
                due_at = due
                if outcome.throttles:
                    webhook.throttled_until = max(due, webhook.throttled_until or due)
    return {
        "at_webhook": webhook.id,
        "at_position": job.position,
        "new_status": status,
        "new_tries": tries,
        "new_due_at": due_at,
        "new_attempts": attempts,
        "new_ended_at": None if status == "waiting" else now,
    }


def _failure(webhook: Webhook, job: Job, tries: int, outcome: Outcome) -> DeliveryFailed:
    return DeliveryFailed(
        community=webhook.community,
        delivery=f"{webhook.id}:{job.fact}",
        webhook=webhook.id,
        fact=job.fact,
        attempts=tries,
        status_code=outcome.status_code,
        error=outcome.error or "refused",
    )


def _disable(tx: Transaction, webhook: Webhook, because: str) -> None:
    if webhook.status != "active":
        return
    webhook.status = follow(rules.WEBHOOK, "webhook", webhook.status, "disable")
    webhook.because = because
    tx.tell(told(webhook, WebhookDisabled))
    log.warning(
        "a webhook was disabled; its receiver gets nothing, and nothing is lost; its owner mends the receiver and resumes it",
        webhook=webhook.id,
        because=because,
    )


def told(webhook: Webhook, fact: type[WebhookState], status: str | None = None) -> WebhookState:
    """A fact of a webhook as it now stands (or in a status of which there is no row)."""
    return fact.model_validate(
        {
            "community": webhook.community,
            "webhook": webhook.id,
            "types": webhook.types,
            "only_subject": webhook.subject,
            "everywhere": webhook.everywhere,
            "status": status or webhook.status,
            "because": webhook.because,
        }
    )
