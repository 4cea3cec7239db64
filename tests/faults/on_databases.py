"""Faults that strike a database, and the way to it."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

import sqlalchemy as sa

from tests.faults.arena import Arena
from tests.faults.fault import STRIKE_LIMIT, Struck
from tests.forking import CONTEXT

STOPPED, STOPPED_SMALL = 30.0, 2.0
"""Seconds that a database is stopped, by turns whole and a third of it."""


def stop_database(arena: Arena) -> Struck:
    """By turns the server ends and it is frozen; an SQLite file is locked by somebody else."""
    number = arena.memory["number"] = arena.memory.get("number", -1) + 1
    seconds = (STOPPED_SMALL if arena.small else STOPPED) / (1 + 2 * (number % 2))
    if arena.database_url.startswith("sqlite"):
        what, how = "the file is locked by somebody else", _locked(arena)
    elif arena.ground.cluster is None:
        assert arena.proxy  # this machine has no server programs
        what, how = "the way to the server is cut", arena.proxy.partition()
    else:
        what, how = ("the server is frozen", _frozen(arena)) if number % 2 else ("the server is ended", _ended(arena))
    arena.tries(f"{what} for {seconds:.1f} s")
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
    ours, theirs = CONTEXT.Pipe()
    path = sa.make_url(arena.database_url).database
    process = CONTEXT.Process(target=_hold, args=(path, theirs), daemon=True)
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
