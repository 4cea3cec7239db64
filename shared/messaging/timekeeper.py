"""The timekeeper: looks for timers that are due and lets each take effect, in a transaction of its own with its end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session

from shared import logs
from shared.database import Database, is_unavailable
from shared.messaging import timers
from shared.messaging.consumer import Retries
from shared.messaging.metrics import Metrics
from shared.messaging.steps import step
from shared.messaging.tables import timers as table
from shared.messaging.timers import Effect, Timer
from shared.messaging.transaction import Row, Transaction, transact
from shared.tracing import Tracing

log = logs.get("timers")

LOOK_EVERY = 0.5
"""Seconds between two looks."""
AT_ONCE = 100
"""The most timers taken from one look, and as many of those that failed; then it looks again."""
LONGEST_PAUSE = 3600.0
"""Seconds: the longest pause between two attempts of a timer that fails."""
LONGEST_ERROR = 300


class Timekeeper:
    """Fires a service's timers, in a thread of its own. Any number of replicas may do so side by side: who takes the timer's
    row away has the effect, and both are committed together or not at all."""

    def __init__(
        self,
        database: Database,
        functions: Mapping[str, Effect],
        teller: str,
        public_url: str,
        offer: Callable[[list[Row]], None],
        metrics: Metrics,
        retries: Retries,
    ) -> None:
        self._database = database
        self._functions = functions
        self._teller = teller
        self._public_url = public_url
        self._offer = offer
        self._metrics = metrics
        self._retries = retries
        self.tracing: Tracing | None = None
        self._stopping = False
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Begin, with the timers that came due while nobody looked. Does nothing in a service without timers."""
        if self._functions:
            self._thread.start()

    def stop(self) -> None:
        """Finish the timer at work, then end."""
        self._stopping = True
        self._woken.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=15)

    @property
    def running(self) -> bool:
        """Whether it looks for timers, or has none to look for."""
        return self._thread.is_alive() or not self._functions

    def waiting(self, session: Session) -> tuple[int, int]:
        """How many timers are due, and how many wait for another attempt as a failed fact does. Whoever asks wants the due
        ones to fire: it looks for them at once."""
        due, retrying = timers.waiting(session, datetime.now(UTC), self._retries.attempts) if self._functions else (0, 0)
        if due or retrying:
            self._woken.set()
        return due, retrying

    def _run(self) -> None:
        pause = LOOK_EVERY
        while not self._stopping:
            try:
                more = self._look()
            except Exception as error:  # whatever it was, the timers are in the database, and it looks again
                log.warning(
                    "timers could not be looked at; they fire late, none is lost; see that the database runs",
                    error=str(error),
                    kind=type(error).__name__,
                )
                more = False
            if not more:
                self._woken.wait(pause)
                self._woken.clear()

    def _look(self) -> bool:
        """Fire what is due; whether there may be more. Raises where the database cannot be used."""
        with self._database.reading() as session:
            due = timers.due(session, datetime.now(UTC), AT_ONCE)
        for timer, attempts in due:
            if self._stopping:
                return False
            try:
                with self.tracing.timer(timer.kind) if self.tracing is not None else logs.one_trace():
                    self._fire(timer)
            except Exception as error:
                if is_unavailable(error):
                    raise
                self._failed(timer, attempts + 1, error)
        return len(due) >= AT_ONCE

    def _fire(self, timer: Timer) -> None:
        def work(tx: Transaction) -> bool:
            if not timers.claim(tx.session, timer):
                return False
            if timer.kind not in self._functions:
                raise LookupError(f"this version has no function for timers of the kind {timer.kind!r}")
            self._functions[timer.kind](tx, timer)
            return True

        fired, rows = transact(self._database, self._teller, self._public_url, work, lambda: step("timer:before-commit"))
        step("timer:after-commit")
        self._offer(rows)
        if fired:
            self._metrics.fired.labels(timer.kind).inc()
            for row in rows:
                self._metrics.told.labels(row["type"]).inc()
            log.info("a timer took effect", kind=timer.kind, subject=timer.subject, told=len(rows))

    def _failed(self, timer: Timer, attempt: int, error: Exception) -> None:
        pause = min(self._retries.delay(min(attempt, 50)), LONGEST_PAUSE)
        cause = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:LONGEST_ERROR]
        statement = (
            sa.update(table)
            .where(table.c.kind == timer.kind, table.c.subject == timer.subject, table.c.due_at == timer.due_at)
            .values(attempts=attempt, next_attempt_at=datetime.now(UTC) + timedelta(seconds=pause), last_error=cause)
        )
        self._database.transact(lambda session: session.execute(statement))
        self._metrics.failed.labels(timer.kind).inc()
        log.error(
            "a timer failed; nothing of it happened, it is tried again, later and later; mend the cause, then it fires",
            kind=timer.kind,
            subject=timer.subject,
            attempt=attempt,
            pause=pause,
            error=type(error).__name__,
        )
