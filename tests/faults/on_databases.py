"""Faults that strike a database, and the way to it."""

from __future__ import annotations

import contextlib
import multiprocessing
import sqlite3
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import sqlalchemy as sa

from tests.faults.arena import Arena
from tests.faults.fault import STRIKE_LIMIT, Struck

STOPPED, STOPPED_SMALL = 30.0, 2.0
"""Seconds that a database is stopped, by turns whole and a third of it."""


def lose_commits(arena: Arena) -> Struck:
    """Whether it was committed is unknown: the client asks again under the same name, and the listener's inbox decides."""
    assert arena.proxy
    before, wanted = arena.proxy.lost, arena.chance.randint(3, 8)
    with arena.proxy.losing(0.1), arena.proxy.lost_one:
        if not arena.proxy.lost_one.wait_for(lambda: arena.proxy.lost >= before + wanted, STRIKE_LIMIT):
            arena.notes.append("hardly a reply was lost")
    return arena.proxy.lost - before, time.monotonic()


def stop_database(arena: Arena) -> Struck:
    """By turns the server ends and it is frozen; an SQLite file is locked by somebody else."""
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    seconds = (STOPPED_SMALL if arena.small else STOPPED) / (1 + 2 * (number % 2))
    if arena.database_url.startswith("sqlite"):
        how = _locked(arena)
    elif arena.ground.cluster is None:
        assert arena.proxy  # this machine has no server programs
        how = arena.proxy.partition()
    else:
        how = _frozen(arena) if number % 2 else _ended(arena)
    with how:
        time.sleep(seconds)  # how long it lasts
    return 1, time.monotonic()


@contextlib.contextmanager
def _ended(arena: Arena) -> Iterator[None]:
    assert arena.ground.cluster
    arena.ground.cluster.stop()
    yield
    arena.ground.cluster.start()


@contextlib.contextmanager
def _frozen(arena: Arena) -> Iterator[None]:
    assert arena.ground.cluster
    arena.ground.cluster.freeze()
    yield
    arena.ground.cluster.go_on()


@contextlib.contextmanager
def _locked(arena: Arena) -> Iterator[None]:
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    path = sa.make_url(arena.database_url).database
    process = context.Process(target=_hold, args=(path, theirs), daemon=True)
    process.start()
    if not ours.poll(STRIKE_LIMIT):
        raise TimeoutError("the database could not be locked")
    yield
    ours.send("that is enough")
    process.join(STRIKE_LIMIT)


def _hold(path: str, connection: Connection) -> None:
    database = sqlite3.connect(path, isolation_level=None, timeout=STRIKE_LIMIT)
    database.execute("BEGIN EXCLUSIVE")
    connection.send("locked")
    connection.recv()
    database.execute("ROLLBACK")
    database.close()
