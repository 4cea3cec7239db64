"""What a service's command tells and the service itself hears takes effect in the command's own transaction, where its handlers
say so (`@on(..., at_once=True)`): one commit less, no way over Redis, and no moment in between.

The fact goes over the stream like any other, for others hear it too; the inbox knows that here it has taken effect. Where a
handler fails, the command is done again without it: then the fact takes effect by way of the stream, with retries and dead
letters. So a bug in a handler is never the trouble of whoever sent the command.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from shared import logs
from shared.database import is_unavailable
from shared.events import CloudEvent, Fact
from shared.messaging.handlers import Dispatch
from shared.messaging.metrics import Metrics, count
from shared.messaging.transaction import Row, Transaction
from shared.tracing import Tracing

T = TypeVar("T")
log = logs.get("at-once")


class AtOnce:
    """Lets what a command tells take effect at once. Any number of threads may use it."""

    def __init__(self, dispatch: Dispatch, group: str, metrics: Metrics) -> None:
        self._dispatch = dispatch
        self._group = group
        self._metrics = metrics
        self.tracing: Tracing | None = None

    def run(
        self, action: Callable[[Transaction], T], transact: Callable[[Callable[[Transaction], T]], tuple[T, list[Row]]]
    ) -> tuple[T, list[Row]]:
        """`transact(action)`, with the effects of what the action tells, or without them where they fail."""
        if not self._dispatch.at_once:
            return transact(action)
        events: list[CloudEvent[Fact]] = []
        handled: dict[str, str] = {}
        began = time.time_ns()

        def with_effects(tx: Transaction) -> T:
            events.clear()  # of an attempt that was undone
            result = action(tx)
            tx.take_effect(self._dispatch.at_once, self._group, handle)
            if self.tracing is not None:
                handled.update(tx.spans(events))
            return result

        def handle(tx: Transaction, told: list[CloudEvent[Fact]]) -> None:
            events[:] = told
            self._dispatch.run(tx, told, self._metrics.handler_seconds)

        try:
            done = transact(with_effects)
        except Exception as error:  # a handler may raise anything, and what it wrote may fail as late as at the commit
            if not events or is_unavailable(error):
                raise
            count(self._metrics.retried, (event.type for event in events))
            if self.tracing is not None:
                self.tracing.at_once(self._group, events, {}, began, type(error).__name__)
            log.warning(
                "what a command told took no effect at once; it does so by way of the stream; if it lasts, mend the handler",
                kind=type(error).__name__,
            )
            return transact(action)
        count(self._metrics.handled, (event.type for event in events))
        if self.tracing is not None:
            self.tracing.at_once(self._group, events, handled, began)
        return done
