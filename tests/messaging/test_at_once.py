"""What a command tells and its service hears takes effect with the command, once; a bug there is not the caller's trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from shared.messaging import CloudEvent, Handlers, Transaction, clocks, healing
from shared.messaging.testing import Harness
from shared.service import Service
from tests.messaging.lending import Loan, LoanAsked, LoanChanged, Table, ask, lend, router, timers

PUT = "/api/lending/communities/c/loans/{}?days=3"


def lending(handlers: list[Handlers]) -> Service:
    return Service(
        "lending",
        "Lending",
        "Things lent",
        "lending",
        Table.metadata,
        routers=[router],
        handlers=handlers,
        timers=[timers],
    )


@contextmanager
def handled_by(
    harness: Callable[[Any], Harness], handle: Callable[[Transaction, CloudEvent[LoanAsked]], None]
) -> Iterator[Harness]:
    """The lending service with another handler of what it tells itself, which is called at once."""
    on = Handlers()

    @on(LoanAsked, at_once=True)
    def take(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        handle(tx, event)

    yield harness(lending([on, clocks.handlers]))


def status(running: Harness) -> list[str]:
    return [loan.status for loan in running.rows(Loan)]


def test_it_takes_effect_before_the_command_is_answered_and_once(harness: Callable[[Any], Harness]) -> None:
    heard: list[CloudEvent[LoanAsked]] = []

    def handle(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        heard.append(event)
        lend(tx, event)

    with handled_by(harness, handle) as running:
        assert running.client.put(PUT.format("drill")).status_code == 201
        assert (len(heard), status(running)) == (1, ["lent"])
        told = running.told()
        assert [(event.type, event.sequence) for event in told] == [(LoanAsked.type, 1), (LoanChanged.type, 2)]
        assert heard[0] == told[0]
        assert told[0].traceparent[:35] == told[1].traceparent[:35]  # one trace
        # Again by way of the stream, with the attribute that spares the inbox a look, and without it, as a sweeper sends it.
        running.deliver(told)
        running.host.database.transact(healing.republish)
        running.drain()
        assert (len(heard), len(running.rows(Loan)), len(running.told(LoanChanged))) == (1, 1, 1)


def test_where_it_fails_the_command_holds_and_the_fact_goes_by_the_stream(harness: Callable[[Any], Harness]) -> None:
    tries: list[str] = []

    def handle(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        lend(tx, event)
        tries.append(event.subject)
        if tries.count(event.subject) == 1:
            raise ZeroDivisionError("a bug in the handler")

    with handled_by(harness, handle) as running:
        assert running.client.put(PUT.format("ladder")).status_code == 201
        assert [event.sequence for event in running.told(LoanChanged)] == [2]
        assert (tries, status(running), running.dead_letters()) == (["ladder"] * 2, ["lent"], [])


def test_where_it_always_fails_the_fact_is_kept_with_its_cause(harness: Callable[[Any], Harness]) -> None:
    def handle(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        raise ZeroDivisionError("a bug in the handler")

    with handled_by(harness, handle) as running:
        assert running.client.put(PUT.format("tent")).status_code == 201
        assert running.client.put(PUT.format("tent")).json()["type"].endswith("loan-taken")
        running.drain()
        (letter,) = running.dead_letters()
        assert "a bug in the handler" in letter["cause"]
        assert (status(running), running.told(LoanChanged)) == (["asked"], [])


def test_what_fails_only_when_it_is_written_is_not_the_callers_trouble_either(harness: Callable[[Any], Harness]) -> None:
    def handle(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        tx.schedule("give-back", None, event.community, tx.now(event.community))  # type: ignore[arg-type]

    with handled_by(harness, handle) as running:
        assert running.client.put(PUT.format("kite")).status_code == 201
        running.drain()
        (letter,) = running.dead_letters()
        assert "IntegrityError" in letter["cause"]


def test_attempts_that_failed_are_counted(harness: Callable[[Any], Harness]) -> None:
    def handle(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        raise ZeroDivisionError("a bug in the handler")

    with handled_by(harness, handle) as running:
        running.client.put(PUT.format("rope"))
        running.drain()
        retried = running.host.metrics.retried.labels(LoanAsked.type)
        assert retried._value.get() == 1 + running.settings.retry_attempts


def test_facts_of_one_subject_are_numbered_in_the_order_in_which_they_were_told(harness: Callable[[Any], Harness]) -> None:
    def ask_twice(tx: Transaction) -> None:
        tx.tell(LoanChanged(community="c", loan="hose", days=1, status="asked"))
        ask(tx, "c", "hose", 3)

    with handled_by(harness, lend) as running:
        running.host.run(ask_twice)
        told = [(event.type, event.sequence) for event in running.told()]
        assert told == [(LoanChanged.type, 1), (LoanAsked.type, 2), (LoanChanged.type, 3)]


def test_a_handler_that_prepares_is_not_called_within_a_command() -> None:
    def take(tx: Transaction, event: CloudEvent[LoanAsked]) -> None: ...

    with pytest.raises(TypeError, match="no time to prepare"):
        Handlers()(LoanAsked, prepare=lambda: None, at_once=True)(take)


def test_a_fact_takes_effect_at_once_only_if_all_its_handlers_say_so(harness: Callable[[Any], Harness]) -> None:
    later = Handlers()
    heard: list[str] = []

    @later(LoanAsked)
    def note(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        heard.append("by another")

    at_once = Handlers()

    @at_once(LoanAsked, at_once=True)
    def take(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
        heard.append("at once")

    service = lending([at_once, later])
    assert service.dispatch.at_once == frozenset()
    running = harness(service)
    running.client.put(PUT.format("saw"))
    running.drain()
    assert sorted(heard) == ["at once", "by another"]
