"""A process that may be killed: the fifth service, which tells facts, hears them itself and has timers, and a witness in it
that counts what took effect."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

import redis
from sqlmodel import Field

from shared import logs
from shared.messaging import CloudEvent, Handlers, Transaction, insert, outbox, replay, steps, tables
from shared.messaging.housekeeping import Housekeeper
from shared.messaging.streams import stream_of
from shared.service import Host
from shared.settings import Settings
from tests.forking import CONTEXT
from tests.messaging import lending
from tests.messaging.lending import LoanAsked, LoanChanged, LoanOverdue

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
ROUNDS = 3
"""How often a child repeats a bad day, its commands shared among them."""


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
            tx.tell(LoanChanged(community="c", loan=subject, days=0, status="lent"))
        else:
            lending.ask(tx, "c", subject, 0 if timed else 365)


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


def run(settings: Settings, commands: int, label: str = "", hit: int = 1, first: int = 0, bad_day: bool = False) -> Outcome:
    """Run a child to its end, or to its death at the `hit`-th time it is at the step `label`. `bad_day`: between its commands
    a handler has a bug and is mended, Redis loses everything, and what has served its time is trimmed."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    child = CONTEXT.Process(target=_child, args=(settings, commands, label, hit, first, bad_day, theirs))
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


def _child(settings: Settings, commands: int, label: str, hit: int, first: int, bad_day: bool, tell: Connection) -> None:
    logs.configure(level="ERROR", format="text")
    seen: set[str] = set()
    steps.arm(killer(label, hit) if label else seen.add)
    outbox.SWEEP_EVERY = 0.1
    asyncio.run(_play(settings, range(first, first + commands), bad_day, tell))
    for step in seen:
        tell.send(("step", step))


async def _play(settings: Settings, numbers: range, bad_day: bool, tell: Connection) -> None:
    host = Host(service, settings)
    tables.metadata.create_all(host.database.engine)
    Table.metadata.create_all(host.database.engine)
    await host.start()
    for start in range(ROUNDS if bad_day else 1):
        mine = numbers[start::ROUNDS] if bad_day else numbers
        if bad_day:
            BUG.update(f"{n}"[-1] for n in mine[::2])
        for n in mine:
            name = f"loan-{n:06d}"
            await asyncio.to_thread(host.run, apply, name)
            tell.send(("acknowledged", name))
        await _rest(host)
        BUG.clear()
        await asyncio.to_thread(replay_all, host)
        if bad_day:
            await asyncio.to_thread(_lose_and_trim, host)
            await _rest(host)
    await host.stop()


async def _rest(host: Host) -> None:
    while True:
        with suppress(redis.RedisError):  # after a loss the group is being made again
            if (await host.quiet())["quiet"]:
                return
        await asyncio.sleep(0.01)


def replay_all(host: Host) -> tuple[int, dict[str, str]]:
    """What `fenghe dead-letters --replay-cause` does, cause by cause: how many were replayed, and why others were not."""
    service, database = host.service, host.database
    total, failed = 0, dict[str, str]()
    # A cause may stand in several groups, one a type.
    for cause in dict.fromkeys(group.cause for group in host.read(replay.groups)):
        letters = host.read(replay.chosen, None, cause)
        failed |= replay.replay(database, service.dispatch, service.name, host.settings.public_url, letters)
        total += len(letters)
    return total - len(failed), failed


def trim(host: Host, age: timedelta) -> None:
    """What a relay does once an hour: facts are kept for a day here, entries as long as given."""
    with redis.Redis.from_url(host.settings.redis_url) as client:
        Housekeeper(host.database, client, host.service.writes, timedelta(days=1), age).clean()


def _lose_and_trim(host: Host) -> None:
    """Redis loses everything; once it is sent again and heard, the stream is trimmed as far as may be."""
    stream = stream_of(host.service.name)

    def ids() -> set[bytes]:
        return {fields[b"id"] for _, fields in client.xrange(stream)}

    with redis.Redis.from_url(host.settings.redis_url) as client:
        known = ids()
        client.flushall()
        while not known <= ids():
            time.sleep(0.01)
    trim(host, timedelta(0))


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
