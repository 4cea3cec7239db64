"""Commands that come at the same time share a transaction; none of them bears another's fault."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from shared.logs import bind_traceparent, bound_traceparent
from shared.messaging.testing import Harness
from shared.messaging.together import AT_ONCE, Together
from tests.messaging.lending import Loan, LoanAsked, ask, service
from tests.messaging.test_supervision import until

COMMANDS = 12


class Gate:
    """The first transaction stays open until the gate is; how many pieces of work each transaction was made of."""

    def __init__(self, running: Harness) -> None:
        self.running = running
        self.open = threading.Event()
        self.began = threading.Event()
        self.sizes: list[int] = []

    def transact(self, work: Callable[[Any], Any]) -> Any:
        def counted(tx: Any) -> Any:
            if not self.began.is_set():
                self.began.set()
                assert self.open.wait(60)
            return work(tx)

        result = self.running.host.run(counted)
        self.sizes.append(len(result) if isinstance(result, list) else 1)
        return result


def carried_out(gate: Gate, works: list[Callable[[Any], Any]]) -> list[Future[Any]]:
    """The first begins; all others come while it is at work."""
    together = Together(gate.transact)
    with ThreadPoolExecutor(len(works)) as threads:
        first = threads.submit(together.run, works[0])
        assert gate.began.wait(60)
        others = [threads.submit(together.run, work) for work in works[1:]]
        until(lambda: len(together._waiting) == len(works) - 1)
        gate.open.set()
    return [first, *others]


def loan(n: int) -> Callable[[Any], Any]:
    return lambda tx: ask(tx, "c", f"loan-{n}", 3)


def test_those_that_come_meanwhile_share_a_transaction_and_each_gets_its_answer(harness: Callable[[Any], Harness]) -> None:
    gate = Gate(harness(service))
    commands = AT_ONCE + 6
    answers = [future.result() for future in carried_out(gate, [loan(n) for n in range(commands)])]
    assert [answer.loan for answer in answers] == [f"loan-{n}" for n in range(commands)]
    assert gate.sizes == [1, AT_ONCE, 5]
    assert len(gate.running.told(LoanAsked)) == commands


def test_where_one_is_refused_the_others_hold(harness: Callable[[Any], Harness]) -> None:
    gate = Gate(harness(service))
    refused = {4, 9}
    futures = carried_out(gate, [loan(0 if n in refused else n) for n in range(COMMANDS)])
    assert [n for n, future in enumerate(futures) if future.exception()] == sorted(refused)
    assert {type(futures[n].exception()).__name__ for n in refused} == {"Conflict"}
    assert len(gate.running.rows(Loan)) == len(gate.running.told(LoanAsked)) == COMMANDS - len(refused)


def test_each_belongs_to_its_own_trace(harness: Callable[[Any], Harness]) -> None:
    gate = Gate(harness(service))
    together = Together(gate.transact)
    traces = [f"00-{n:032x}-{n:016x}-01" for n in range(1, COMMANDS + 1)]

    def command(n: int) -> str:
        bind_traceparent(traces[n])
        return together.run(lambda tx: bound_traceparent())

    with ThreadPoolExecutor(COMMANDS) as threads:
        first = threads.submit(command, 0)
        assert gate.began.wait(60)
        others = [threads.submit(command, n) for n in range(1, COMMANDS)]
        until(lambda: len(together._waiting) == COMMANDS - 1)
        gate.open.set()
    assert [future.result() for future in (first, *others)] == traces
    assert gate.sizes == [1, COMMANDS - 1]


def test_while_the_database_is_away_all_are_told_so_without_trying_each() -> None:
    began, gate, tried = threading.Event(), threading.Event(), []

    def away(work: Callable[[Any], Any]) -> Any:
        tried.append(work)
        began.set()
        assert gate.wait(60)
        raise OperationalError("BEGIN", {}, ConnectionError())

    together = Together(away)
    with ThreadPoolExecutor(COMMANDS) as threads:
        futures = [threads.submit(together.run, lambda tx: None)]
        assert began.wait(60)
        futures += [threads.submit(together.run, lambda tx: None) for _ in range(COMMANDS - 1)]
        until(lambda: len(together._waiting) == COMMANDS - 1)
        gate.set()
    for future in futures:
        with pytest.raises(OperationalError):
            future.result()
    assert len(tried) == 2
