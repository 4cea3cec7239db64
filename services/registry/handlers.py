"""Facts that registry hears, and what it does when the time has come."""

from __future__ import annotations

from services.registry.actions import agreements
from services.registry.models import Satisfaction
from shared.events import CloudEvent
from shared.events.feedback import SatisfactionChanged
from shared.messaging import Handlers, Timer, Timers, Transaction

on = Handlers()
timers = Timers()


@on(SatisfactionChanged)
def keep_satisfaction(tx: Transaction, events: list[CloudEvent[SatisfactionChanged]]) -> None:
    """Keep the satisfaction of all time with organizations, offers, items and communities, for the stars on the menu."""
    kept = set(Satisfaction.model_fields) - {"sequence"}
    tx.keep(
        Satisfaction,
        [{"sequence": event.sequence, **event.data.model_dump(include=kept)} for event in events if event.data.season is None],
    )


@timers(agreements.WARNING)
def warn_of_the_end(tx: Transaction, timer: Timer) -> None:
    """An agreement ends in thirty days."""
    agreements.warn(tx, timer.subject)


@timers(agreements.EXPIRY)
def end_expired(tx: Transaction, timer: Timer) -> None:
    """The day after an agreement's last one has begun."""
    agreements.expire(tx, timer.subject)
