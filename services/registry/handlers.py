"""Facts that registry hears."""

from __future__ import annotations

from services.registry.models import Satisfaction
from shared.events import CloudEvent
from shared.events.feedback import SatisfactionChanged
from shared.messaging import Handlers, Transaction

on = Handlers()


@on(SatisfactionChanged)
def keep_satisfaction(tx: Transaction, events: list[CloudEvent[SatisfactionChanged]]) -> None:
    """Keep the satisfaction of all time with organizations, offers, items and communities, for the stars on the menu."""
    kept = set(Satisfaction.model_fields) - {"sequence"}
    tx.keep(
        Satisfaction,
        [{"sequence": event.sequence, **event.data.model_dump(include=kept)} for event in events if event.data.season is None],
    )
