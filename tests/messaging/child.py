"""A process that may be killed: the fifth service, which tells facts, hears them itself and has timers, and a witness in it
that counts what took effect."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any

from sqlmodel import Field

from shared import logs
from shared.events.examples import STATES
from shared.messaging import CloudEvent, Handlers, Transaction, insert, steps, tables
from shared.service import Host
from shared.settings import Settings
from tests.forking import CONTEXT
from tests.messaging import lending
from tests.messaging.lending import Loan, LoanAsked, LoanChanged, LoanOverdue

Table = lending.Table


class Applied(Table, table=True):
    """What a command wrote."""

    __tablename__ = "applied"
    id: str = Field(primary_key=True)


class Effect(Table, table=True):
    """How often a fact took effect."""

    __tablename__ = "effects"
    id: str = Field(primary_key=True)
    times: int


class Tally(Table, table=True):
    """How often a command of several touched a subject."""

    __tablename__ = "tallies"
    id: str = Field(primary_key=True)
    times: int


class Latest(Table, table=True):
    """A projection: the newest fact heard about a subject."""

    __tablename__ = "latest"
    id: str = Field(primary_key=True)
    sequence: int


witness = Handlers()
"""Beside the service's own handlers, in their transactions."""
PATIENCE = 180.0
"""Seconds to wait for a child: the first one waits until its server has imported everything."""
BUG: set[str] = set()
"""Ends of subjects that a handler cannot stand until the bug is mended."""


@witness(LoanAsked)
def count_first(tx: Transaction, events: list[CloudEvent[LoanAsked]]) -> None:
    _count(tx, Effect, [event.subject for event in events])


@witness(LoanChanged, LoanOverdue)
def count(tx: Transaction, event: CloudEvent[LoanChanged]) -> None:
    if event.subject[-1:] in BUG:
        raise RuntimeError(f"a bug in the handler of subjects that end in {event.subject[-1]}")
    _count(tx, Effect, [f"changed {event.id}"])


@witness(LoanAsked, LoanChanged, LoanOverdue)
def keep(tx: Transaction, events: list[CloudEvent[LoanAsked]]) -> None:
    tx.keep(Latest, [{"id": event.subject, "sequence": event.sequence} for event in events])


service = replace(lending.service, handlers=[*lending.service.handlers, witness])


def apply(tx: Transaction, name: str, timed: bool = True) -> None:
    """The command: idempotent by its name, as a client's repetition is by its key. `a` asks for loan a, which is to be given
    back at once or (where it is not `timed`) in a year; the service answers that it is lent, and later that it is overdue.
    `a+1` tells that it changed."""
    if tx.session.get(Applied, name) is None:
        tx.session.add(Applied(id=name))
        subject, change, _ = name.partition("+")
        if change:
            tx.tell(LoanChanged.model_validate(state(subject, "lent")))
        else:
            loan = state(subject, "asked")
            lending.open_loan(tx, Loan(id=loan.pop("loan"), **loan | {"days": 0 if timed else 365}))


def state(subject: str, status: str) -> dict[str, Any]:
    """What a fact says of a loan."""
    return {"community": "c", **STATES["loan"], "loan": subject, "status": status}


def apply_all(tx: Transaction, names: list[str]) -> None:
    """Several commands in one transaction, which touches their subjects in the order given."""
    if tx.session.get(Applied, names[0]) is None:
        for name in names:
            _count(tx, Tally, [name.partition("+")[0]])
            apply(tx, name)


def _count(tx: Transaction, table: Any, ids: list[str]) -> None:
    statement = insert(tx.session, table.__table__)
    once_more = {"times": table.__table__.c.times + 1}
    statement = statement.on_conflict_do_update(index_elements=["id"], set_=once_more)
    tx.session.execute(statement, [{"id": id, "times": 1} for id in ids])


@dataclass(frozen=True)
class Outcome:
    """How a child ended: what it had acknowledged, the steps it was at (where it was not to die), its exit code."""

    acknowledged: set[str]
    steps: set[str]
    exit_code: int | None


def run(settings: Settings, commands: int, label: str = "", hit: int = 1, first: int = 0) -> Outcome:
    """Run a child to its end, or to its death at the `hit`-th time it is at the step `label`."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(settings, commands, label, hit, first, theirs))
    child.start()
    theirs.close()
    acknowledged: set[str] = set()
    steps: set[str] = set()
    try:
        while ours.poll(PATIENCE):
            kind, value = ours.recv()
            (acknowledged if kind == "acknowledged" else steps).add(value)
    except EOFError:
        pass
    child.join(PATIENCE)
    return Outcome(acknowledged, steps, child.exitcode)


def _child(settings: Settings, commands: int, label: str, hit: int, first: int, tell: Connection) -> None:
    logs.configure(level="ERROR", format="text")
    seen: set[str] = set()
    steps.arm(killer(label, hit) if label else seen.add)
    asyncio.run(_play(settings, commands, first, tell))
    for step in seen:
        tell.send(("step", step))


async def _play(settings: Settings, commands: int, first: int, tell: Connection) -> None:
    host = Host(service, settings)
    tables.metadata.create_all(host.database.engine)
    Table.metadata.create_all(host.database.engine)
    await host.start()
    for n in range(first, first + commands):
        name = f"loan-{n:06d}"
        await asyncio.to_thread(host.run, apply, name)
        tell.send(("acknowledged", name))
    while not (await host.quiet())["quiet"]:
        await asyncio.sleep(0.01)
    await host.stop()


def killer(label: str, hit: int) -> Callable[[str], None]:
    """An action for `steps.arm`: SIGKILL at the `hit`-th time this process is at the step."""
    left = hit

    def die(step: str) -> None:
        nonlocal left
        if step == label:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return die
