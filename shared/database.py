"""One service's database: SQLite or PostgreSQL, one engine that writes and one that reads.

Everything is synchronous and runs in threads: measured on this kit's own work, sqlite3 in a thread does 2.3 times what
aiosqlite does, and psycopg 0.8 of asyncpg (docs/decisions/0002).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as SQLAlchemyTimeoutError
from sqlmodel import Session

T = TypeVar("T")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
"""JSON on SQLite, JSONB on PostgreSQL."""

TRIES = 10
WRITERS = 3
"""So many write transactions of a process are open at once on PostgreSQL."""
LONGEST_WAIT = 30.0
"""Seconds that a transaction waits for its turn, as long as for a connection."""
LINE_OF_VICTIMS = 0x66656E67
"""The advisory lock, of this kit alone, that a deadlock's victim holds while it is run again."""
SERIALIZATION_FAILURE, DEADLOCK_DETECTED = "40001", "40P01"


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """An aware UTC datetime on both databases; a naive one is refused, for nobody knows what it means."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """A service's database. `transact` writes, `reading` reads; both may be called from any thread."""

    def __init__(self, url: str) -> None:
        address = sa.make_url(url)
        self.sqlite = address.get_backend_name() == "sqlite"
        if self.sqlite:
            address = address.set(drivername="sqlite+pysqlite")
            self._writer = sa.create_engine(address, pool_size=1, max_overflow=0, connect_args=_SQLITE, hide_parameters=True)
            self._reader = sa.create_engine(address, pool_size=8, connect_args=_SQLITE, hide_parameters=True)
            for engine, begin in ((self._writer, "BEGIN IMMEDIATE"), (self._reader, "BEGIN")):
                _prepare_sqlite(engine, begin)
        else:
            address = address.set(drivername="postgresql+psycopg")
            self._writer = sa.create_engine(address, pool_size=8, max_overflow=8, pool_pre_ping=True, hide_parameters=True)
            self._reader = self._writer
        # SQLite has one writer: waiting in line costs 50 ms at p99 where its own busy wait costs 600. On PostgreSQL a few may
        # write: one interpreter computes one transaction at a time, and forty that take turns are each open for very long.
        self._line = threading.BoundedSemaphore(1 if self.sqlite else WRITERS)

    @property
    def engine(self) -> sa.Engine:
        """The writing engine, for migrations."""
        return self._writer

    def transact(self, work: Callable[[Session], T]) -> T:
        """Do `work` in one write transaction: committed when it returns, undone when it raises. Run again from the start,
        up to ten times, when the database chose it as a deadlock's victim; `work` must have no effect outside. Victims are
        run one at a time, so that they cannot deadlock with each other again."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._transact_once(work if attempt == 1 or self.sqlite else partial(_in_line, work))
            except DBAPIError as error:
                if attempt == TRIES or not _may_run_again(error):
                    raise
                time.sleep(random.uniform(0, 0.005 * 2**attempt))
        raise AssertionError("not reached")

    def _transact_once(self, work: Callable[[Session], T]) -> T:
        if not self._line.acquire(timeout=LONGEST_WAIT):
            raise SQLAlchemyTimeoutError("no transaction could begin, those before it do not end")
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                return work(session)
        finally:
            self._line.release()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that reads one consistent state; what it writes is undone."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Close every connection."""
        self._writer.dispose()
        self._reader.dispose()


def _in_line(work: Callable[[Session], T], session: Session) -> T:
    # First of all, so that nobody waits for a place in the line while he holds anything.
    session.execute(sa.text(f"SELECT pg_advisory_xact_lock({LINE_OF_VICTIMS})"))
    return work(session)


_SQLITE = {"timeout": 15, "check_same_thread": False}


def _prepare_sqlite(engine: sa.Engine, begin: str) -> None:
    # SQLAlchemy's documented recipe: take BEGIN out of the driver's hands, so that a writing transaction starts IMMEDIATE.
    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)


def insert(session: Session, table: Any) -> Any:
    """The dialect's INSERT, the one that knows ON CONFLICT."""
    dialect = session.get_bind().dialect.name
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def is_unavailable(error: BaseException) -> bool:
    """Whether an error says that the database cannot be used at present, and nothing about what was asked of it."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, SQLAlchemyTimeoutError)
    if error.connection_invalidated:
        return True
    module = type(error.orig).__module__
    if module.startswith("sqlite3"):
        return any(phrase in str(error.orig) for phrase in _SQLITE_UNAVAILABLE)
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(_POSTGRES_UNAVAILABLE)


# Connection, resources, operator's intervention, the system, read-only, lock timeout, rolled back: not what was asked.
_POSTGRES_UNAVAILABLE = ("08", "53", "57P", "58", "25006", "55P03", "40")
_SQLITE_UNAVAILABLE = ("is locked", "disk I/O error", "unable to open", "disk is full", "readonly database")


def _may_run_again(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    if state in (SERIALIZATION_FAILURE, DEADLOCK_DETECTED):
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)
