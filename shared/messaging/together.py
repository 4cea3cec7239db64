"""Commands that come while others are carried out share the next transaction: the more come, the less each of them costs.

What a transaction costs is for the most part the same for one command and for ten. Whoever comes first begins at once and
alone; who comes meanwhile waits until that is committed, and then all of them are carried out in one transaction. Where one of
them is refused or fails, everything is undone and each is carried out alone, so that nobody bears another's fault.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from shared.database import is_unavailable
from shared.messaging.transaction import Transaction

T = TypeVar("T")
Work = Callable[[Transaction], Any]

AT_ONCE = 20
"""The most commands in one transaction: none waits for more of the others than these."""


class Together:
    """Carries out commands of one kind, each from a thread of its own; `run(work)` does one piece of work in a transaction.
    The commands must agree on an order in which they lock rows, or lock none."""

    def __init__(self, run: Callable[[Work], Any]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._waiting: list[_Command] = []
        self._at_work = False

    def run(self, work: Callable[[Transaction], T]) -> T:
        """Do `work`, alone or with others; returns what it returned, and raises what it raised."""
        command = _Command(work)
        with self._lock:
            self._waiting.append(command)
            leads, self._at_work = not self._at_work, True
        if not leads:
            command.woken.wait()
        if not command.done:
            self._lead()
        if command.error is not None:
            raise command.error
        return cast(T, command.result)

    def _lead(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        try:
            self._carry_out(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._at_work = bool(following)
            for command in batch:
                command.done = True
            for command in (*batch, *following):  # whoever is not done leads the next
                command.woken.set()

    def _carry_out(self, batch: Sequence[_Command]) -> None:
        if len(batch) > 1:
            try:
                results = self._run(lambda tx: [command.work(tx) for command in batch])
            except Exception as error:
                if is_unavailable(error):
                    for command in batch:
                        command.error = error
                    return
            else:
                for command, result in zip(batch, results, strict=True):
                    command.result, command.error = result, None
                return
        for command in batch:
            try:
                command.result, command.error = self._run(command.work), None
            except Exception as error:
                command.error = error


class _Command:
    """What one caller wants done, in the caller's context: its facts belong to the caller's trace."""

    def __init__(self, work: Work) -> None:
        context = contextvars.copy_context()
        self.work: Work = lambda tx: context.run(work, tx)
        self.woken = threading.Event()
        self.done = False
        self.result: Any = None
        self.error: Exception | None = RuntimeError("a command was broken off")
